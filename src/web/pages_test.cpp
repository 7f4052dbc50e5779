// SPDX-License-Identifier: Apache-2.0
#include "web/pages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "web/api.h"
#include "web/artifact_type.h"
#include "web/html.h"
#include "web/layout.h"
#include "web/test_data.h"

namespace bowsprit::web {
namespace {

using sched::JobState;
using testing::HasSubstr;
using testing::Not;

RunView failed_run() {
  RunView view;
  view.now = SystemClock::now();
  view.run = sample_run();
  view.run.id = 12;
  view.run.state = JobState::failure;
  view.run.verdict = "failed";
  view.run.started = view.now - seconds(100);
  view.run.finished = view.now - seconds(80);
  view.result = std::make_shared<const RunResult>(sample_result());
  return view;
}

/// The same with hostile text in all that a change or a job says.
RunView hostile_run() {
  RunView view = failed_run();
  store::Run& run = view.run;
  for (auto* text : {&run.subject, &run.author, &run.job, &run.project, &run.branch, &run.revision, &run.description,
                     &run.reason, &run.verdict, &run.phase, &run.base_sha, &run.merged_sha, &run.gerrit})
    *text = kHostile;
  RunResult result = sample_result();
  result.summary = result.reproduce = kHostile;
  for (auto& failure : result.failures) failure.test = failure.file = failure.message = failure.log = kHostile;
  result.failures[0].log = std::string(kHostile) + "!";
  for (auto& diagnostic : result.diagnostics)
    diagnostic.file = diagnostic.message = diagnostic.test = diagnostic.text = kHostile;
  result.suites = {test(kHostile, ktap::TestStatus::failed, {test(kHostile, ktap::TestStatus::skipped)})};
  result.suites[0].children[0].directive = kHostile;
  result.phases = {{kHostile, 1}};
  view.result = std::make_shared<const RunResult>(std::move(result));
  view.result_problem = view.log_tail = kHostile;
  view.has_log = true;
  view.artifacts_problem = kHostile;
  view.artifacts = {{kHostile, 1}, {"artifacts/\" onclick=\"x", 1}};
  view.siblings = {run};
  return view;
}

void expect_harmless(const std::string& page) {
  EXPECT_THAT(page, Not(HasSubstr("<script>")));
  EXPECT_THAT(page, Not(HasSubstr("<img src=x")));
  EXPECT_THAT(page, Not(HasSubstr("\" onclick")));
  EXPECT_THAT(page, Not(HasSubstr("\x1b")));
  EXPECT_THAT(page, Not(HasSubstr("\x01")));
  EXPECT_THAT(page, Not(HasSubstr("javascript:")));
  EXPECT_THAT(page, Not(HasSubstr(" style=")));  // the policy of the pages forbids it, so it would not work
}

TEST(Markup, EscapesAllButMarkup) {
  const std::string text = "<a b='\"'>&";
  EXPECT_EQ(markup("<p title=\"{}\">{}</p>{}", text, 7, markup("<hr>")).html,
            "<p title=\"&lt;a b=&#39;&quot;&#39;&gt;&amp;\">7</p><hr>");
}

TEST(Markup, LinksOnlyToTheWeb) {
  EXPECT_EQ(safe_url("https://gerrit.example/c/1"), "https://gerrit.example/c/1");
  EXPECT_EQ(safe_url("/run/1"), "/run/1");
  for (const char* bad : {"javascript:alert(1)", "//evil.example", "/\\evil.example", "data:text/html,x", ""})
    EXPECT_EQ(safe_url(bad), "#") << bad;
}

TEST(RunPage, SaysWhatFailedWhereWhoseAndHowToSeeIt) {
  const std::string page = run_page(failed_run());
  EXPECT_THAT(page, HasSubstr("<title>Failed: kunit-um 4711,3 - bowsprit</title>"));
  EXPECT_THAT(page, HasSubstr("2 failures: 1 new in this change, 1 also on the base."));
  EXPECT_THAT(page, HasSubstr("href=\"https://gerrit.example/c/kernel/linux/+/4711/3/lib/test_list_sort.c#93\">"
                              "lib/test_list_sort.c:93</a>"));
  EXPECT_THAT(page, HasSubstr("el1-&gt;value == 7"));
  EXPECT_THAT(page, HasSubstr("kunit.py run --kunitconfig lib/kunit"));
  EXPECT_THAT(page, HasSubstr("needs CONFIG_RTC"));
  EXPECT_THAT(page, HasSubstr("took 20 s"));
  EXPECT_THAT(page, Not(HasSubstr("http-equiv=\"refresh\"")));
}

TEST(RunPage, OfARunThatRunsLoadsItselfAgainWithoutJavaScript) {
  RunView view = failed_run();
  view.run.state = JobState::pending;
  view.run.phase = "build";
  view.run.finished.reset();
  view.result.reset();
  view.has_log = true;
  view.log_tail = "  CC      lib/list_sort.o\n";
  view.log_size = 27;
  const std::string page = run_page(view);
  EXPECT_THAT(page, HasSubstr("<noscript><meta http-equiv=\"refresh\""));
  EXPECT_THAT(page, HasSubstr("Now: build."));
  EXPECT_THAT(page, HasSubstr("data-events=\"/api/v1/events?run=12\""));
  EXPECT_THAT(page, HasSubstr("data-log=\"/run/12/log\" data-size=\"27\">  CC      lib/list_sort.o"));
}

TEST(RunPage, StaysHarmlessWhateverAJobSays) { expect_harmless(run_page(hostile_run())); }

TEST(RunPage, StaysSmallWhateverAJobSays) {
  RunView view = failed_run();
  RunResult result = sample_result();
  result.failures.assign(5000, result.failures[0]);
  for (auto& failure : result.failures) failure.log = std::string(100'000, 'x');
  result.diagnostics.assign(5000, {.message = std::string(10'000, 'y')});
  std::vector<ktap::TestNode> cases(1000, test("a_case_of_a_suite", ktap::TestStatus::failed));
  result.suites.assign(1000, test("suite", ktap::TestStatus::failed, cases));
  ktap::TestNode deep = test("deep", ktap::TestStatus::failed);
  for (int i = 0; i < 500; ++i) deep = test("deep", ktap::TestStatus::failed, {deep});
  result.suites.insert(result.suites.begin(), deep);
  view.result = std::make_shared<const RunResult>(std::move(result));
  EXPECT_LT(run_page(view).size(), 4'000'000U);
  EXPECT_THAT(run_page(view), HasSubstr("4900 more failures"));
}

TEST(RunsPage, ListsRunsAndKeepsTheFilterInTheNextPage) {
  RunsView view;
  view.now = SystemClock::now();
  view.runs = {failed_run().run, hostile_run().run};
  view.filter.job = "a&b";
  view.next_before = 12;
  const std::string page = runs_page(view);
  EXPECT_THAT(page, HasSubstr("href=\"/run/12\">lib/list: keep"));
  EXPECT_THAT(page, HasSubstr("href=\"/?job=a%26b&amp;before=12\""));
  EXPECT_THAT(page, HasSubstr("<input name=\"job\" size=\"16\" value=\"a&amp;b\">"));
  expect_harmless(page);
}

TEST(ChangePage, GroupsByPatchSet) {
  ChangeView view{.change = 4711, .runs = {failed_run().run, failed_run().run}, .now = SystemClock::now()};
  view.runs[1].patchset = 2;
  const std::string page = change_page(view);
  EXPECT_LT(page.find("Patch set 3"), page.find("Patch set 2"));
  view.runs[0] = hostile_run().run;
  expect_harmless(change_page(view));
}

TEST(ChangePage, TellsWhyJobsRanOrNotAlsoWhereNoneRan) {
  ChangeView view{.change = 4711, .runs = {}, .now = SystemClock::now()};
  view.decisions.push_back({.patchset = 1, .job = "kunit-um", .run = false, .reason = "waits for /ok-to-test <b>"});
  const std::string page = change_page(view);
  EXPECT_THAT(page, HasSubstr("<td>kunit-um</td><td>did not run</td><td>waits for /ok-to-test &lt;b&gt;</td>"));
  expect_harmless(page);
}

TEST(RunPage, APeriodicHasNoChange) {
  RunView view = failed_run();
  view.run.type = "periodic";
  view.run.change = view.run.patchset = 0;
  view.run.subject = "linux master";
  const std::string page = run_page(view);
  EXPECT_THAT(page, Not(HasSubstr("/change/")));
  EXPECT_THAT(page, HasSubstr("<dd>periodic</dd>"));
  expect_harmless(page);
}

TEST(JobPage, TellsHowTheJobFares) {
  JobView view{.job = "kunit-um", .now = SystemClock::now()};
  for (int i = 0; i < 60; ++i) view.runs.push_back(failed_run().run);
  view.runs[3].state = JobState::success;  // on the same patch set: it wavers
  view.runs[4].state = JobState::error;
  const std::string page = job_page(view);
  EXPECT_THAT(
      page, HasSubstr("1 % of 59 passed, half within 20 s, 1 without a verdict, 1 patch sets both passed and failed"));
  EXPECT_THAT(page, HasSubstr("href=\"/?job=kunit-um&amp;before=12\""));
  EXPECT_THAT(jobs_page({view}), HasSubstr("href=\"/job/kunit-um\""));
  EXPECT_THAT(jobs_page({}), HasSubstr("No job has run yet"));
}

TEST(JobPage, StaysHarmlessWhateverAJobIsCalled) {
  const JobView view{.job = kHostile, .runs = {hostile_run().run}, .now = SystemClock::now()};
  expect_harmless(job_page(view));
  expect_harmless(jobs_page({view}));
}

TEST(Words, OfTimeSizeAndAge) {
  EXPECT_EQ(human_seconds(0.08), "0.1 s");
  EXPECT_EQ(human_seconds(59.6), "1 min 0 s");
  EXPECT_EQ(human_seconds(200), "3 min 20 s");
  EXPECT_EQ(human_seconds(3900), "1 h 5 min");
  EXPECT_EQ(human_size(999), "999 B");
  EXPECT_EQ(human_size(3400), "3.4 kB");
  EXPECT_EQ(human_size(999'999), "1.0 MB");
  const SystemTime now = SystemClock::now();
  EXPECT_EQ(human_age(now + seconds(5), now), "just now");
  EXPECT_EQ(human_age(now - std::chrono::minutes(5), now), "5 min ago");
  EXPECT_EQ(human_age(now - std::chrono::hours(49), now), "2 days ago");
}

TEST(Artifacts, ThatABrowserCouldRunArePlainText) {
  for (const char* name :
       {"x.html", "x.svg", "x.xml", "x.xhtml", "x.js", "kunit.log", ".config", "x", "x.HTML", "x.json.html"})
    EXPECT_EQ(artifact_type(name), "text/plain; charset=utf-8") << name;
  EXPECT_EQ(artifact_type("result.json"), "application/json");
  EXPECT_EQ(untrusted({}, "vmlinux.xz").header("Content-Disposition"), "attachment");
  EXPECT_THAT(untrusted({}, "x.png").header("Content-Security-Policy"), HasSubstr("sandbox"));
}

TEST(Json, HasTheRunItsResultAndAbsoluteTimes) {
  const Json json = run_detail_json(failed_run());
  EXPECT_EQ(json_int(json, "id"), 12);
  EXPECT_EQ(json_string(json, "state"), "failure");
  EXPECT_EQ(json_string(json_get(json, "result"), "schema"), "bowsprit/result/1");
  EXPECT_TRUE(parse_time(json_string(json, "started")));
  EXPECT_DOUBLE_EQ(json_double(json, "seconds"), 20);
  EXPECT_TRUE(parse_json(dump_json(run_detail_json(hostile_run()))));
}

}  // namespace
}  // namespace bowsprit::web
