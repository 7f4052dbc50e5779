// SPDX-License-Identifier: Apache-2.0
/// The result for a person at a terminal: one line per suite, the bad tests with their place and reason, the kernel's own
/// reports, and the summary as the last line.
///
/// Does not: print; write logs. Bytes of the console come out as printable text, so they cannot drive the terminal.
/// Threads: any.
#pragma once

#include <string>

#include "verdict/run_result.h"

namespace bowsprit::artifact {

struct TextOptions {
  bool colour = false;
  bool all_tests = false;  ///< good tests too, not only the others
};

std::string result_text(const RunResult& result, const TextOptions& options = {});

}  // namespace bowsprit::artifact
