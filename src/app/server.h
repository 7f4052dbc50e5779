// SPDX-License-Identifier: Apache-2.0
/// `bowsprit serve`: the composition root. Builds and owns everything else, runs until SIGTERM or SIGINT.
///
/// Threads: this one waits for signals and for edits of the job files; the engine, the watcher, the event stream, the reporter, the web server
/// and each run have one of their own, and share nothing but messages and the store's file.
/// Does not: daemonise or write a log file; systemd does both better.
#pragma once

#include <filesystem>

#include "app/server_config.h"
#include "base/result.h"

namespace bowsprit::app {

struct ServeOptions {
  ServerConfig config;
  std::filesystem::path port_file;  ///< where the web server's port is written once it listens; empty: nowhere
};

/// Serves until a signal. @error bad_config, conflict (another server uses the state folder), os
Result<> serve(const ServeOptions& options);

}  // namespace bowsprit::app
