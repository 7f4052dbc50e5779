// SPDX-License-Identifier: Apache-2.0
#include "web/history_view.h"
#include "web/layout.h"
#include "web/pages.h"

namespace bowsprit::web {
namespace {

constexpr int kBarWidth = 10;

/// "87 % of 40 passed, half of them within 42 s": what a person wants to know of a job.
std::string stats_text(const JobStats& stats) {
  const int judged = stats.passed + stats.failed;
  std::vector<std::string> parts;
  if (judged > 0) parts.push_back(fmt::format("{} % of {} passed", 100 * stats.passed / judged, judged));
  if (stats.median_seconds) parts.push_back(fmt::format("half within {}", human_seconds(*stats.median_seconds)));
  if (stats.no_verdict > 0) parts.push_back(fmt::format("{} without a verdict", stats.no_verdict));
  if (stats.wavering > 0) parts.push_back(fmt::format("{} patch sets both passed and failed", stats.wavering));
  return parts.empty() ? "no verdict yet" : join(parts, ", ");
}

std::string run_title(const store::Run& run, SystemTime now) {
  const auto seconds = run_seconds(run, now);
  return fmt::format("run {}: {}, {},{}{}, {}", run.id, headline(run), run.change, run.patchset,
                     seconds ? ", " + human_seconds(*seconds) : "", human_age(run.created, now));
}

/// One bar per run, the newest on the right, as high as it took.
Markup bars(const JobView& view) {
  double most = 1;
  for (const auto& run : view.runs)
    if (run.finished) most = std::max(most, run_seconds(run, view.now).value_or(0));
  Markup out;
  int x = kBarWidth * static_cast<int>(view.runs.size());
  for (const auto& run : view.runs) {
    x -= kBarWidth;
    const double height = std::clamp(100 * run_seconds(run, view.now).value_or(0) / most, 2.0, 100.0);
    out += markup(
        "<a href=\"/run/{}\" class=\"{}\"><title>{}</title><rect x=\"{}\" y=\"{:.1f}\" width=\"{}\" "
        "height=\"{:.1f}\"/></a>\n",
        run.id, tone_of(run).name, run_title(run, view.now), x, 100 - height, kBarWidth - 2, height);
  }
  return markup(
      "<svg class=\"bars\" viewBox=\"0 0 {} 100\" preserveAspectRatio=\"none\" role=\"img\" "
      "aria-label=\"How long the latest {} runs took, up to {}, and how they ended\">\n{}</svg>\n",
      kBarWidth * std::max<std::size_t>(view.runs.size(), 40), view.runs.size(), human_seconds(most), out);
}

/// The same as a row of dots, for a list of jobs.
Markup dots(const JobView& view) {
  Markup out;
  int x = 300;
  for (const auto& run : view.runs) {
    x -= kBarWidth;
    out += markup("<rect class=\"{}\" x=\"{}\" y=\"1\" width=\"8\" height=\"10\" rx=\"2\"/>", tone_of(run).name, x);
  }
  return markup("<svg class=\"dots\" viewBox=\"0 0 300 12\" aria-hidden=\"true\">{}</svg>", out);
}

}  // namespace

std::string job_page(const JobView& view) {
  const JobStats stats = stats_of(view.runs);
  Markup rows;
  std::size_t shown = 0;
  for (const auto& run : view.runs)
    if (++shown <= 50) rows += run_entry(run, view.now, true);
  Markup body = markup(
      "<h1>{}</h1>\n<p class=\"sub\">Of the latest {} runs: {}. <a href=\"{}\">Its tests over time</a></p>\n{}<ol "
      "class=\"runs\">\n{}</ol>\n",
      view.job, view.runs.size(), stats_text(stats), job_history_url(view.job), bars(view), rows);
  if (shown > 50)
    body += markup("<p class=\"pager\"><a rel=\"next\" href=\"{}\">Older runs</a></p>\n",
                   runs_url({.job = view.job}, view.runs[49].id));
  return render({.title = view.job + " - bowsprit",
                 .crumbs = markup(" / <a href=\"/jobs\">jobs</a> / {}", view.job),
                 .body = std::move(body)});
}

std::string jobs_page(const std::vector<JobView>& jobs) {
  Markup rows;
  for (const auto& view : jobs)
    rows += markup("<li><strong><a href=\"{}\">{}</a></strong>{}<span>{}</span></li>\n", job_url(view.job), view.job,
                   dots(view), stats_text(stats_of(view.runs)));
  Markup body = markup("<h1>Jobs</h1>\n<p class=\"sub\">By their latest 30 runs, the newest on the right.</p>\n");
  body += jobs.empty() ? markup("<p class=\"empty\">No job has run yet.</p>\n")
                       : markup("<ol class=\"jobs\">\n{}</ol>\n", rows);
  return render({.title = "Jobs - bowsprit", .crumbs = markup(" / jobs"), .body = std::move(body)});
}

}  // namespace bowsprit::web
