// SPDX-License-Identifier: Apache-2.0
/// The JSON of /api/v1. Shapes only grow: a field is never renamed or removed, times are RFC 3339, ids are numbers, an
/// unknown value is "" or null. Pure. Threads: any.
#pragma once

#include "base/json.h"
#include "web/view.h"

namespace bowsprit::web {

/// A run as lists have it.
Json run_json(const store::Run& run, SystemTime now);
/// The list: {"runs": [...], "next": address of the next page or null}.
Json runs_json(const RunsView& view);
/// One run with its events, artifacts, other runs, and result.json as "result" (null until there is one).
Json run_detail_json(const RunView& view);
/// The jobs that ever ran, with what their latest runs say: {"jobs": [...]}.
Json jobs_json(const std::vector<JobView>& jobs);
/// Why jobs ran or not on a change: {"change": 42, "decisions": [...]}, oldest first.
Json decisions_json(int change, const std::vector<store::Decision>& decisions);
/// One step of a run's life, as /api/v1/events sends it.
Json event_json(const store::Event& event, const store::Run& run);
Json error_json(const Error& error);

/// The HTTP status that says the same as this error.
int http_status(ErrorKind kind);

}  // namespace bowsprit::web
