// SPDX-License-Identifier: Apache-2.0
#include "web/layout.h"

#include "web/assets.h"

namespace bowsprit::web {

using sched::JobState;

std::string render(const PageFrame& frame) {
  Markup head;
  // Without JavaScript a page about something that runs loads itself again.
  if (frame.live) head += markup("<noscript><meta http-equiv=\"refresh\" content=\"10\"></noscript>");
  return markup(
             "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
             "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
             "<meta name=\"color-scheme\" content=\"light dark\">\n<title>{}</title>\n"
             "<link rel=\"icon\" href=\"{}\" type=\"image/svg+xml\">\n<link rel=\"stylesheet\" href=\"{}\">\n{}"
             "<script src=\"{}\" defer></script>\n</head>\n<body data-events=\"{}\">\n"
             "<a class=\"skip\" href=\"#main\">Skip to the content</a>\n"
             "<header class=\"top\"><nav aria-label=\"Where you are\"><a class=\"brand\" href=\"/\">"
             "<img src=\"{}\" alt=\"\" width=\"20\" height=\"20\">bowsprit</a>{}<span class=\"aside\">"
             "<a href=\"/tests\">Tests</a> <a href=\"/jobs\">Jobs</a></span></nav></header>\n"
             "<main id=\"main\">\n{}</main>\n</body>\n</html>\n",
             frame.title, icon_asset().url, style_asset().url, head, script_asset().url, frame.live ? frame.events : "",
             icon_asset().url, frame.crumbs, frame.body)
      .html;
}

std::string error_page(int status, std::string_view text) {
  return render({.title = fmt::format("{} - bowsprit", status),
                 .body = markup("<h1>{}</h1>\n<p>{}</p>\n<p><a href=\"/\">All runs</a></p>\n", status, text)});
}

Tone tone_of(const store::Run& run) {
  switch (run.state) {
    case JobState::triggered: return {"calm", "◌"};
    case JobState::pending: return {"busy", "◔"};
    case JobState::success: return {"good", "✓"};
    case JobState::failure: return {"bad", "✗"};
    case JobState::aborted: return {"calm", "⊘"};
    case JobState::error: return {"warn", "!"};
  }
  return {"warn", "!"};
}

Tone tone_of(ktap::TestStatus status) {
  using enum ktap::TestStatus;
  switch (status) {
    case passed: return {"good", "✓"};
    case expected_failure: return {"good", "✓"};
    case skipped: return {"calm", "–"};
    case failed:
    case crashed:
    case timed_out: return {"bad", "✗"};
    case missing: return {"bad", "?"};
  }
  return {"bad", "?"};
}

std::string_view verdict_words(std::string_view word) {
  const auto verdict = verdict_from_string(word);
  if (!verdict) return word;
  switch (*verdict) {
    case Verdict::passed: return "Passed";
    case Verdict::no_new_failures: return "No new failures";
    case Verdict::failed: return "Failed";
    case Verdict::crashed: return "The kernel crashed";
    case Verdict::timed_out: return "Timed out";
    case Verdict::missing_tests: return "Tests are missing";
    case Verdict::no_tests: return "No test ran";
    case Verdict::config_error: return "Configuration error";
    case Verdict::build_error: return "Does not build";
    case Verdict::boot_error: return "Does not boot";
    case Verdict::merge_conflict: return "Does not merge";
    case Verdict::infra_error: return "No verdict";
    case Verdict::aborted: return "Aborted";
  }
  return word;
}

std::string_view headline(const store::Run& run) {
  switch (run.state) {
    case JobState::triggered: return "Waiting";
    case JobState::pending: return "Running";
    case JobState::success: return run.verdict.empty() ? "Passed" : verdict_words(run.verdict);
    case JobState::failure: return run.verdict.empty() ? "Failed" : verdict_words(run.verdict);
    case JobState::aborted: return "Aborted";
    case JobState::error: return "No verdict";
  }
  return "Unknown";
}

std::string job_url(std::string_view job) { return "/job/" + url_encode(job); }

Markup chip(std::string_view tone, std::string_view words) {
  return markup("<span class=\"chip {}\">{}</span>", tone, words);
}

Markup age(SystemTime time, SystemTime now) {
  const std::string exact = rfc3339(time);
  return markup("<time datetime=\"{}\" title=\"{}\">{}</time>", exact, exact, human_age(time, now));
}

Markup run_entry(const store::Run& run, SystemTime now, bool with_change) {
  const Tone tone = tone_of(run);
  Markup where;
  if (with_change && run.change == 0)
    where = markup("{} · ", run.type);
  else if (with_change)
    where = markup("<a href=\"/change/{}\">{},{}</a> · ", run.change, run.change, run.patchset);
  Markup about = markup("{}<a class=\"job\" href=\"{}\">{}</a>", where, job_url(run.job), run.job);
  if (run.type == "postsubmit") about += markup(" · after the merge");
  if (run.attempt > 1 && run.change != 0) about += markup(" · attempt {}", run.attempt);
  if (with_change && !run.author.empty()) about += markup(" · {}", run.author);
  Markup took;
  if (const auto seconds = run_seconds(run, now)) took = markup("<span>{}</span>", human_seconds(*seconds));
  const std::string_view detail = run.state == JobState::pending ? std::string_view(run.phase) : run.description;
  return markup(
      "<li class=\"run {}\"><span class=\"sign\" aria-hidden=\"true\">{}</span>"
      "<div class=\"what\"><a class=\"title\" href=\"/run/{}\">{}</a><p>{}</p></div>"
      "<div class=\"how\"><strong>{}</strong><p title=\"{}\">{}</p></div>"
      "<div class=\"when\">{}{}</div></li>\n",
      tone.name, tone.sign, run.id, run.subject.empty() ? fmt::format("Change {}", run.change) : run.subject, about,
      headline(run), detail, shorten(printable(detail), 140), took, age(run.created, now));
}

}  // namespace bowsprit::web
