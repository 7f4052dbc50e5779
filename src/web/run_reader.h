// SPDX-License-Identifier: Apache-2.0
/// Gathers what the pages of a run show: rows of the store, files of the artifact store, the log that still grows.
/// Results are files of a job and thus never trusted: size-limited, read by the tolerant reader, a broken one is said.
/// Threads: the web server's own.
#pragma once

#include <deque>

#include "net/http_message.h"
#include "web/server.h"
#include "web/view.h"

namespace bowsprit::web {

class RunReader {
 public:
  RunReader(store::Store& store, artifact::ObjectStore& objects, Backend& backend)
      : store_(store), objects_(objects), backend_(backend) {}

  /// @error not_found  no such run
  Result<RunView> read(std::int64_t id, SystemTime now);
  /// The judged result of a run that ended. @error not_found, bad_data  there is none; it can't be read
  Result<std::shared_ptr<const RunResult>> result(const store::Run& run);
  /// The log as it is now, also while it grows. @error not_found  there is none (yet)
  Result<net::ByteSource> log(const store::Run& run);
  /// A file below the run's folder. @error not_found, bad_data  no such file, no such name
  Result<net::ByteSource> file(const store::Run& run, const std::string& name);
  /// Where the store itself serves that file. @error bad_config, unavailable
  Result<std::string> signed_url(const store::Run& run, const std::string& name, seconds lifetime);

 private:
  struct Cached {
    std::int64_t run;
    std::shared_ptr<const RunResult> result;
  };
  void add_log(RunView& view);

  store::Store& store_;
  artifact::ObjectStore& objects_;
  Backend& backend_;
  std::deque<Cached> cache_;  ///< of ended runs, the latest read last
};

}  // namespace bowsprit::web
