// SPDX-License-Identifier: Apache-2.0
/// Runs the tests of a built kernel: one boot, and where it dies or hangs as many more as it takes to run what is left
/// (verdict/isolation.h), several at once.
///
/// Bounds: every boot ends at the time limit, or where one suite takes longer than its own; the boots after the first get the
/// time limit once more for all of them together; there are kMostBoots in all. A run in which nothing dies is one boot.
/// Does not: know how a kernel is booted, judge (verdict/judge.h), or print.
/// Threads: the calling one gets all callbacks of the watcher; `boot` is called on threads of its own, several at once.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kernel/boot.h"
#include "ktap/console.h"
#include "verdict/judge.h"

namespace bowsprit::app {

inline constexpr int kMostBoots = 400;

struct BootRequest {
  std::vector<std::string> arguments;  ///< words for the kernel's command line
  fs::path console;                    ///< where the console goes
  milliseconds limit{0};
  std::function<bool()> give_up = {};  ///< asked now and then: true ends the boot as timed out
};
using BootKernel = std::function<Result<kernel::BootOutcome>(const BootRequest&,
                                                             const std::function<void(std::string_view)>& on_console)>;

struct TestsRunOptions {
  BootKernel boot;
  BootKernel first_boot = {};  ///< instead of `boot`, for the first one
  fs::path console;            ///< of all boots, one after the other
  milliseconds limit{300'000};
  milliseconds suite_limit{120'000};  ///< of one suite, or of what comes before or between suites
  int jobs = 1;                       ///< kernels at once
};

/// One boot and what came of it.
struct BootRecord {
  std::string glob;  ///< kunit.filter_glob; empty: everything
  ktap::ConsoleReport report;
  kernel::BootOutcome outcome;
  milliseconds limit{0};  ///< that ended it, where one did
};

struct TestsRun {
  std::vector<BootRecord> boots;
  std::optional<Manifest> manifest;  ///< asked for only where a boot did not come to its end
  std::uint64_t console_bytes = 0;   ///< of the first boot
};

using OnCase = std::function<void(const std::string& path, const ktap::TestNode& test)>;

/// @error cancelled  stopped by the user
/// @error os         a kernel could not be started
Result<TestsRun> run_tests(const TestsRunOptions& options, const OnCase& on_case);

/// Boots each of `globs` once, several at once, within `limit` for all of them. A glob for which no time is left has no record.
Result<std::vector<BootRecord>> boot_each(const TestsRunOptions& options, const std::vector<std::string>& globs,
                                          milliseconds limit, const OnCase& on_case);

/// The pattern of the last boot in which a test failed, for each that failed in one, by its path.
std::map<std::string, std::string> boots_that_failed(const TestsRun& run);

/// All boots as one input for the judge.
JudgeInput judge_input(TestsRun run);

}  // namespace bowsprit::app
