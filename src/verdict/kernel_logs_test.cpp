// SPDX-License-Identifier: Apache-2.0
/// The kernel's own parser logs (tools/testing/kunit/test_data), read by this reader and by the tree's kunit.py: the same counts,
/// but for the differences written here. The tree is $BOWSPRIT_TEST_KERNEL, or that of tools/test-kernel.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

#include "base/json.h"
#include "base/strings.h"
#include "os/files.h"
#include "verdict/judge.h"

namespace bowsprit {
namespace {

struct Counts {
  int passed = 0;
  int failed = 0;
  int crashed = 0;
  int skipped = 0;
  int missing = 0;
  bool operator==(const Counts&) const = default;
};
std::string text(const Counts& c) {
  return fmt::format("passed {} failed {} crashed {} skipped {} missing {}", c.passed, c.failed, c.crashed, c.skipped,
                     c.missing);
}

struct Difference {
  Counts ours;
  std::string reason;
};
/// Where this reader counts otherwise than kunit.py of 6.12, and why.
const std::map<std::string, Difference>& differences() {
  static const std::map<std::string, Difference> kDifferences{
      {"test_is_test_passed-no_tests_no_plan.log",
       {{.missing = 1},
        "a case with a header, no test in it and a good result ran nothing; kunit.py counts it as passed, with an "
        "error beside it"}},
      {"test_kernel_panic_interrupt.log",
       {{.passed = 8, .crashed = 1, .missing = 1},
        "only one test was running at the panic; kunit.py calls the one after it crashed too"}},
  };
  return kDifferences;
}

/// Where tools/testing/kunit is: in $BOWSPRIT_TEST_KERNEL, or taken out of the repository that tools/test-kernel makes. Empty: neither
/// is there. What is there and does not hold it is an error: a wrong setting must not look like a test that is not for here.
Result<fs::path> kunit_folder(const fs::path& dir) {
  if (const char* tree = std::getenv("BOWSPRIT_TEST_KERNEL"); tree != nullptr) {
    const auto folder = fs::path(tree) / "tools/testing/kunit";
    if (!fs::exists(folder / "kunit.py"))
      return fail(ErrorKind::bad_config, "BOWSPRIT_TEST_KERNEL is '{}', which has no tools/testing/kunit/kunit.py",
                  tree);
    return folder;
  }
  const char* cache = std::getenv("BOWSPRIT_CACHE");
  const char* home = std::getenv("HOME");
  const fs::path repository =
      (cache != nullptr ? fs::path(cache) : fs::path(home != nullptr ? home : "/") / ".cache/bowsprit") /
      "kernel/linux.git";
  if (!fs::exists(repository)) return fs::path();
  const std::string command =
      fmt::format("git -C '{}' archive -o '{}/kunit.tar' master tools/testing/kunit && tar -xf '{}/kunit.tar' -C '{}'",
                  repository.string(), dir.string(), dir.string(), dir.string());
  if (std::system(command.c_str()) != 0) return fail(ErrorKind::bad_data, "failed: {}", command);
  return dir / "tools/testing/kunit";
}

/// One run of Python over all logs: {"log": [passed, failed, crashed, skipped]}.
constexpr const char* kOracle = R"py(
import contextlib, io, json, pathlib, sys
folder = pathlib.Path(sys.argv[1])
sys.path.insert(0, str(folder))
sys.dont_write_bytecode = True
import kunit_parser
out = {}
for log in sorted((folder / "test_data").glob("*.log")):
    with contextlib.redirect_stdout(io.StringIO()), open(log, errors="backslashreplace") as file:
        counts = kunit_parser.parse_run_tests(file.readlines()).counts
    out[log.name] = [counts.passed, counts.failed, counts.crashed, counts.skipped]
pathlib.Path(sys.argv[2]).write_text(json.dumps(out))
)py";

TEST(KernelLogs, HaveTheCountsThatKunitPyGives) {
  auto dir = TempDir::create("bowsprit-kernel-logs");
  ASSERT_TRUE(dir) << dir.error().text();
  const auto found = kunit_folder(dir->path());
  ASSERT_TRUE(found) << found.error().text();
  const fs::path& folder = *found;
  if (folder.empty()) GTEST_SKIP() << "no kernel tree: run tools/test-kernel, or set BOWSPRIT_TEST_KERNEL";
  ASSERT_TRUE(write_file(dir->path() / "oracle.py", kOracle));
  const std::string command = fmt::format("python3 '{0}/oracle.py' '{1}' '{0}/oracle.json' > '{0}/oracle.log'",
                                          dir->path().string(), folder.string());
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
  const auto oracle_text = read_file(dir->path() / "oracle.json");
  ASSERT_TRUE(oracle_text) << oracle_text.error().text();
  const auto oracle = parse_json(*oracle_text);
  ASSERT_TRUE(oracle) << oracle.error().text();

  std::size_t logs = 0;
  for (const auto& [name, theirs] : oracle->items()) {
    ++logs;
    const auto log = read_file(folder / "test_data" / name);
    ASSERT_TRUE(log) << log.error().text();
    JudgeInput input;
    input.console = ktap::read_console(*log);
    const RunResult result = judge(std::move(input));
    const Counts ours{result.tests.passed, result.tests.failed, result.tests.crashed + result.tests.timed_out,
                      result.tests.skipped, result.tests.missing};
    const Counts expected{theirs.at(0).get<int>(), theirs.at(1).get<int>(), theirs.at(2).get<int>(),
                          theirs.at(3).get<int>(), 0};
    const auto difference = differences().find(name);
    if (difference == differences().end()) {
      EXPECT_EQ(text(ours), text(expected)) << name << ": " << result.summary;
    } else {
      EXPECT_EQ(text(ours), text(difference->second.ours)) << name << ": " << difference->second.reason;
      EXPECT_NE(text(ours), text(expected)) << name << " differs no more: take it off the list";
    }
  }
  EXPECT_GE(logs, 23U);
}

}  // namespace
}  // namespace bowsprit
