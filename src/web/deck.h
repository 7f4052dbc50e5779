// SPDX-License-Identifier: Apache-2.0
/// Addresses of Prow's Deck that people script against, with the same data (cmd/deck/main.go, cmd/deck/badge.go,
/// pkg/deck/jobs/jobs.go):
///
///   GET  /prowjobs.js?var=&omit=&org=&repo=&owner=   {"items": [ProwJob, ...]}, the newest first
///   GET  /data.js?var=                               the same as Deck's older, flat list
///   GET  /badge.svg?jobs=GLOB,GLOB                   how the latest verdicts of these jobs are
///   GET  /log?job=&id=                               the log of a run
///   GET  /view/...                                   leads to the run's page
///   GET  /prowjob?prowjob=UUID                       one ProwJob as YAML
///
/// Other than there, on purpose: a list has at most `limit` runs (300 unless asked, 1000 at most; `before`=ID goes on),
/// since ten thousand ProwJobs are 23 MB; `var` must be the name of a variable; a badge tells of an error and of an
/// unfinished run as what they are not, a pass: it shows each job's latest verdict, and "no verdict" where that is an
/// error.
/// Threads: the web server's own; what is given must outlive the server.
#pragma once

#include "net/router.h"
#include "web/run_reader.h"

namespace bowsprit::web {

struct DeckParts {
  store::Store& store;
  RunReader& reader;
  Backend& backend;
  const std::string& public_url;  ///< of the pages; empty: not known
};
void add_deck_routes(net::Router& routes, DeckParts parts);

/// What a badge says.
struct Badge {
  std::string words;  ///< "passing", "failing a, b, c, ...", "no verdict a", "no results"
  std::string_view colour;
};
/// @param latest  the latest run with an end of each job, aborted ones aside
Badge badge_of(const std::vector<store::Run>& latest);

}  // namespace bowsprit::web
