// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/strings.h"
#include "web/history_view.h"
#include "web/layout.h"

namespace bowsprit::web {
namespace {

using store::TestOutcome;

constexpr int kBarWidth = 10;
constexpr int kRateWindow = 10;  ///< runs over which the rate's line is drawn

/// How an outcome looks; the sign tells it without the colour.
struct Look {
  std::string_view tone;
  std::string_view sign;
  std::string_view words;
};
Look look_of(const TestOutcome& outcome) {
  if (outcome.origin == Origin::flaky) return {"warn", "~", "flaky"};
  if (!is_good(outcome.status) && outcome.origin == Origin::also_on_base) return {"calm", "b", "fails on the base too"};
  const Tone tone = tone_of(outcome.status);
  switch (outcome.status) {
    case ktap::TestStatus::passed: return {tone.name, tone.sign, "passed"};
    case ktap::TestStatus::expected_failure: return {tone.name, tone.sign, "failed as expected"};
    case ktap::TestStatus::skipped: return {tone.name, tone.sign, "skipped"};
    case ktap::TestStatus::failed: return {tone.name, tone.sign, "failed"};
    case ktap::TestStatus::crashed: return {tone.name, tone.sign, "crashed"};
    case ktap::TestStatus::timed_out: return {tone.name, tone.sign, "timed out"};
    case ktap::TestStatus::missing: return {tone.name, tone.sign, "missing"};
  }
  return {tone.name, tone.sign, "failed"};
}

/// A test is often done within a millisecond.
std::string took(double seconds) {
  return seconds < 0.9995 ? fmt::format("{:.1f} ms", seconds * 1000) : human_seconds(seconds);
}

std::string run_words(const store::Run& run) { return fmt::format("run {}, {},{}", run.id, run.change, run.patchset); }

/// One bar per run, the newest on the right, as high as the test took there.
Markup duration_plot(const TestView& view) {
  double most = 0;
  for (const auto& entry : view.history.entries) most = std::max(most, entry.outcome.seconds.value_or(0));
  Markup out;
  const int width = kBarWidth * static_cast<int>(std::max<std::size_t>(view.history.entries.size(), 40));
  int x = kBarWidth * static_cast<int>(view.history.entries.size());
  for (const auto& [run, outcome] : view.history.entries) {
    x -= kBarWidth;
    const Look look = look_of(outcome);
    // Where the kernel printed no times, all bars are equal and only say what happened.
    const double height = most > 0 ? std::clamp(100 * outcome.seconds.value_or(0) / most, 3.0, 100.0) : 60.0;
    out += markup(
        "<g class=\"{}\"><title>{}: {}{}</title><rect x=\"{}\" y=\"{:.1f}\" width=\"{}\" height=\"{:.1f}\"/></g>\n",
        look.tone, run_words(run), look.words, outcome.seconds ? ", " + took(*outcome.seconds) : "", x, 100 - height,
        kBarWidth - 2, height);
  }
  const std::string label = most > 0 ? fmt::format("How long it took, up to {}, and how it ended", took(most))
                                     : std::string("How it ended; the kernel printed no times");
  return markup(
      "<figure><svg class=\"bars\" viewBox=\"0 0 {} 100\" preserveAspectRatio=\"none\" role=\"img\" "
      "aria-label=\"{}\">\n{}</svg><figcaption>{}, the newest run on the right.</figcaption></figure>\n",
      width, label, out, label);
}

/// The share of the last runs that flaked or failed, as it went over time.
Markup rate_plot(const TestView& view) {
  const auto& entries = view.history.entries;
  if (entries.size() < 3) return {};
  std::string flaky;
  std::string failed;
  const int width = kBarWidth * static_cast<int>(std::max<std::size_t>(entries.size(), 40));
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto last = std::min(entries.size(), i + kRateWindow);
    const std::vector<store::TestRun> window(entries.begin() + static_cast<std::ptrdiff_t>(i),
                                             entries.begin() + static_cast<std::ptrdiff_t>(last));
    const TestTrend trend = trend_of(window);
    const double x = kBarWidth * (static_cast<double>(entries.size() - i) - 0.5) - 1;
    const double bad = trend.ran == 0 ? 0 : static_cast<double>(trend.failed) / trend.ran;
    flaky += fmt::format("{:.1f},{:.1f} ", x, 99 - 98 * trend.rate);
    failed += fmt::format("{:.1f},{:.1f} ", x, 99 - 98 * bad);
  }
  return markup(
      "<figure><svg class=\"lines\" viewBox=\"0 0 {} 100\" preserveAspectRatio=\"none\" role=\"img\" "
      "aria-label=\"Share of failed and of flaky runs over time, 0 to 100 %\">\n<polyline class=\"bad\" "
      "points=\"{}\"/>\n<polyline class=\"warn\" points=\"{}\"/></svg>\n<figcaption>Of {} runs up to each: how many "
      "failed (solid) and flaked (dashed), from 0 to 100 %.</figcaption></figure>\n",
      width, failed, flaky, kRateWindow);
}

Markup run_link(const store::Run& run) {
  return markup("<a href=\"/run/{}\">run {}</a> ({},{})", run.id, run.id, run.change, run.patchset);
}

/// What the outcomes mean, in sentences.
Markup trend_text(const TestView& view) {
  const TestTrend& trend = view.trend;
  Markup out = markup("<p class=\"sentence\">Of {} runs here that ran it, {} failed", trend.ran, trend.failed);
  if (trend.flaky > 0) out += markup("; {} of them flaked: a flake rate of {:.1f} %", trend.flaky, 100 * trend.rate);
  if (trend.caused > 0) out += markup("; {} by the change's own fault", trend.caused);
  out += markup(".</p>\n");
  if (const auto* bad = entry_of(view, trend.first_bad)) {
    const auto* good = entry_of(view, trend.last_good);
    out += markup("<p>The base is broken. First bad: {}", run_link(bad->run));
    if (good == nullptr) {
      out += markup(", the oldest that is shown here.</p>\n");
    } else {
      out += markup("; last good before it: {}.", run_link(good->run));
      if (const auto url = gerrit_log_url(good->run, bad->run); !url.empty())
        out += markup(" <a href=\"{}\">Commits between</a>, or <code>git log --oneline {}..{}</code>", safe_url(url),
                      good->run.base_sha.substr(0, 12), bad->run.base_sha.substr(0, 12));
      out += markup("</p>\n");
    }
  }
  return out;
}

Markup origin_words(const TestOutcome& outcome) {
  if (outcome.origin == Origin::new_failure) return chip("bad", "new");
  if (outcome.origin == Origin::also_on_base) return chip("calm", "also on the base");
  if (outcome.origin == Origin::flaky) return chip("warn", "flaky");
  return {};
}

Markup job_links(const TestView& view) {
  Markup out;
  for (const auto& job : view.jobs)
    out += job == view.job ? markup("<strong aria-current=\"true\">{}</strong> ", job)
                           : markup("<a href=\"{}\">{}</a> ", test_url(view.test, job), job);
  return out;
}

Markup search_form(std::string_view words) {
  return markup(
      "<form class=\"filter\" action=\"/tests\" role=\"search\"><label>Tests whose name has<input type=\"search\" "
      "name=\"q\" value=\"{}\"></label><button>Search</button></form>\n",
      words);
}

}  // namespace

