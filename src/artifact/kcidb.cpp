// SPDX-License-Identifier: Apache-2.0
#include "artifact/kcidb.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "artifact/leaves.h"
#include "base/json.h"
#include "base/strings.h"

namespace bowsprit::artifact {
namespace {

using ktap::TestStatus;

constexpr std::size_t kExcerptBytes = 16384;

/// KCIDB's words: FAIL and ERROR speak of the code and of the test, MISS of the harness.
std::string_view kcidb_status(TestStatus status) {
  switch (status) {
    case TestStatus::passed:
    case TestStatus::expected_failure: return "PASS";
    case TestStatus::failed:
    case TestStatus::crashed: return "FAIL";
    case TestStatus::timed_out: return "ERROR";
    case TestStatus::skipped: return "SKIP";
    case TestStatus::missing: return "MISS";
  }
  return "ERROR";
}

std::optional<std::string_view> build_status(Verdict verdict) {
  switch (verdict) {
    case Verdict::passed:
    case Verdict::no_new_failures:
    case Verdict::failed:
    case Verdict::crashed:
    case Verdict::timed_out:
    case Verdict::missing_tests:
    case Verdict::no_tests:
    case Verdict::boot_error: return "PASS";
    case Verdict::config_error:
    case Verdict::build_error: return "FAIL";
    case Verdict::infra_error: return "MISS";
    case Verdict::merge_conflict:
    case Verdict::aborted: break;
  }
  return std::nullopt;
}

bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; }

/// A part of a path; the schema allows letters, digits, '_' and '-'.
std::string path_part(std::string_view name) {
  std::string out;
  for (const char c : name) out += is_word(static_cast<char>(c | 0x20)) || is_word(c) || c == '-' ? c : '_';
  return out.empty() ? "_" : out;
}

std::string excerpt(std::string_view text) {
  std::string out = printable(text);
  if (out.size() > kExcerptBytes) out = shorten(out.substr(0, kExcerptBytes), kExcerptBytes);
  return out;
}

std::string without_zero(std::string_view text) { return printable(text); }

bool is_commit(std::string_view text) {
  return text.size() == 40 &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

void set(Json& object, const char* key, std::string_view value) {
  if (!value.empty()) object[key] = without_zero(value);
}

double seconds_of(const RunResult& result, std::string_view phase) {
  for (const auto& entry : result.phases)
    if (entry.name == phase) return entry.seconds;
  return 0;
}

std::string build_excerpt(const RunResult& result) {
  std::string out;
  for (const auto& diagnostic : result.diagnostics) {
    if (diagnostic.kind != Diagnostic::Kind::error && diagnostic.kind != Diagnostic::Kind::config) continue;
    if (!diagnostic.file.empty()) out += fmt::format("{}:{}: ", diagnostic.file, diagnostic.line);
    out += diagnostic.message + "\n";
  }
  return excerpt(out);
}

Json test_json(const std::string& id, const std::string& build, const std::string& origin, std::string path,
               std::string_view status) {
  return {{"id", id}, {"build_id", build}, {"origin", origin}, {"path", std::move(path)}, {"status", status}};
}

/// `variant`: what tells its build from the others of one checkout; empty: there is only one.
Json report_of(const RunResult& result, const KcidbInfo& info, const std::string& variant) {
  std::string origin;
  for (const char c : info.origin) origin += is_word(c) ? c : '_';
  const std::string id = fmt::format("{}:{}", origin, without_zero(info.run_id));

  Json checkout{{"id", id}, {"origin", origin}};
  set(checkout, "git_repository_url", info.repository_url);
  set(checkout, "git_repository_branch", info.branch);
  if (is_commit(info.commit)) checkout["git_commit_hash"] = info.commit;
  if (info.start) checkout["start_time"] = rfc3339(*info.start);
  checkout["valid"] = result.verdict != Verdict::merge_conflict;
  if (result.verdict == Verdict::merge_conflict) checkout["valid"] = false;

  const std::string build_id = variant.empty() ? id : fmt::format("{}/{}", id, without_zero(variant));
  Json build{{"id", build_id}, {"checkout_id", id}, {"origin", origin}};
  set(build, "architecture", path_part(info.architecture));
  set(build, "compiler", info.compiler);
  set(build, "config_name", info.config_name);
  set(build, "log_url", info.log_url);
  if (info.start) build["start_time"] = rfc3339(*info.start);
  if (const double seconds = seconds_of(result, "build"); seconds > 0) build["duration"] = seconds;
  if (const auto status = build_status(result.verdict)) build["status"] = *status;
  if (json_string(build, "status") == "FAIL") set(build, "log_excerpt", build_excerpt(result));
  build["misc"] = {{"verdict", to_string(result.verdict)}, {"summary", result.summary}};

  Json tests = Json::array();
  std::map<std::string, int> used;  // two suites of one name are two documents of one console
  const auto unique_id = [&](const std::string& path) {
    const int nth = ++used[path];
    return nth == 1 ? fmt::format("{}/{}", build_id, path) : fmt::format("{}/{}#{}", build_id, path, nth);
  };
  for (const auto& leaf : leaves_of(result)) {
    const std::string path =
        fmt::format("kunit.{}{}", path_part(leaf.suite), leaf.name == leaf.suite ? "" : "." + path_part(leaf.name));
    Json test = test_json(unique_id(without_zero(leaf.path)), build_id, origin, path, kcidb_status(leaf.node->status));
    set(test, "comment", leaf.path);
    if (leaf.node->seconds) test["duration"] = *leaf.node->seconds;
    set(test, "log_url", info.log_url);
    if (leaf.failure != nullptr) {
      const Failure& failure = *leaf.failure;
      set(test, "log_excerpt", excerpt(failure.message + "\n" + failure.log));
      test["misc"] = {{"bowsprit_status", to_string(failure.status)},
                      {"bowsprit_origin", to_string(failure.origin)},
                      {"file", failure.file},
                      {"line", failure.line}};
    }
    tests.push_back(std::move(test));
  }
  const Faults faults = faults_without_test(result);
  if (build_status(result.verdict) == "PASS") {
    for (const auto* fault : faults.diagnostics) {
      Json test = test_json(unique_id("boot"), build_id, origin, "boot", "FAIL");
      set(test, "comment", fault->message);
      set(test, "log_excerpt", excerpt(fault->text));
      tests.push_back(std::move(test));
    }
    if (faults.summary_tells) {
      Json test = test_json(unique_id("boot"), build_id, origin, "boot", "FAIL");
      set(test, "comment", result.summary);
      tests.push_back(std::move(test));
    }
  }
  Json report{{"version", {{"major", 5}, {"minor", 3}}}};
  report["checkouts"] = Json::array({std::move(checkout)});
  if (result.verdict != Verdict::merge_conflict) {
    report["builds"] = Json::array({std::move(build)});
    if (!tests.empty()) report["tests"] = std::move(tests);
  }
  return report;
}

}  // namespace

std::string kcidb_json(const RunResult& result, const KcidbInfo& info) {
  return dump_json(report_of(result, info, ""), 2) + "\n";
}

std::string kcidb_json(const std::vector<VariantRun>& runs, const KcidbInfo& info) {
  Json joined;
  for (const auto& run : runs) {
    const auto plus = std::min(run.name.find('+'), run.name.size());
    KcidbInfo own = info;
    own.architecture = run.name.substr(0, plus);
    own.config_name = info.config_name + run.name.substr(plus);
    Json report = report_of(run.result, own, run.name);
    if (joined.is_null()) {
      joined = std::move(report);
      continue;
    }
    for (const char* list : {"builds", "tests"}) {
      for (const auto& entry : json_get(report, list)) joined[list].push_back(entry);
    }
  }
  return dump_json(joined, 2) + "\n";
}

}  // namespace bowsprit::artifact
