// SPDX-License-Identifier: Apache-2.0
/// `bowsprit presubmit CHANGE`: judges the current patch set of one change now, without a server and its store.
///
/// Does what `serve` would do for a new patch set: the same jobs, sandbox, files and message. Does not: remember the run, or watch for a newer
/// patch set. Threads: the calling one and the executor's.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "app/server_config.h"
#include "report/report.h"

namespace bowsprit::app {

struct PresubmitOptions {
  ServerConfig config;
  int change = 0;
  bool report = false;
  /// Where each job's artifacts go, a folder per job; empty: only the result is kept.
  std::filesystem::path artifacts;
  /// The jobs' output as it comes.
  std::function<void(std::string_view)> on_output = {};
};

struct PresubmitResult {
  std::vector<report::JobLine> jobs;
  report::ReportText text;
  std::string reported;  ///< what became of the report; empty: none was asked for
};

Result<PresubmitResult> presubmit(const PresubmitOptions& options);

}  // namespace bowsprit::app