std::string test_page(const TestView& view) {
  Markup rows;
  for (const auto& [run, outcome] : view.history.entries) {
    const Look look = look_of(outcome);
    rows += markup(
        "<tr class=\"{}\"><td><span class=\"sign\" aria-hidden=\"true\">{}</span> {}</td><td>{}</td>"
        "<td><a href=\"/run/{}\">run {}</a></td><td><a href=\"/change/{}\">{},{}</a></td><td>{}</td><td>{}</td></tr>\n",
        look.tone, look.sign, look.words, origin_words(outcome), run.id, run.id, run.change, run.change, run.patchset,
        outcome.seconds ? took(*outcome.seconds) : "", age(run.created, view.now));
  }
  Markup body = markup("<h1>{}</h1>\n<p class=\"sub\">In job: {}</p>\n{}{}{}", view.test, job_links(view),
                       trend_text(view), duration_plot(view), rate_plot(view));
  body += markup(
      "<section><h2>Runs</h2>\n<div class=\"scroll\" role=\"region\" aria-label=\"Runs of this test\" tabindex=\"0\">"
      "<table class=\"table\">\n<thead><tr><th scope=\"col\">Outcome</th><th scope=\"col\">Origin</th>"
      "<th scope=\"col\">Run</th><th scope=\"col\">Change</th><th scope=\"col\">Took</th><th scope=\"col\">Queued</th>"
      "</tr></thead>\n<tbody>\n{}</tbody></table></div></section>\n",
      rows);
  if (view.history.next_before > 0)
    body += markup("<p class=\"pager\"><a rel=\"next\" href=\"{}&limit={}&before={}\">Older runs</a></p>\n",
                   test_url(view.test, view.job), view.limit, view.history.next_before);
  return render(
      {.title = shorten(printable(view.test), 200) + " - bowsprit",
       .crumbs = markup(" / <a href=\"/tests\">tests</a> / <a href=\"{}\">{}</a>", job_history_url(view.job), view.job),
       .body = std::move(body)});
}

