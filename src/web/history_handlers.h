// SPDX-License-Identifier: Apache-2.0
/// The addresses of tests over time:
///
///   GET  /tests?q=  /test?name=&job=  /job-history/JOB (also Deck's /job-history/gs/BUCKET/pr-logs/directory/JOB)
///   GET  /api/v1/tests?q=  /api/v1/tests/NAME/history?job=  /api/v1/jobs/NAME/history
///
/// All lists come in parts ("limit", and the address of the next part in "next").
/// Threads: the web server's own; what is given must outlive the server.
#pragma once

#include "net/router.h"
#include "store/store.h"

namespace bowsprit::web {

void add_history_routes(net::Router& routes, store::Store& store);

}  // namespace bowsprit::web
