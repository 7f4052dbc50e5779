// SPDX-License-Identifier: Apache-2.0
#include "artifact/junit.h"

#include <fmt/core.h>

#include <algorithm>

#include "artifact/leaves.h"
#include "base/strings.h"

namespace bowsprit::artifact {
namespace {

using ktap::TestStatus;

/// Text as XML 1.0 may hold it: printable() leaves tab and newline as the only controls, then U+FFFE and U+FFFF go too.
std::string xml_text(std::string_view text) {
  std::string out = html_escape(printable(text));
  for (const std::string_view banned : {"\xEF\xBF\xBE", "\xEF\xBF\xBF"})
    out = replace_all(std::move(out), banned, "\xEF\xBF\xBD");
  return out;
}

/// The same for an attribute, where a reader would turn a bare newline into a blank.
std::string xml_attribute(std::string_view text) {
  return replace_all(replace_all(xml_text(text), "\n", "&#10;"), "\t", "&#9;");
}

struct Case {
  std::string classname;
  std::string name;
  double seconds = 0;
  TestStatus status = TestStatus::passed;
  std::string message;
  std::string body;
};

/// <failure> is what the test said, <error> what ended it before it could say.
std::string_view element_of(TestStatus status) {
  return status == TestStatus::crashed || status == TestStatus::timed_out ? "error" : "failure";
}

/// Times have milliseconds and no more: Jenkins' schema (xunit-plugin, junit-10.xsd) refuses longer fractions.
void write_suite(std::string& out, const std::string& name, const std::vector<Case>& cases) {
  int failures = 0;
  int errors = 0;
  int skipped = 0;
  double seconds = 0;
  for (const auto& test : cases) {
    seconds += test.seconds;
    if (test.status == TestStatus::skipped) ++skipped;
    if (!is_good(test.status)) ++(element_of(test.status) == "error" ? errors : failures);
  }
  out += fmt::format(R"(  <testsuite name="{}" tests="{}" failures="{}" errors="{}" skipped="{}" time="{:.3f}">)",
                     xml_attribute(name), cases.size(), failures, errors, skipped, seconds);
  out += '\n';
  for (const auto& test : cases) {
    out += fmt::format(R"(    <testcase classname="{}" name="{}" time="{:.3f}")", xml_attribute(test.classname),
                       xml_attribute(test.name), test.seconds);
    if (test.status == TestStatus::skipped) {
      out += fmt::format(">\n      <skipped message=\"{}\"/>\n    </testcase>\n", xml_attribute(test.message));
    } else if (!is_good(test.status)) {
      const std::string_view element = element_of(test.status);
      out += fmt::format(">\n      <{} type=\"{}\" message=\"{}\">{}</{}>\n    </testcase>\n", element,
                         to_string(test.status), xml_attribute(test.message), xml_text(test.body), element);
    } else {
      out += "/>\n";
    }
  }
  out += "  </testsuite>\n";
}

Case case_of(const Leaf& leaf) {
  Case out{leaf.suite, leaf.name, leaf.node->seconds.value_or(0), leaf.node->status, leaf.node->directive, {}};
  if (leaf.failure == nullptr) return out;
  const Failure& failure = *leaf.failure;
  const std::string place = failure.file.empty() ? "" : fmt::format("{}:{}", failure.file, failure.line);
  out.message = failure.message.substr(0, failure.message.find('\n'));
  if (!place.empty()) out.message += fmt::format(" ({})", place);
  if (!failure.variants.empty()) out.body += fmt::format("variant: {}\n", join(failure.variants, ", "));
  if (failure.origin != Origin::unknown) out.body += fmt::format("origin: {}\n", to_string(failure.origin));
  if (!place.empty()) out.body += place + "\n";
  out.body += failure.message + "\n";
  if (!failure.log.empty()) out.body += "\n" + failure.log + "\n";
  return out;
}

/// A case for what has no test, so that it is seen.
Case case_of(const Diagnostic& fault) {
  const bool splat = fault.kind == Diagnostic::Kind::splat;
  const std::string place = fault.file.empty() ? "" : fmt::format("{}:{}: ", fault.file, fault.line);
  return {"bowsprit",
          splat ? "kernel console" : std::string(to_string(fault.kind)),
          0,
          TestStatus::crashed,
          shorten(place + fault.message, 300),
          place + fault.message + "\n" + fault.text};
}

}  // namespace

std::string junit_xml(const RunResult& result, const std::string& name) {
  std::string body;
  const std::vector<Leaf> leaves = leaves_of(result);
  for (std::size_t i = 0; i < leaves.size();) {
    std::vector<Case> cases;
    const std::string& suite = leaves[i].suite;
    for (; i < leaves.size() && leaves[i].suite == suite; ++i) cases.push_back(case_of(leaves[i]));
    write_suite(body, suite, cases);
  }
  const Faults faults = faults_without_test(result);
  std::vector<Case> cases;
  for (const auto* fault : faults.diagnostics) cases.push_back(case_of(*fault));
  if (faults.summary_tells)
    cases.push_back(
        {"bowsprit", std::string(to_string(result.verdict)), 0, TestStatus::crashed, result.summary, result.summary});
  if (!cases.empty()) write_suite(body, "bowsprit", cases);

  const TestCounts& tests = result.tests;
  const auto extra = static_cast<int>(cases.size());
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuites name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\">\n{}</testsuites>\n",
      xml_attribute(name), tests.total + extra, tests.failed + tests.missing, tests.crashed + tests.timed_out + extra,
      body);
}

}  // namespace bowsprit::artifact
