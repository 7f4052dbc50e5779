// SPDX-License-Identifier: Apache-2.0
#include "verdict/judge.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/strings.h"
#include "verdict/manifest.h"
#include "verdict/summary.h"

namespace bowsprit {
namespace {

using ktap::Splat;
using ktap::TestNode;
using ktap::TestStatus;

constexpr std::size_t kLogBytes = 16U << 10U;
constexpr std::size_t kFailuresWithLog = 200;

bool counts_against(const Splat& splat, const JudgePolicy& policy) {
  if (splat.kind == Splat::Kind::panic) return true;
  if (policy.harmless_reports.contains(splat.fingerprint)) return false;
  if (policy.provoking_suites.contains(splat.test.substr(0, splat.test.find('.')))) return false;
  if (splat.kind == Splat::Kind::warning) return policy.warnings_fail;
  if (splat.kind == Splat::Kind::lockdep) return policy.lockdep_fails;
  if (splat.kind == Splat::Kind::kmemleak) return policy.kmemleak_fails;
  return true;
}

TestStatus status_after(Splat::Kind kind) {
  switch (kind) {
    case Splat::Kind::panic:
    case Splat::Kind::oops:
    case Splat::Kind::bug: return TestStatus::crashed;
    case Splat::Kind::soft_lockup:
    case Splat::Kind::hung_task: return TestStatus::timed_out;
    case Splat::Kind::warning:
    case Splat::Kind::kasan:
    case Splat::Kind::ubsan:
    case Splat::Kind::kcsan:
    case Splat::Kind::kfence:
    case Splat::Kind::lockdep:
    case Splat::Kind::kmemleak: return TestStatus::failed;
  }
  return TestStatus::failed;
}

/// A test in which the kernel reported a fault did not pass, whatever its own line says.
void mark_test(const Splat& splat, std::vector<TestNode>& suites) {
  const auto path = find_path(suites, splat.test);
  if (path.empty()) return;
  if (is_good(path.back()->status)) path.back()->status = status_after(splat.kind);
  for (TestNode* node : path)
    if (is_good(node->status)) node->status = TestStatus::failed;
}

Diagnostic diagnostic_of(const Splat& splat, const JudgePolicy& policy) {
  Diagnostic diagnostic{Diagnostic::Kind::splat, splat.file, splat.line, 0, splat.title};
  diagnostic.test = splat.test;
  diagnostic.fingerprint = splat.fingerprint;
  diagnostic.counts = counts_against(splat, policy);
  diagnostic.text = splat.text;
  return diagnostic;
}

std::string joined_log(const std::vector<std::string>& lines) {
  std::string log = join(lines, "\n");
  if (log.size() > kLogBytes) log = "[...]\n" + log.substr(log.size() - kLogBytes);
  return printable(log);
}

/// Walks the tree and collects what failed.
class Collector {
 public:
  Collector(RunResult& result, const std::vector<Splat>& splats, const JudgeInput& input)
      : result_(result), splats_(splats), input_(input) {}

  /// True if something in or below `node` is not good.
  bool walk(const TestNode& node, const std::string& path) {
    bool bad_below = false;
    for (const auto& child : node.children) bad_below = walk(child, path + "." + child.name) || bad_below;
    const bool bad = !is_good(node.status);
    if (bad && !bad_below) add_failure(node, path);
    return bad || bad_below;
  }

 private:
  void add_failure(const TestNode& node, const std::string& path) {
    Failure failure{path, node.status};
    const auto splat = std::ranges::find_if(splats_, [&](const Splat& s) { return s.test == path; });
    if (!node.expectations.empty()) {
      const auto& first = node.expectations.front();
      failure.file = first.file;
      failure.line = first.line;
      failure.message = first.message;
      if (node.expectations.size() > 1) {
        failure.message += fmt::format("\nand {} more:", node.expectations.size() - 1);
        for (std::size_t i = 1; i < node.expectations.size(); ++i)
          failure.message += fmt::format(" {}:{}", node.expectations[i].file, node.expectations[i].line);
      }
    } else if (splat != splats_.end()) {
      failure.file = splat->file;
      failure.line = splat->line;
      failure.message = splat->title;
    } else {
      failure.message = reason_without_words(node);
    }
    if (result_.failures.size() < kFailuresWithLog) failure.log = joined_log(node.log);
    result_.failures.push_back(std::move(failure));
  }

