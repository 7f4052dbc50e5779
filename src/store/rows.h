// SPDX-License-Identifier: Apache-2.0
/// Rows of the tables as values. Internal to store/. Threads: as Database.
#pragma once

#include <string_view>

#include "store/sqlite.h"
#include "store/store.h"

namespace bowsprit::store {

/// Column lists in the order in which the readers below take them.
extern const std::string_view kRunColumns;
extern const std::string_view kReportColumns;
extern const std::string_view kEventColumns;
extern const std::string_view kDecisionColumns;

Run read_run(Query& row);
Report read_report(Query& row);
Event read_event(Query& row);
Decision read_decision(Query& row);

std::string_view to_string(Report::State state);

/// All rows of a query by one of the readers.
template <class Read>
auto read_all(Query& query, Read read) -> Result<std::vector<decltype(read(query))>> {
  std::vector<decltype(read(query))> rows;
  while (true) {
    TRY_ASSIGN(const bool more, query.next());
    if (!more) return rows;
    rows.push_back(read(query));
  }
}

/// The only row of a query, or nullopt.
template <class Read>
auto read_one(Query& query, Read read) -> Result<std::optional<decltype(read(query))>> {
  TRY_ASSIGN(const bool found, query.next());
  if (!found) return std::nullopt;
  return read(query);
}

}  // namespace bowsprit::store
