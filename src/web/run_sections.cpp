// SPDX-License-Identifier: Apache-2.0
#include "web/run_sections.h"

#include "web/history_view.h"
#include "web/layout.h"

namespace bowsprit::web {
namespace {

using ktap::TestNode;
using ktap::TestStatus;

constexpr std::size_t kMaxFailures = 100;
constexpr std::size_t kMaxDiagnostics = 100;
constexpr std::size_t kMaxExcerpt = 6000;  ///< bytes of one log on the page; the whole is an artifact
constexpr int kMaxTreeNodes = 2000;

std::string words(std::string_view status) { return replace_all(std::string(status), "_", " "); }

Markup place(const store::Run& run, const std::string& file, int line) {
  if (file.empty()) return {};
  return markup("<a class=\"place\" href=\"{}\">{}{}</a>", safe_url(gerrit_line_url(run, file, line)), file,
                line > 0 ? fmt::format(":{}", line) : "");
}

Markup origin_chip(Origin origin) {
  switch (origin) {
    case Origin::new_failure: return chip("bad", "new in this change");
    case Origin::also_on_base: return chip("calm", "also on the base");
    case Origin::flaky: return chip("warn", "flaky");
    case Origin::unknown: return {};
  }
  return {};
}

std::string_view kind_words(Diagnostic::Kind kind) {
  switch (kind) {
    case Diagnostic::Kind::warning: return "warning";
    case Diagnostic::Kind::error: return "error";
    case Diagnostic::Kind::splat: return "kernel report";
    case Diagnostic::Kind::config: return "configuration";
  }
  return "error";
}

/// Text from a job, cut to what a page should carry.
Markup excerpt(std::string_view text) {
  const std::string_view trimmed = trim(text);
  if (trimmed.size() <= kMaxExcerpt) return markup("{}", trimmed);
  return markup("{}\n[{} more bytes]", shorten(trimmed, kMaxExcerpt), trimmed.size() - kMaxExcerpt);
}

Markup left_out(std::size_t all, std::size_t shown, std::string_view what) {
  if (all <= shown) return {};
  return markup("<p class=\"note\">{} more {} in <code>result.json</code>.</p>\n", all - shown, what);
}

Markup variant_marks(const std::vector<std::string>& variants) {
  return variants.empty() ? Markup{} : markup("<span>on {}</span>", join(variants, ", "));
}

}  // namespace

Markup failures_section(const store::Run& run, const std::vector<Failure>& failures) {
  if (failures.empty()) return {};
  Markup cards;
  std::size_t number = 0;
  for (const auto& failure : failures) {
    if (++number > kMaxFailures) break;
    Markup body;
    if (!trim(failure.message).empty()) body += markup("<pre class=\"message\">{}</pre>\n", excerpt(failure.message));
    // Where the message is all that the log says, a second copy of it helps nobody.
    if (const auto log = trim(failure.log); !log.empty() && log != trim(failure.message))
      body += markup("<details><summary>Console of this test</summary><pre>{}</pre></details>\n", excerpt(log));
    cards += markup(
        "<article class=\"failure\" id=\"failure-{}\"><h3><a href=\"#failure-{}\">{}</a></h3>\n"
        "<p class=\"marks\">{}{}{}{} <a href=\"{}\">its history</a></p>\n{}</article>\n",
        number, number, failure.test, chip("bad", words(ktap::to_string(failure.status))), origin_chip(failure.origin),
        variant_marks(failure.variants), place(run, failure.file, failure.line), test_url(failure.test, run.job), body);
  }
  return markup("<section><h2>Failures</h2>\n{}{}</section>\n", cards,
                left_out(failures.size(), kMaxFailures, "failures"));
}

Markup diagnostics_section(const store::Run& run, const std::vector<Diagnostic>& diagnostics) {
  Markup problems;
  Markup warnings;
  std::size_t shown = 0;
  std::size_t warning_count = 0;
  for (const auto& diagnostic : diagnostics) {
    if (++shown > kMaxDiagnostics) break;
    const bool mild = diagnostic.kind == Diagnostic::Kind::warning || !diagnostic.counts;
    Markup body = markup("<pre class=\"message\">{}</pre>", excerpt(diagnostic.message));
    if (const auto text = trim(diagnostic.text); !text.empty() && text != trim(diagnostic.message))
      body += markup("<details><summary>The whole report</summary><pre>{}</pre></details>", excerpt(text));
    const Markup entry = markup("<li><p class=\"marks\">{}{}{}{}{}</p>{}</li>\n",
                                chip(mild ? "warn" : "bad", kind_words(diagnostic.kind)),
                                origin_chip(diagnostic.origin), variant_marks(diagnostic.variants),
                                diagnostic.test.empty() ? Markup{} : markup("<span>in {}</span>", diagnostic.test),
                                place(run, diagnostic.file, diagnostic.line), body);
    if (mild) ++warning_count;
    (mild ? warnings : problems) += entry;
  }
  Markup out;
  if (!problems.empty())
    out += markup("<section><h2>Problems</h2>\n<ul class=\"problems\">\n{}</ul></section>\n", problems);
  if (!warnings.empty())
    out += markup(
        "<section><details><summary><h2>Warnings ({})</h2></summary>\n<ul class=\"problems\">\n{}</ul></details>"
        "</section>\n",
        warning_count, warnings);
  return out += left_out(diagnostics.size(), kMaxDiagnostics, "messages");
}

Markup reproduce_section(const std::string& command) {
  if (trim(command).empty()) return {};
  return markup("<section><h2>See it at home</h2>\n<pre class=\"command\" data-copy><code>{}</code></pre></section>\n",
                trim(command));
}

Markup phases_section(const std::vector<Phase>& phases) {
  double total = 0;
  for (const auto& phase : phases) total += std::max(0.0, phase.seconds);
  if (total <= 0) return {};
  Markup bars;
  Markup names;
  double at = 0;
  int number = 0;
  for (const auto& phase : phases) {
    const double width = 1000 * std::max(0.0, phase.seconds) / total;
    const int colour = number++ % 6;
    bars += markup("<rect class=\"p{}\" x=\"{:.1f}\" y=\"0\" width=\"{:.1f}\" height=\"10\"/>", colour, at, width);
    names += markup(
        "<li><svg class=\"key\" viewBox=\"0 0 10 10\" aria-hidden=\"true\"><rect class=\"p{}\" width=\"10\" "
        "height=\"10\"/></svg>{} <span>{}</span></li>",
        colour, phase.name, human_seconds(phase.seconds));
    at += width;
  }
  return markup(
      "<section><h2>Phases</h2>\n<svg class=\"timeline\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" "
      "aria-hidden=\"true\">{}</svg>\n<ol class=\"phases\">{}</ol></section>\n",
      bars, names);
}

namespace {

struct Tally {
  int good = 0;
  int bad = 0;
  int skipped = 0;
};

void count_leaves(const TestNode& node, Tally& tally) {
  for (const auto& child : node.children) count_leaves(child, tally);
  if (!node.children.empty()) return;
  if (node.status == TestStatus::skipped)
    ++tally.skipped;
  else
    ++(ktap::is_good(node.status) ? tally.good : tally.bad);
}

std::string tally_text(const Tally& tally) {
  std::vector<std::string> parts;
  if (tally.bad > 0) parts.push_back(fmt::format("{} bad", tally.bad));
  if (tally.good > 0) parts.push_back(fmt::format("{} passed", tally.good));
  if (tally.skipped > 0) parts.push_back(fmt::format("{} skipped", tally.skipped));
  return join(parts, ", ");
}

Markup tree_node(const TestNode& node, int& budget, int depth) {
  --budget;
  const Tone tone = tone_of(node.status);
  Markup more;
  if (node.seconds) more += markup(" <span class=\"took\">{}</span>", human_seconds(*node.seconds));
  if (!node.directive.empty()) more += markup(" <span class=\"why\">{}</span>", node.directive);
  const Markup line = markup(
      "<span class=\"sign\" aria-hidden=\"true\">{}</span> <span class=\"name\">{}</span>"
      "<span class=\"status\">{}</span>{}",
      tone.sign, node.name, words(ktap::to_string(node.status)), more);
  if (node.children.empty() || depth > 8) return markup("<li class=\"{}\">{}</li>\n", tone.name, line);
  Tally tally;
  count_leaves(node, tally);
  const bool bad = tally.bad > 0 || !ktap::is_good(node.status);
  const Markup counts = markup(" <span class=\"tally\">{}</span>", tally_text(tally));
  if (budget <= 0 && !bad) return markup("<li class=\"{}\">{}{}</li>\n", tone.name, line, counts);
  Markup children;
  for (const auto& child : node.children) {
    if (budget < -kMaxTreeNodes) break;
    children += tree_node(child, budget, depth + 1);
  }
  if (bad)
    return markup("<li class=\"{}\"><details open><summary>{}{}</summary><ul>\n{}</ul></details></li>\n", tone.name,
                  line, counts, children);
  return markup("<li class=\"{}\"><details><summary>{}{}</summary><ul>\n{}</ul></details></li>\n", tone.name, line,
                counts, children);
}

}  // namespace

Markup tests_section(const std::vector<TestNode>& suites) {
  if (suites.empty()) return {};
  Markup tree;
  int budget = kMaxTreeNodes;
  Tally all;
  for (const auto& suite : suites) {
    count_leaves(suite, all);
    if (budget > -kMaxTreeNodes) tree += tree_node(suite, budget, 0);
  }
  Markup cut;
  if (budget <= 0)
    cut =
        markup("<p class=\"note\">There are more tests than a page can hold; <code>result.json</code> has all.</p>\n");
  return markup("<section><h2>Tests <span class=\"tally\">{}</span></h2>\n<ul class=\"tree\">\n{}</ul>{}</section>\n",
                tally_text(all), tree, cut);
}

Markup log_section(const RunView& view) {
  if (!view.has_log) return {};
  const bool live = !sched::is_final(view.run.state);
  // data-log tells the script where to go on; without it the whole page loads again.
  return markup(
      "<section><h2>Log <a class=\"more\" href=\"/run/{}/log\">all of it, {}</a></h2>\n"
      "<pre class=\"log\" tabindex=\"0\" aria-label=\"End of the log\" data-log=\"{}\" "
      "data-size=\"{}\">{}</pre></section>\n",
      view.run.id, human_size(view.log_size), live ? fmt::format("/run/{}/log", view.run.id) : "", view.log_size,
      view.log_tail);
}

Markup artifacts_section(const RunView& view) {
  if (view.artifacts.empty() && view.artifacts_problem.empty()) return {};
  Markup rows;
  for (const auto& object : view.artifacts) {
    rows += markup("<li><a href=\"{}\">{}</a> <span>{}</span></li>\n", file_url(view.run.id, object.name), object.name,
                   human_size(object.size));
  }
  Markup note;
  if (view.more_artifacts) note += markup("<p class=\"note\">There are more; the artifact store has all.</p>\n");
  if (!view.artifacts_problem.empty())
    note += markup("<p class=\"note\">They can't be listed now: {}.</p>\n", view.artifacts_problem);
  return markup("<section><h2>Artifacts</h2>\n<ul class=\"artifacts\">\n{}</ul>{}</section>\n", rows, note);
}

}  // namespace bowsprit::web
