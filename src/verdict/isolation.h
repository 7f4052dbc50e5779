// SPDX-License-Identifier: Apache-2.0
/// Which kernels to boot after one that died or hung, so that every test of the manifest runs that can.
///
/// A kernel takes one pattern, kunit.filter_glob=SUITE.CASE (lib/kunit/executor.c, lib/glob.c), so what did not run is divided by
/// patterns that leave the culprits out: "list_[!h]*" is all that begins as the culprit "list_hang" does and then goes on
/// otherwise. A pattern may match tests that have run already; they run once more, and the worse result counts.
/// Does not: boot, or know of time (app/tests_run.h).
/// Threads: pure; any.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ktap/result_tree.h"
#include "verdict/judge.h"

namespace bowsprit {

/// Up to so many suites get a kernel each, which isolates them best; more are divided by patterns.
inline constexpr std::size_t kSuitesAlone = 16;

/// The patterns whose boots run what `suites`, the joined results so far, have not run of the manifest; none: nothing is left.
/// `given_up`: tests ("suite", "suite.case") for which a boot was made already, and which did not run in it.
struct NextBoots {
  std::vector<std::string> globs;
  std::set<std::string> wanted;  ///< the tests that these boots ought to run
};
NextBoots next_boots(const std::vector<ktap::TestNode>& suites, const Manifest& manifest,
                     const std::set<std::string>& given_up);

/// Names the tests of one boot's report that only a plan announced, the one that was running when the kernel died first of all, and ties
/// the kernel's own reports to them. `glob`: what that boot was told to run; empty: everything.
void name_tests(ktap::ConsoleReport& report, const Manifest& manifest, const std::string& glob);

/// Cases that were taken for the culprit only because nothing came after their suite's last result. A kernel that hangs without a
/// word may keep the last line or two to itself, so where another case of the suite died as well each of these deserves a boot of
/// its own. As "suite.case".
std::vector<std::string> doubtful_culprits(const ktap::ConsoleReport& report);
/// Takes such a case's presumed result out of a report.
void forget_case(ktap::ConsoleReport& report, const std::string& path);

/// One level: patterns that together match every one of `names` and none of `avoid`; a name that can't be told from one of `avoid`
/// by such a pattern gets one of its own.
std::vector<std::string> globs_avoiding(const std::vector<std::string>& names, const std::vector<std::string>& avoid);

/// A pattern for this name alone; what would not survive the command line or has a meaning of its own there becomes '?'.
std::string glob_of(std::string_view name);

}  // namespace bowsprit
