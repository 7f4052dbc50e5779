// SPDX-License-Identifier: Apache-2.0
#include <span>

#include "web/history_view.h"
#include "web/layout.h"
#include "web/pages.h"
#include "web/run_sections.h"

namespace bowsprit::web {
namespace {

using sched::JobState;

/// One sentence that says how it ended, or where it is.
std::string sentence(const RunView& view) {
  const store::Run& run = view.run;
  switch (run.state) {
    case JobState::triggered: return "It starts when an executor is free.";
    case JobState::pending: return run.phase.empty() ? "It has just started." : fmt::format("Now: {}.", run.phase);
    case JobState::success:
    case JobState::failure:
    case JobState::aborted:
    case JobState::error: break;
  }
  if (view.result && !view.result->summary.empty()) return view.result->summary;
  return run.description;
}

/// Whose the failures are, in words.
Markup blame(const RunResult& result) {
  std::size_t fresh = 0;
  std::size_t on_base = 0;
  std::size_t flaky = 0;
  for (const auto& failure : result.failures) {
    if (failure.origin == Origin::new_failure) ++fresh;
    if (failure.origin == Origin::also_on_base) ++on_base;
    if (failure.origin == Origin::flaky) ++flaky;
  }
  std::vector<std::string> parts;
  if (fresh > 0) parts.push_back(fmt::format("{} new in this change", fresh));
  if (on_base > 0) parts.push_back(fmt::format("{} also on the base", on_base));
  if (flaky > 0) parts.push_back(fmt::format("{} known to be flaky", flaky));
  if (parts.empty()) return {};
  return markup("<p>{} {}: {}.</p>", result.failures.size(), result.failures.size() == 1 ? "failure" : "failures",
                join(parts, ", "));
}

Markup counts(const TestCounts& tests) {
  Markup out;
  const auto add = [&out](int count, std::string_view tone, std::string_view words) {
    if (count > 0) out += chip(tone, fmt::format("{} {}", count, words));
  };
  add(tests.failed, "bad", "failed");
  add(tests.crashed, "bad", "crashed");
  add(tests.timed_out, "bad", "timed out");
  add(tests.missing, "bad", "missing");
  add(tests.passed, "good", "passed");
  add(tests.skipped, "calm", "skipped");
  return out;
}

Markup banner(const RunView& view) {
  const store::Run& run = view.run;
  const Tone tone = tone_of(run);
  Markup facts;
  if (view.result) facts += counts(view.result->tests);
  if (run.state == JobState::error) facts += chip("calm", "the infrastructure failed, not the change");
  if (run.optional) facts += chip("calm", "optional: does not vote");
  if (run.attempt > 1) facts += chip("calm", fmt::format("attempt {}", run.attempt));
  if (const auto seconds = run_seconds(run, view.now))
    facts +=
        markup("<span class=\"fact\">{}{}</span>", run.finished ? "took " : "running for ", human_seconds(*seconds));
  facts += markup("<span class=\"fact\">{} {}</span>", run.finished ? "ended" : "queued",
                  age(run.finished.value_or(run.created), view.now));
  return markup(
      "<section class=\"banner {}\" aria-label=\"Verdict\"><h1><span class=\"sign\" aria-hidden=\"true\">{}</span> "
      "{}</h1>\n"
      "<p class=\"sentence\">{}</p>{}\n<div class=\"facts\">{}</div></section>\n",
      tone.name, tone.sign, headline(run), sentence(view), view.result ? blame(*view.result) : Markup{}, facts);
}

Markup about(const store::Run& run) {
  Markup rows;
  const auto add = [&rows](std::string_view name, const Markup& value) {
    rows += markup("<div><dt>{}</dt><dd>{}</dd></div>\n", name, value);
  };
  if (run.change == 0)
    add("Source", markup("{}, branch {}", run.project, run.branch));
  else
    add("Patch set", markup("<a href=\"/change/{}\">{},{}</a> of {}, branch {}", run.change, run.change, run.patchset,
                            run.project, run.branch));
  if (run.type != "presubmit") add("Type", markup("{}", run.type));
  add("Job", markup("<a href=\"{}\">{}</a>, <a href=\"{}\">its tests over time</a>", job_url(run.job), run.job,
                    job_history_url(run.job)));
  if (!run.reason.empty()) add("Why it runs", markup("{}", run.reason));
  if (!run.revision.empty()) add("Commit", markup("<code>{}</code>", run.revision));
  if (!run.base_sha.empty()) add("Merged into", markup("<code>{}</code>", run.base_sha));
  if (!run.merged_sha.empty()) add("Tested as", markup("<code>{}</code>", run.merged_sha));
  add("Run again", sched::is_final(run.state) ? markup("<code>bowsprit rerun {}</code>", run.id)
                                              : markup("stop it with <code>bowsprit abort {}</code>", run.id));
  return markup("<section><h2>About</h2>\n<dl class=\"about\">\n{}</dl></section>\n", rows);
}

Markup siblings(const RunView& view) {
  if (view.siblings.empty()) return {};
  Markup rows;
  for (const auto& run : view.siblings) {
    const Tone tone = tone_of(run);
    rows += markup(
        "<li class=\"{}\"><a href=\"/run/{}\">Patch set {}, run {}</a> <span class=\"sign\" "
        "aria-hidden=\"true\">{}</span> {} · {}</li>\n",
        tone.name, run.id, run.patchset, run.id, tone.sign, headline(run), age(run.created, view.now));
  }
  return markup("<section><h2>Other runs of this job</h2>\n<ul class=\"siblings\">\n{}</ul></section>\n", rows);
}

}  // namespace

std::string run_page(const RunView& view) {
  const store::Run& run = view.run;
  const bool periodic = run.change == 0;
  Markup body = periodic ? markup("<p class=\"sub\">{}</p>\n", run.subject)
                         : markup("<p class=\"sub\"><a href=\"{}\">{}</a>{}</p>\n", safe_url(gerrit_patchset_url(run)),
                                  run.subject.empty() ? fmt::format("Change {}", run.change) : run.subject,
                                  run.author.empty() ? "" : " by " + run.author);
  body += banner(view);
  if (!view.result_problem.empty())
    body +=
        markup("<p class=\"note\">The job's result can't be shown: {}. Its log is below.</p>\n", view.result_problem);
  if (view.result) {
    body += failures_section(run, view.result->failures);
    body += diagnostics_section(run, view.result->diagnostics);
    body += reproduce_section(view.result->reproduce);
    body += phases_section(view.result->phases);
    body += tests_section(view.result->suites);
  }
  body += log_section(view);
  body += artifacts_section(view);
  body += siblings(view);
  body += about(run);
  const std::string of = periodic ? run.subject : fmt::format("{},{}", run.change, run.patchset);
  Markup crumbs;
  if (!periodic)
    crumbs = markup(" / <a href=\"/change/{}\">change {}</a> / patch set {}", run.change, run.change, run.patchset);
  crumbs += markup(" / <a href=\"{}\">{}</a>", job_url(run.job), run.job);
  return render({.title = fmt::format("{}: {} {} - bowsprit", headline(run), run.job, of),
                 .crumbs = std::move(crumbs),
                 .body = std::move(body),
                 .live = !sched::is_final(run.state),
                 .events = fmt::format("/api/v1/events?run={}", run.id)});
}

}  // namespace bowsprit::web
