// SPDX-License-Identifier: Apache-2.0
/// How a run looks to the person who started it: on a terminal phases, a progress bar and tests as they finish, in
/// colour; elsewhere plain lines with all of make's output, as a job's log has it.
///
/// Writes to stderr (progress) and leaves stdout to the result. Uses no mode of the terminal but colours and "erase the
/// line", so there is nothing to put back but the current line, which `finish` does. Threads: one owner.
#pragma once

#include <memory>
#include <string>

#include "app/judge_tree.h"

namespace bowsprit::cli {

class RunView : public app::JudgeTreeWatch {
 public:
  /// Nothing is shown as being in progress any more.
  virtual void finish() = 0;
};

/// The view that fits stderr: a terminal (and TERM not dumb), or not.
std::unique_ptr<RunView> make_run_view();

/// The result for people: the verdict, each failure with its place and message, errors and warnings, how to reproduce.
std::string describe_result(const RunResult& result, const fs::path& artifacts, bool colour);

/// NO_COLOR is not set and the descriptor is a terminal that is not dumb.
bool wants_colour(int fd);

}  // namespace bowsprit::cli