  [[nodiscard]] std::string reason_without_words(const TestNode& node) const {
    switch (node.status) {
      case TestStatus::missing: return node.children.empty() ? "announced, but never ran" : "not all of its tests ran";
      case TestStatus::crashed:
        return input_.end == KernelEnd::killed ? "the kernel died of a signal while it ran"
                                               : "started, and gave no result";
      case TestStatus::timed_out:
        return input_.end == KernelEnd::timed_out && input_.time_limit.count() > 0
                   ? fmt::format("did not end within the limit of {} s", input_.time_limit.count())
                   : "did not end in time";
      case TestStatus::failed:
      case TestStatus::passed:
      case TestStatus::skipped:
      case TestStatus::expected_failure: break;
    }
    if (!node.directive.empty()) return node.directive;
    for (auto line = node.log.rbegin(); line != node.log.rend(); ++line)
      if (const auto words = trim(*line); words.starts_with("# ") && words.find("pass:") == std::string_view::npos)
        return printable(words.substr(2));
    return node.children.empty() ? "its result line says not ok" : "says not ok, though all of its tests are good";
  }

  RunResult& result_;
  const std::vector<Splat>& splats_;
  const JudgeInput& input_;
};

void add_document_diagnostics(RunResult& result, const ktap::Document& document, KernelEnd end) {
  const auto add_error = [&](const std::string& message) {
    Diagnostic diagnostic{Diagnostic::Kind::error, {}, 0, 0, message};
    diagnostic.fingerprint = "run|" + message;
    result.diagnostics.push_back(std::move(diagnostic));
  };
  for (const auto& text : document.executor_errors) add_error("kunit executor: " + text);
  // An entry of their own: a run whose failing tests are all known may still not have ended as it should.
  if (end == KernelEnd::timed_out) add_error("the kernel was ended for time");
  if (end == KernelEnd::killed) add_error("the kernel died of a signal");
  if (end == KernelEnd::never_booted) add_error("the kernel could not be started");
  for (const auto& anomaly : document.anomalies) {
    const bool error = anomaly.severity == ktap::Anomaly::Severity::error;
    Diagnostic diagnostic{error ? Diagnostic::Kind::error : Diagnostic::Kind::warning};
    diagnostic.message = fmt::format("KTAP: {} (console line {})", anomaly.message, anomaly.line);
    diagnostic.counts = error;
    diagnostic.fingerprint = "ktap|" + anomaly.message;
    result.diagnostics.push_back(std::move(diagnostic));
  }
}

Verdict verdict_of(const RunResult& result, const JudgeInput& input, const std::vector<Splat>& splats) {
  bool crash = input.end == KernelEnd::killed || input.console.document.bailed_out || result.tests.crashed > 0;
  bool timeout = input.end == KernelEnd::timed_out || result.tests.timed_out > 0;
  bool failure = result.tests.failed > 0;
  for (const auto& splat : splats) {
    if (!counts_against(splat, input.policy)) continue;
    const TestStatus status = status_after(splat.kind);
    crash = crash || status == TestStatus::crashed;
    timeout = timeout || status == TestStatus::timed_out;
    failure = failure || status == TestStatus::failed;
  }
  failure = failure || std::ranges::any_of(result.diagnostics, [](const Diagnostic& d) {
              return d.kind == Diagnostic::Kind::error && d.counts;
            });
  if (input.end == KernelEnd::never_booted) return Verdict::boot_error;
  if (!input.console.document.found_ktap && (crash || timeout)) return Verdict::boot_error;
  if (crash) return Verdict::crashed;
  if (timeout) return Verdict::timed_out;
  const bool ran = result.tests.total > result.tests.missing;
  if (failure && (ran || input.console.document.executor_errors.empty())) return Verdict::failed;
  if (!ran) return Verdict::no_tests;
  return result.tests.missing > 0 ? Verdict::missing_tests : Verdict::passed;
}

}  // namespace

RunResult judge(JudgeInput input) {
  RunResult result;
  auto& [document, splats] = input.console;
  result.suites = std::move(document.suites);
  if (input.manifest) apply_manifest(result.suites, *input.manifest);
  name_by_position(result.suites);
  for (auto& splat : splats) {
    tie_to_running_case(splat, result.suites);
    if (counts_against(splat, input.policy)) mark_test(splat, result.suites);
    result.diagnostics.push_back(diagnostic_of(splat, input.policy));
  }
  add_document_diagnostics(result, document, input.end);
  result.tests = count_tests(result.suites);
  Collector collector(result, splats, input);
  for (const auto& suite : result.suites) collector.walk(suite, suite.name);
  result.verdict = verdict_of(result, input, splats);
  result.summary = summary_of(result);
  return result;
}

}  // namespace bowsprit
