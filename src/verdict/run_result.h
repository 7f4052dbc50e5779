// SPDX-License-Identifier: Apache-2.0
/// The outcome of one run: the model behind result.json, junit_kunit.xml, kcidb.json, the page and the Gerrit message.
/// One model, many writers. Shape and words are the contract of the project (docs/result.md).
///
/// Does not: read files or format anything.
/// Threads: plain values.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ktap/result_tree.h"

namespace bowsprit {

enum class Verdict {
  passed,
  no_new_failures,  ///< something failed, and all of it fails on the base too or is flaky
  failed,
  crashed,
  timed_out,
  missing_tests,
  no_tests,
  config_error,
  build_error,
  boot_error,
  merge_conflict,
  infra_error,
  aborted,
};
std::string_view to_string(Verdict verdict);
std::optional<Verdict> verdict_from_string(std::string_view text);

/// 0 passed, no_new_failures; 3 infra_error, aborted; 1 else.
int exit_code(Verdict verdict);
/// +1, -1, or 0 where nobody may be blamed (infra_error, aborted).
int vote(Verdict verdict);

enum class Origin { new_failure, also_on_base, flaky, unknown };
std::string_view to_string(Origin origin);  ///< "new", "also_on_base", ...
std::optional<Origin> origin_from_string(std::string_view text);

struct Failure {
  std::string test;  ///< "suite.case" or "suite.case.param"
  ktap::TestStatus status = ktap::TestStatus::failed;
  Origin origin = Origin::unknown;
  std::string file;  ///< path in the tree; empty: not known
  int line = 0;
  std::string message;
  std::string log;
  std::vector<std::string> variants = {};  ///< of a run of several kernels: in which of them
  std::string source = {};                 ///< text of that line in the tree that was judged; empty: not known
};

struct Diagnostic {
  enum class Kind { warning, error, splat, config } kind = Kind::error;
  std::string file;
  int line = 0;
  int column = 0;
  std::string message;
  std::string test;         ///< of a splat: "suite.case" that ran, or empty
  std::string fingerprint;  ///< of a splat: equal for the same fault in two runs
  bool counts = true;       ///< of a splat: speaks against passing, by the job's policy
  Origin origin = Origin::unknown;
  std::string text;                        ///< of a splat: the whole report, capped
  std::vector<std::string> variants = {};  ///< as in Failure
  std::string source = {};                 ///< text of that line in the tree that was judged; empty: not known
};
std::string_view to_string(Diagnostic::Kind kind);

struct TestCounts {
  int total = 0;
  int passed = 0;  ///< expected failures count here
  int failed = 0;
  int crashed = 0;
  int timed_out = 0;
  int skipped = 0;
  int missing = 0;
};

struct Phase {
  std::string name;  ///< source configure build boot base report
  double seconds = 0;
};

/// One of the kernels of a run: an architecture with sanitizers.
struct VariantResult {
  std::string name;  ///< "um+kasan"
  Verdict verdict = Verdict::infra_error;
  std::string summary;
  TestCounts tests;
};

struct RunResult {
  Verdict verdict = Verdict::infra_error;
  std::string summary;  ///< one line, for people
  TestCounts tests;     ///< of leaves (cases, parameters); a suite without cases counts as one
  std::vector<Failure> failures;
  std::vector<Diagnostic> diagnostics;
  std::vector<ktap::TestNode> suites;
  std::vector<Phase> phases;
  std::string reproduce;
  std::vector<VariantResult> variants = {};  ///< of a run of several kernels; this is then what they say together
};

/// Leaves of the tree by status; a suite or case that failed by itself, with all its children good, counts as one more.
TestCounts count_tests(const std::vector<ktap::TestNode>& suites);

}  // namespace bowsprit
