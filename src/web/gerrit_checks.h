// SPDX-License-Identifier: Apache-2.0
/// Runs of a change as Gerrit's Checks tab takes them:
///
///   GET  /gerrit-checks/runs?change=N[&patchset=M]     {"runs": [CheckRun, ...]}
///
/// The shape is Gerrit's polygerrit-ui/app/api/checks.ts with times as text, which the stock plugin checks-jenkins reads.
/// What Gerrit's model does with it decides here: a run without name or status would vanish, so both are always there;
/// attempts of one job count from 1 without gaps; each run says its patch set; a time that is not known is absent; a run
/// that ended without a verdict has a result, as it would count as passed without one. A result.json that can't be read
/// costs its details and never the list: an error here would empty the tab. Texts are cut, and tests beyond 50 counted.
/// The pages of the configured Gerrit, and of no other site, may read it (CORS with credentials).
/// Does not: offer actions, whose GET with cookies any page could send; or code pointers, which must lie in the patch
/// set's files, unknown here: a link leads to the line instead.
/// Threads: the web server's own; what is given must outlive the server.
#pragma once

#include "base/json.h"
#include "net/router.h"
#include "web/run_reader.h"

namespace bowsprit::web {

struct ChecksParts {
  store::Store& store;
  RunReader& reader;
  const std::string& public_url;  ///< of the pages; empty: runs get no links
  std::string gerrit_url;         ///< empty: no other site may read it
};
void add_checks_routes(net::Router& routes, ChecksParts parts);

/// One run. @param result  null: none (yet)
/// @param forecast  how long runs of the job take, where that is known
Json check_run(const store::Run& run, int attempt, const RunResult* result, std::optional<double> forecast,
               const std::string& public_url);

}  // namespace bowsprit::web
