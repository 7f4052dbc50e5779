// SPDX-License-Identifier: Apache-2.0
#include "artifact/result_json.h"

#include <algorithm>
#include <limits>

#include "base/strings.h"

namespace bowsprit::artifact {
namespace {

using ktap::TestNode;
using ktap::TestStatus;

constexpr std::string_view kSchema = "bowsprit/result/1";
constexpr std::size_t kMaxEntries = 200'000;  // of each list
constexpr int kMaxDepth = 16;
constexpr std::size_t kMaxVariants = 100;
constexpr std::size_t kMaxText = 64U << 10U;

Json node_to_json(const TestNode& node) {
  Json out{{"name", node.name}, {"status", to_string(node.status)}};
  if (node.seconds) out["seconds"] = *node.seconds;
  if (!node.directive.empty()) out["directive"] = node.directive;
  if (!node.module.empty()) out["module"] = node.module;
  if (!node.children.empty()) {
    Json& cases = out["cases"] = Json::array();
    for (const auto& child : node.children) cases.push_back(node_to_json(child));
  }
  return out;
}

Json diagnostic_to_json(const Diagnostic& diagnostic) {
  Json out{{"kind", to_string(diagnostic.kind)},
           {"file", diagnostic.file},
           {"line", diagnostic.line},
           {"message", diagnostic.message}};
  if (diagnostic.column > 0) out["column"] = diagnostic.column;
  if (!diagnostic.test.empty()) out["test"] = diagnostic.test;
  if (!diagnostic.fingerprint.empty()) out["fingerprint"] = diagnostic.fingerprint;
  if (!diagnostic.counts) out["counts"] = false;
  if (diagnostic.origin != Origin::unknown) out["origin"] = to_string(diagnostic.origin);
  if (!diagnostic.text.empty()) out["text"] = diagnostic.text;
  if (!diagnostic.variants.empty()) out["variants"] = diagnostic.variants;
  if (!diagnostic.source.empty()) out["source"] = diagnostic.source;
  return out;
}

Json counts_to_json(const TestCounts& tests) {
  return {{"total", tests.total},     {"passed", tests.passed},       {"failed", tests.failed},
          {"crashed", tests.crashed}, {"timed_out", tests.timed_out}, {"skipped", tests.skipped},
          {"missing", tests.missing}};
}

std::string text_of(const Json& object, std::string_view key) { return shorten(json_string(object, key), kMaxText); }

int int_of(const Json& object, std::string_view key) {
  return static_cast<int>(std::clamp<std::int64_t>(json_int(object, key), 0, std::numeric_limits<int>::max()));
}

/// The objects of the array `key`, at most kMaxEntries of them.
template <class Take>
void each(const Json& object, std::string_view key, Take&& take) {
  const Json& list = json_get(object, key);
  if (!list.is_array()) return;
  std::size_t count = 0;
  for (const auto& entry : list)
    if (entry.is_object() && ++count <= kMaxEntries) take(entry);
}

std::vector<std::string> variants_of(const Json& object) {
  std::vector<std::string> out;
  const Json& list = json_get(object, "variants");
  if (!list.is_array()) return out;
  for (const auto& entry : list)
    if (entry.is_string() && out.size() < kMaxVariants)
      out.push_back(shorten(entry.get_ref<const std::string&>(), kMaxText));
  return out;
}

TestCounts counts_from_json(const Json& tests) {
  return {int_of(tests, "total"),     int_of(tests, "passed"),  int_of(tests, "failed"), int_of(tests, "crashed"),
          int_of(tests, "timed_out"), int_of(tests, "skipped"), int_of(tests, "missing")};
}

TestNode node_from_json(const Json& object, int depth, std::size_t& left) {
  TestNode node;
  node.name = text_of(object, "name");
  // A word of a later version must not look good here.
  node.status = ktap::test_status_from_string(json_string(object, "status")).value_or(TestStatus::failed);
  node.directive = text_of(object, "directive");
  node.module = text_of(object, "module");
  if (json_get(object, "seconds").is_number()) node.seconds = json_double(object, "seconds");
  if (depth >= kMaxDepth) return node;
  each(object, "cases", [&](const Json& child) {
    if (left > 0) node.children.push_back(node_from_json(child, depth + 1, --left));
  });
  return node;
}

Diagnostic diagnostic_from_json(const Json& object) {
  Diagnostic out;
  const std::string kind = json_string(object, "kind");
  for (const auto known :
       {Diagnostic::Kind::warning, Diagnostic::Kind::error, Diagnostic::Kind::splat, Diagnostic::Kind::config})
    if (to_string(known) == kind) out.kind = known;
  out.file = text_of(object, "file");
  out.line = int_of(object, "line");
  out.column = int_of(object, "column");
  out.message = text_of(object, "message");
  out.test = text_of(object, "test");
  out.fingerprint = text_of(object, "fingerprint");
  out.counts = json_bool(object, "counts", true);
  out.origin = origin_from_string(json_string(object, "origin")).value_or(Origin::unknown);
  out.text = text_of(object, "text");
  out.variants = variants_of(object);
  out.source = text_of(object, "source");
  return out;
}

}  // namespace

Json result_to_json(const RunResult& result) {
  Json out{{"schema", kSchema},
           {"verdict", to_string(result.verdict)},
           {"vote", vote(result.verdict)},
           {"summary", result.summary},
           {"tests", counts_to_json(result.tests)}};
  Json& failures = out["failures"] = Json::array();
  for (const auto& failure : result.failures) {
    failures.push_back({{"test", failure.test},
                        {"status", to_string(failure.status)},
                        {"origin", to_string(failure.origin)},
                        {"file", failure.file},
                        {"line", failure.line},
                        {"message", failure.message},
                        {"log", failure.log}});
    if (!failure.variants.empty()) failures.back()["variants"] = failure.variants;
    if (!failure.source.empty()) failures.back()["source"] = failure.source;
  }
  Json& diagnostics = out["diagnostics"] = Json::array();
  for (const auto& diagnostic : result.diagnostics) diagnostics.push_back(diagnostic_to_json(diagnostic));
  Json& suites = out["suites"] = Json::array();
  for (const auto& suite : result.suites) suites.push_back(node_to_json(suite));
  if (!result.phases.empty()) {
    Json& phases = out["phases"] = Json::array();
    for (const auto& phase : result.phases) phases.push_back({{"name", phase.name}, {"seconds", phase.seconds}});
  }
  if (!result.reproduce.empty()) out["reproduce"] = result.reproduce;
  for (const auto& variant : result.variants)
    out["variants"].push_back({{"name", variant.name},
                               {"verdict", to_string(variant.verdict)},
                               {"summary", variant.summary},
                               {"tests", counts_to_json(variant.tests)}});
  return out;
}

std::string result_json(const RunResult& result) { return dump_json(result_to_json(result), 2) + "\n"; }

Result<RunResult> read_result_json(std::string_view text) {
  if (text.size() > kMaxResultBytes)
    return fail(ErrorKind::bad_data, "read result.json: {} bytes, more than the limit of {}", text.size(),
                kMaxResultBytes);
  TRY_ASSIGN(const Json json, parse_json(text));
  if (const auto schema = json_string(json, "schema"); schema != kSchema)
    return fail(ErrorKind::bad_data, "read result.json: schema is '{}', expected '{}'", shorten(schema, 60), kSchema);
  const auto verdict = verdict_from_string(json_string(json, "verdict"));
  if (!verdict)
    return fail(ErrorKind::bad_data, "read result.json: unknown verdict '{}'",
                shorten(json_string(json, "verdict"), 60));
  RunResult result;
  result.verdict = *verdict;
  result.summary = shorten(printable(json_string(json, "summary")), 2000);
  result.tests = counts_from_json(json_get(json, "tests"));
  each(json, "failures", [&](const Json& entry) {
    Failure failure;
    failure.test = text_of(entry, "test");
    failure.status = ktap::test_status_from_string(json_string(entry, "status")).value_or(TestStatus::failed);
    failure.origin = origin_from_string(json_string(entry, "origin")).value_or(Origin::unknown);
    failure.file = text_of(entry, "file");
    failure.line = int_of(entry, "line");
    failure.message = text_of(entry, "message");
    failure.log = text_of(entry, "log");
    failure.variants = variants_of(entry);
    failure.source = text_of(entry, "source");
    result.failures.push_back(std::move(failure));
  });
  each(json, "diagnostics", [&](const Json& entry) { result.diagnostics.push_back(diagnostic_from_json(entry)); });
  std::size_t left = kMaxEntries;
  each(json, "suites", [&](const Json& entry) {
    if (left > 0) result.suites.push_back(node_from_json(entry, 0, --left));
  });
  each(json, "phases",
       [&](const Json& entry) { result.phases.push_back({text_of(entry, "name"), json_double(entry, "seconds")}); });
  result.reproduce = text_of(json, "reproduce");
  each(json, "variants", [&](const Json& entry) {
    if (result.variants.size() < kMaxVariants)
      result.variants.push_back({text_of(entry, "name"),
                                 verdict_from_string(json_string(entry, "verdict")).value_or(Verdict::infra_error),
                                 text_of(entry, "summary"), counts_from_json(json_get(entry, "tests"))});
  });
  return result;
}

}  // namespace bowsprit::artifact