std::string tests_page(const TestsView& view) {
  Markup rows;
  for (const auto& test : view.tests) rows += markup("<li><a href=\"{}\">{}</a></li>\n", test_url(test, ""), test);
  Markup body = markup("<h1>Tests</h1>\n{}", search_form(view.words));
  body += view.tests.empty() ? markup("<p class=\"empty\">No test has such a name.</p>\n")
                             : markup("<ul class=\"names\">\n{}</ul>\n", rows);
  if (view.more)
    body += markup("<p class=\"pager\"><a rel=\"next\" href=\"/tests?q={}&limit={}&after={}\">More tests</a></p>\n",
                   url_encode(view.words), view.limit, url_encode(view.tests.back()));
  return render({.title = "Tests - bowsprit", .crumbs = markup(" / tests"), .body = std::move(body)});
}

std::string job_history_page(const JobHistoryView& view) {
  Markup heads;
  for (const auto& run : view.grid.runs) {
    const Tone tone = tone_of(run);
    heads += markup(
        "<th scope=\"col\" class=\"{}\"><a href=\"/run/{}\" title=\"{}: {}, {}\"><span class=\"sign\" "
        "aria-hidden=\"true\">{}</span><span class=\"number\">{}</span></a></th>",
        tone.name, run.id, run_words(run), headline(run), human_age(run.created, view.now), tone.sign, run.id);
  }
  Markup rows;
  for (const auto& row : view.grid.rows) {
    Markup cells;
    for (const auto& outcome : row.outcomes) {
      if (!outcome) {
        cells += markup("<td></td>");
        continue;
      }
      const Look look = look_of(*outcome);
      cells += markup(
          "<td class=\"{}\" title=\"{}{}\"><span class=\"sign\" aria-hidden=\"true\">{}</span><span "
          "class=\"unseen\">{}</span></td>",
          look.tone, look.words, outcome->seconds ? ", " + took(*outcome->seconds) : "", look.sign, look.words);
    }
    const RowCounts counts = counts_of(row);
    rows += markup("<tr><th scope=\"row\"><a href=\"{}\">{}</a></th><td class=\"count\">{}/{}</td>{}</tr>\n",
                   test_url(row.test, view.job), row.test, counts.bad, counts.ran, cells);
  }
  const std::string url = job_history_url(view.job);
  Markup body = markup("<h1>Tests of {}</h1>\n<p class=\"sub\">Its latest {} runs, the newest first. ", view.job,
                       view.grid.runs.size());
  if (view.all)
    body += markup("All tests are shown; <a href=\"{}\">only those that failed or flaked</a>.</p>\n", url);
  else
    body += markup(
        "Shown are tests that failed or flaked; {} more were good in all of them: <a "
        "href=\"{}?tests=all\">show all</a>.</p>\n",
        view.grid.left_out, url);
  body += search_form("");
  if (view.grid.rows.empty())
    body += markup("<p class=\"empty\">No test failed in these runs.</p>\n");
  else
    body += markup(
        "<div class=\"scroll\" role=\"region\" aria-label=\"Tests by runs\" tabindex=\"0\"><table class=\"grid\">\n"
        "<thead><tr><th scope=\"col\">Test</th><th scope=\"col\">bad/ran</th>{}</tr></thead>\n<tbody>\n{}</tbody>"
        "</table></div>\n<p class=\"note\">✓ passed, ✗ failed, ~ flaky, b fails on the base too, ? missing, – "
        "skipped, empty: not there.</p>\n",
        heads, rows);
  const std::string which = view.all ? "&tests=all" : "";
  if (view.grid.next_test > 0)
    body += markup("<p class=\"pager\"><a href=\"{}?limit={}&before={}{}&after={}\">More tests of these runs</a></p>\n",
                   url, view.limit, view.before, which, view.grid.next_test);
  if (view.grid.next_before > 0)
    body += markup("<p class=\"pager\"><a rel=\"next\" href=\"{}?limit={}&before={}{}\">Older runs</a></p>\n", url,
                   view.limit, view.grid.next_before, which);
  return render(
      {.title = fmt::format("Tests of {} - bowsprit", view.job),
       .crumbs = markup(" / <a href=\"/jobs\">jobs</a> / <a href=\"{}\">{}</a> / tests", job_url(view.job), view.job),
       .body = std::move(body)});
}

}  // namespace bowsprit::web
