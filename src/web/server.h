// SPDX-License-Identifier: Apache-2.0
/// The pages and the data of a running server: what a developer opens from Gerrit, what scripts and monitors ask.
///
///   GET  /                              runs, with filters: q (words), change, job, state, verdict, author, before
///   GET  /run/ID  /run/ID/log           its page; its log, also while it grows (Range)
///   GET  /run/ID/artifacts/NAME         what the job left in $ARTIFACTS
///   GET  /run/ID/files/NAME             what is beside it: build-log.txt, started.json, finished.json ...
///   GET  /change/NUMBER                 all patch sets and their runs
///   GET  /jobs  /job/NAME               how the jobs fare, and the history of one
///   GET  /tests  /test  /job-history/JOB  and their data, see history_handlers.h
///   GET  /prowjobs.js  /badge.svg  /log  ...: what scripts ask of Prow's Deck, see deck.h
///   GET  /gerrit-checks/runs?change=&patchset=: Gerrit's Checks tab, see gerrit_checks.h
///   GET  /job/NAME/feed.atom            the ends of its runs, where feeds are on
///   GET  /healthz  /metrics
///   GET  /api/v1/runs  /api/v1/runs/ID  /api/v1/jobs  /api/v1/events (SSE, Last-Event-ID)
///   POST /api/v1/runs/ID/rerun  /abort  with "Authorization: Bearer TOKEN", so no foreign page can cause one
///
/// Every page works without JavaScript. All that comes from a change or a job (names, messages, logs, result.json, file
/// names) is hostile: escaped in pages, and artifacts are served so that no browser runs them as ours. Does not: decide
/// or change anything itself; that is Backend's work. TLS, logins: a proxy's.
///
/// Threads: handlers run on the server's own io thread, one at a time, and so does the Backend's code that they call.
/// The Store is this thread's own; give it no other user.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

#include "artifact/object_store.h"
#include "base/json.h"
#include "base/metrics.h"
#include "base/result.h"
#include "base/secret.h"
#include "net/http_server.h"
#include "store/store.h"

namespace bowsprit::web {

/// What the pages may ask the program to do. Called on the web thread: be quick, and lock what others use too.
class Backend {
 public:
  virtual ~Backend() = default;
  /// Queues the run's job again on the same patch set; the new run's id. @error not_found, conflict (it still runs)
  virtual Result<std::int64_t> rerun(std::int64_t run) = 0;
  /// Ends a waiting or pending run. @error not_found, conflict (it has ended)
  virtual Result<> abort(std::int64_t run) = 0;
  /// The growing log of a run that is pending here; nullopt where there is none.
  virtual std::optional<std::filesystem::path> live_log(std::int64_t run) = 0;
  /// The run as Prow's resource prow.k8s.io/v1 ProwJob, without its address here.
  virtual Result<Json> prow_job(const store::Run& run) = 0;
  /// Refreshes the gauges that are read rather than counted (queue length, executors), before /metrics is printed.
  virtual void update_metrics() = 0;
  /// Nothing where all is well, else what is not; /healthz answers 503 with it.
  virtual std::optional<std::string> trouble() = 0;
};

struct Options {
  net::ServerOptions http;
  Secret token;            ///< of POST; empty: they are refused
  std::string public_url;  ///< how people reach the pages, without a final slash; empty: http://ADDRESS:PORT
  std::string gerrit_url;  ///< whose pages may read /gerrit-checks; empty: none
  bool feeds = false;      ///< /job/NAME/feed.atom
  /// Downloads of artifacts are sent to the store itself, by URLs that hold so long; nullopt: they come through us.
  std::optional<seconds> signed_urls = {};
};

class Server {
 public:
  /// The references must outlive the server.
  Server(Options options, store::Store store, artifact::ObjectStore& objects, Backend& backend, Metrics& metrics);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  Result<int> start();  ///< the port; see HttpServer::start
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bowsprit::web
