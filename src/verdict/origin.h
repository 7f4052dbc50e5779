// SPDX-License-Identifier: Apache-2.0
/// Whose fault a failure is: told from a run of the base and from trying the failing tests again.
///
///   | the test                                                                                    | origin       |
///   |---------------------------------------------------------------------------------------------|--------------|
///   | fails as badly in the base's run                                                            | also_on_base |
///   | failed, and passes when the same kernel is booted the same way once more                    | flaky        |
///   | the same, but the base has no such test: the change brought one that can't be relied upon   | new          |
///   | fails on every try, and on the base now and then, where each boot was for this test alone   | also_on_base |
///   | could not be tried as often as it should have been (no time left, or a try timed out)       | unknown      |
///   | else, with a base                                                                           | new          |
///   | else, without one                                                                           | unknown      |
///
/// Why "booted the same way": a change that leaves something behind in one suite makes another one fail, which passes alone. Why a
/// test that always fails alone on the base proves nothing: it may need what runs before it, on both kernels.
/// A test that crashed, timed out or never ran, and one in which the kernel reported a fault, is excused by the base only, never by
/// another try; a report of the kernel by the same report (fingerprint) on the base only. `unknown` counts like `new`.
/// Does not: boot anything (app/try_again.h). Pure. Threads: any.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "verdict/run_result.h"

namespace bowsprit {

/// Boots of one kind, by what became of the test in them.
struct Tries {
  int passed = 0;
  int failed = 0;
};

/// One failing test, tried again.
struct TriedTest {
  Tries alone;       ///< the same kernel, with a filter for this test
  Tries same_way;    ///< the same kernel, booted as it was when the test failed
  Tries base;        ///< the base's kernel, with a filter for this test
  bool cut = false;  ///< some of the tries that ought to be did not come to their end
};

struct Evidence {
  const RunResult* base = nullptr;  ///< the base's run; null: not known
  /// False: the base ran with another kunitconfig. Then it only tells which tests are gone.
  bool same_configuration = true;
  std::set<std::string> removed_by_change;  ///< "suite" or "suite.case" whose source the change deletes or moves
  std::map<std::string, TriedTest> tried;   ///< by Failure::test
  bool strict = false;                      ///< also_on_base and flaky failures count as well
};

/// Sets each failure's and report's origin, adds what ran on the base and is gone as `missing`, and gives `no_new_failures` where
/// nothing that speaks against the change counts. Leaves results that ended before the tests alone. May be called again with more.
void settle_origins(RunResult& result, const Evidence& evidence);

/// Failure::test of those that another try may excuse, in the order of the result.
std::vector<std::string> worth_trying_again(const RunResult& result, const Evidence& evidence);

/// True where the test passed in this result and the kernel said nothing in it that speaks against the change and is not in `known`.
bool passed_cleanly(const RunResult& result, const std::string& test, const RunResult& known);

/// For people: "also on the base"; empty for unknown.
std::string_view words_of(Origin origin);

/// Whether the base has this test ("suite.case"), in whatever state.
bool has_test(const RunResult& base, const std::string& test);

}  // namespace bowsprit
