// SPDX-License-Identifier: Apache-2.0
#include "trigger/trigger.h"
#include "trigger/postsubmit.h"

namespace bowsprit::trigger {
namespace {

prow::Presubmit job(const std::string& name) {
  prow::Presubmit out;
  out.name = out.context = name;
  out.trigger = prow::default_trigger(name);
  out.rerun_command = prow::default_rerun_command(name);
  return out;
}
prow::Presubmit always(const std::string& name) {
  auto out = job(name);
  out.always_run = true;
  return out;
}
prow::Presubmit if_changed(const std::string& name, const std::string& pattern) {
  auto out = job(name);
  out.run_if_changed = pattern;
  return out;
}
prow::Presubmit unless_only(const std::string& name, const std::string& pattern) {
  auto out = job(name);
  out.skip_if_only_changed = pattern;
  return out;
}
prow::Presubmit on_branches(prow::Presubmit out, std::vector<std::string> branches,
                            std::vector<std::string> skip = {}) {
  out.branches = std::move(branches);
  out.skip_branches = std::move(skip);
  return out;
}
prow::Presubmit optional(prow::Presubmit out) {
  out.optional = true;
  return out;
}

Input input(std::vector<prow::Presubmit> jobs) {
  Input out;
  out.change.project = "linux";
  out.change.branch = "main";
  out.change.status = "NEW";
  out.change.patchset = 2;
  out.change.files = {{.path = "lib/list.c"}};
  out.jobs = std::move(jobs);
  return out;
}
Input patchset(std::vector<prow::Presubmit> jobs) {
  Input out = input(std::move(jobs));
  out.patchset_is_new = true;
  return out;
}
Input message(std::vector<prow::Presubmit> jobs, std::vector<std::string> texts, KnownRuns known = {}) {
  Input out = input(std::move(jobs));
  int id = 0;
  for (std::string& text : texts)
    out.new_messages.push_back({.id = fmt::format("m{}", ++id), .patchset = 2, .text = std::move(text)});
  out.known = std::move(known);
  return out;
}

/// "name+: reason @key" where it runs, "name-: reason" where not.
std::vector<std::string> decisions(const Input& in) {
  std::vector<std::string> out;
  for (const Decision& decision : decide(in).decisions)
    out.push_back(decision.run ? fmt::format("{}+: {} @{}", decision.job, decision.reason, decision.trigger_key)
                               : fmt::format("{}-: {}", decision.job, decision.reason));
  return out;
}
std::vector<std::string> comments(const Input& in) {
  std::vector<std::string> out;
  for (const Comment& comment : decide(in).comments) out.push_back(comment.text);
  return out;
}
using Lines = std::vector<std::string>;

TEST(Trigger, ANewPatchSetStartsWhatRunsByItself) {
  auto in = patchset({always("a"), job("manual"), if_changed("lib", "^lib/"), if_changed("docs", "^Documentation/"),
                      unless_only("code", "^Documentation/"), unless_only("notlib", "^lib/")});
  EXPECT_EQ(decisions(in),
            (Lines{"a+: new patch set 2, always_run @patchset", "manual-: only on command (/test manual)",
                   "lib+: new patch set 2, run_if_changed '^lib/' matches lib/list.c @patchset",
                   "docs-: run_if_changed '^Documentation/' matches no changed file",
                   "code+: new patch set 2, skip_if_only_changed '^Documentation/' does not match lib/list.c @patchset",
                   "notlib-: skip_if_only_changed '^lib/' matches every changed file"}));
  EXPECT_TRUE(decide(in).patchset_done);
  in.patchset_is_new = false;
  EXPECT_EQ(decisions(in)[0], "a-: patch set 2 was handled before");
}

TEST(Trigger, ARenameCountsWithItsOldPathAndACopyDoesNot) {
  auto in = patchset({if_changed("old", "^old/")});
  in.change.files = {{.path = "new/x.c", .old_path = "old/x.c", .status = 'R'}};
  EXPECT_EQ(decisions(in), Lines{"old+: new patch set 2, run_if_changed '^old/' matches old/x.c @patchset"});
  in.change.files[0].status = 'C';
  EXPECT_EQ(decisions(in), Lines{"old-: run_if_changed '^old/' matches no changed file"});
  in.change.files.clear();
  EXPECT_EQ(decisions(in), Lines{"old-: no file is changed"});
}

TEST(Trigger, BranchesAreRegularExpressionsAndSkippedOnesWin) {
  auto in = patchset({on_branches(always("a"), {"next"}), on_branches(always("b"), {"^ma", "x"}),
                      on_branches(always("c"), {"main"}, {"m.*n"}), on_branches(always("d"), {}, {"next"})});
  EXPECT_EQ(decisions(in),
            (Lines{"a-: branch main is not in branches (next)", "b+: new patch set 2, always_run @patchset",
                   "c-: branch main matches skip_branches 'm.*n'", "d+: new patch set 2, always_run @patchset"}));
  in.new_messages = {{.id = "m", .text = "/test a"}};
  EXPECT_EQ(decisions(in)[0], "a-: branch main is not in branches (next)");
}

TEST(Trigger, WorkInProgressWaitsButHonoursCommands) {
  auto in = patchset({always("a"), always("b")});
  in.change.work_in_progress = true;
  EXPECT_EQ(decisions(in), (Lines{"a-: the change is work in progress", "b-: the change is work in progress"}));
  EXPECT_FALSE(decide(in).patchset_done);
  in.new_messages = {{.id = "m", .text = "/test b"}};
  EXPECT_EQ(decisions(in), (Lines{"a-: the change is work in progress", "b+: /test b @message:m"}));
}

TEST(Trigger, LeavingWorkInProgressStartsWhatDidNotRunYet) {
  for (const char* text :
       {"Set Ready For Review", "Patch Set 2:\n\nThis change is ready for review.", "Set Ready For Review\n"})
    EXPECT_EQ(decisions(message({always("a"), job("manual")}, {text})),
              (Lines{"a+: ready for review, always_run @message:m1", "manual-: only on command (/test manual)"}));
  auto tagged = message({always("a")}, {"Set Ready For Review\n\nplease look"});
  EXPECT_EQ(decisions(tagged), Lines{"a-: patch set 2 was handled before"});
  tagged.new_messages[0].tag = "autogenerated:gerrit:setReadyForReview";
  EXPECT_EQ(decisions(tagged), Lines{"a+: ready for review, always_run @message:m1"});
  tagged.known.passed = {"a"};
  EXPECT_EQ(decisions(tagged), Lines{"a-: patch set 2 was handled before"});
}

TEST(Trigger, ClosedChangesStartNothing) {
  for (const char* status : {"MERGED", "ABANDONED"}) {
    auto in = message({always("a")}, {"/test all", "/test ?"});
    in.patchset_is_new = true;
    in.change.status = status;
    EXPECT_EQ(decisions(in), Lines{fmt::format("a-: the change is {}", status)});
    EXPECT_TRUE(comments(in).empty());
    EXPECT_FALSE(decide(in).patchset_done);
  }
}

TEST(Trigger, CommandsStartJobs) {
  struct Case {
    const char* text;
    Lines started;
  };
  KnownRuns known;
  known.failed = {"lib", "opt"};
  known.passed = {"a"};
  const std::vector<prow::Presubmit> jobs{always("a"), if_changed("lib", "^none/"), optional(always("opt")),
                                          job("manual"), optional(job("optmanual"))};
  for (const auto& [text, started] : std::vector<Case>{
           {"/test a", {"a"}},
           {"Patch Set 2: Code-Review+1\n\n(1 comment)\n\n/test manual\r\n/test lib", {"lib", "manual"}},
           {"/test a manual", {"a", "manual"}},
           {"/test all", {"a", "opt"}},
           {"/test all, please", {"a", "opt"}},
           {"/test alll", {}},
           {"/test all manual", {"a", "opt", "manual"}},
           {"/retest", {"lib", "opt"}},
           {"/retest  \n", {"lib", "opt"}},
           {"/retest-required", {"lib"}},
           {"/test-manual-required", {"manual"}},
           {"> /test all", {}},
           {"  > /retest", {}},
           {"please /test all", {}},
           {"/testall", {}},
           {"", {}},
       }) {
    Lines names;
    for (const Decision& decision : decide(message(jobs, {text}, known)).decisions)
      if (decision.run) names.push_back(decision.job);
    EXPECT_EQ(names, started) << text;
  }
}

TEST(Trigger, AJobsOwnTriggerIsNotReadInQuotesNorInPostsOfPrograms) {
  auto manual = job("kunit");
  manual.trigger = manual.rerun_command = "run kunit tests";
  EXPECT_EQ(decisions(message({manual}, {"Patch Set 2:\n\nplease run kunit tests now"})),
            Lines{"kunit+: run kunit tests @message:m1"});
  EXPECT_EQ(decisions(message({manual}, {"> run kunit tests\n\nno, not yet"})),
            Lines{"kunit-: only on command (run kunit tests)"});
  auto program = message({manual}, {"run kunit tests\n/test all"});
  program.new_messages[0].tag = "autogenerated:zuul:check";
  EXPECT_EQ(decisions(program), Lines{"kunit-: only on command (run kunit tests)"});
}

TEST(Trigger, TheFirstCauseThatLetsAJobRunDecides) {
  auto in = message({always("a"), if_changed("docs", "^Documentation/")}, {"/test all", "/test docs", "/test a"});
  in.patchset_is_new = true;
  EXPECT_EQ(decisions(in), (Lines{"a+: /test all, always_run @message:m1", "docs+: /test docs @message:m2"}));
}

TEST(Trigger, AnswersQuestionsAndMistakesOnce) {
  const std::vector<prow::Presubmit> jobs{always("a"), optional(job("b")), on_branches(job("c"), {"next"})};
  const std::string commands =
      "Commands, each on a line of its own:\n\nRequired jobs:\n* `/test a` (also runs by itself)\n\nOptional jobs:\n* "
      "`/test b`\n\n"
      "* `/test all` runs those that run by themselves\n* `/retest` runs those that failed on this patch set, "
      "`/retest-required` the required ones of them\n* `/test-manual-required` runs the required ones that run on "
      "command only\n* `/abort` ends what runs, `/abort NAME` one job\n";
  EXPECT_EQ(comments(message(jobs, {"/test ?"})), Lines{commands});
  EXPECT_EQ(comments(message(jobs, {"/test"})), Lines{"`/test` needs the name of a job.\n" + commands});
  EXPECT_EQ(comments(message(jobs, {"/retest a"})),
            Lines{"`/retest` takes no name: it runs what failed. For one job there is `/test`.\n" + commands});
  EXPECT_EQ(comments(message(jobs, {"/test x", "/test y"})), Lines{"There is no job `x`.\n" + commands});
  EXPECT_EQ(comments(message(jobs, {"/test c"})), Lines{"`c` does not run: branch main is not in branches (next).\n"});
  EXPECT_EQ(comments(message({job("b")}, {"/test all"})).size(), 1U);
  EXPECT_EQ(comments(message({on_branches(job("c"), {"next"})}, {"/test ?"})),
            Lines{"No job is configured for branch main of linux."});
  for (const char* fine : {"/test a", "/retest", "/test all", "thank you", "/test-driven"})
    EXPECT_TRUE(comments(message(jobs, {fine})).empty()) << fine;
}

TEST(Trigger, AbortEndsWhatRunsAndTakesBackWhatWasAskedBefore) {
  const std::vector<prow::Presubmit> jobs{always("a"), job("b")};
  using Aborts = std::vector<std::pair<std::string, std::string>>;
  const auto aborts = [](const Input& in) {
    Aborts out;
    for (const Abort& one : decide(in).aborts) out.emplace_back(one.job, one.why);
    return out;
  };
  auto all = message(jobs, {"/test b", "/abort", "/test a"});
  all.patchset_is_new = true;
  all.new_messages[1].author = 7;
  EXPECT_EQ(aborts(all), (Aborts{{"", "/abort by account 7"}}));
  EXPECT_EQ(decisions(all), (Lines{"a+: /test a @message:m3", "b-: /abort by account 7"}));
  auto one = message(jobs, {"/test a\n/test b", "/abort a, x"});
  EXPECT_EQ(aborts(one), (Aborts{{"a", "/abort by account 0"}, {"x", "/abort by account 0"}}));
  EXPECT_EQ(decisions(one), (Lines{"a-: /abort by account 0", "b+: /test b @message:m1"}));
  EXPECT_TRUE(comments(one)[0].starts_with("There is no job `x`."));
  for (const char* none : {"/abortall", "> /abort", "please /abort"})
    EXPECT_TRUE(aborts(message(jobs, {none})).empty()) << none;
}

TEST(Trigger, OnlyThoseWhoMayAreHeeded) {
  auto in = message({always("a")}, {"/test a"});
  in.change.owner.id = in.change.uploader.id = 1;
  for (const auto& [who, author, run] : std::vector<std::tuple<Who, int, bool>>{{Who::anyone, 2, true},
                                                                                {Who::owner, 1, true},
                                                                                {Who::owner, 2, false},
                                                                                {Who::owner, 9, true},
                                                                                {Who::group, 1, false},
                                                                                {Who::group, 9, true}}) {
    in.policy = {.who = who, .trusted = {9}};
    in.new_messages[0].author = author;
    EXPECT_EQ(decide(in).decisions[0].run, run) << to_string(who) << " " << author;
  }
  in.policy.who = Who::owner;
  in.new_messages[0].author = 2;
  EXPECT_EQ(decisions(in), Lines{"a-: a command of account 2 is not heeded: it is neither trusted nor the owner"});
  EXPECT_TRUE(comments(in).empty());
}

TEST(Trigger, AnUntrustedPatchSetWaitsForOkToTest) {
  auto in = patchset({always("a"), job("manual")});
  in.change.owner = in.change.uploader = {.id = 1, .name = "Eve", .email = {}, .username = "eve"};
  in.policy = {.who = Who::group, .trusted = {9}};
  const std::string waits = "waits for /ok-to-test by a trusted account, as eve is none";
  EXPECT_EQ(decisions(in), (Lines{"a-: " + waits, "manual-: only on command (/test manual)"}));
  EXPECT_FALSE(decide(in).patchset_done);
  EXPECT_EQ(comments(in), Lines{"This change " + waits + ".\n"});
  EXPECT_EQ(decide(in).comments[0].key, "waits");

  in.new_messages = {{.id = "m1", .author = 1, .text = "/ok-to-test"}};
  EXPECT_EQ(decide(in).approved, "");
  in.new_messages.push_back({.id = "m2", .author = 9, .text = "fine\n/ok-to-test"});
  in.new_messages.push_back({.id = "m3", .author = 1, .text = "/test manual"});
  EXPECT_EQ(decisions(in), (Lines{"a+: new patch set 2, always_run @patchset", "manual+: /test manual @message:m3"}));
  EXPECT_EQ(decide(in).approved, "account 9");
  EXPECT_TRUE(decide(in).patchset_done);
  EXPECT_TRUE(comments(in).empty());

  // What was said before holds for later patch sets; what a trusted account uploads needs nothing.
  in.new_messages.clear();
  in.approved = "account 9";
  EXPECT_TRUE(decide(in).decisions[0].run);
  in.approved.clear();
  in.change.uploader.id = 9;
  EXPECT_TRUE(decide(in).decisions[0].run);
}

TEST(Trigger, OnlyAllowedWordsCountWhereTheConfigurationSaysSo) {
  auto in = message({always("a")}, {"/test a"});
  in.allowed_trigger = "^/please";
  EXPECT_FALSE(decide(in).decisions[0].run);
  in.new_messages[0].text = "/please\n/test a";
  EXPECT_TRUE(decide(in).decisions[0].run);
  in.new_messages[0].text = "/test all";
  EXPECT_TRUE(decide(in).decisions[0].run);
}

TEST(Trigger, SaysWhatAskedForADecision) {
  auto in = patchset({always("a"), job("manual"), on_branches(always("next"), {"next"})});
  const auto causes = [](const Input& input) {
    Lines out;
    for (const Decision& decision : decide(input).decisions) out.push_back(decision.cause);
    return out;
  };
  EXPECT_EQ(causes(in), (Lines{"patchset", "patchset", "patchset"}));
  in.patchset_is_new = false;
  in.new_messages = {{.id = "m1", .text = "/test manual next"}};
  EXPECT_EQ(causes(in), (Lines{"", "message:m1", "message:m1"}));
  in.new_messages[0].text = "thanks";
  EXPECT_EQ(causes(in), (Lines{"", "", ""}));
}

TEST(Trigger, AChangeOfAStackIsJudgedByItsOwnFiles) {
  // The parent is an open change that touches lib/; this one touches documentation only.
  auto in = patchset({if_changed("lib", "^lib/"), if_changed("docs", "^Documentation/")});
  in.change.parents = {std::string(40, 'a')};
  in.change.files = {{.path = "Documentation/x.rst"}};
  EXPECT_EQ(decisions(in),
            (Lines{"lib-: run_if_changed '^lib/' matches no changed file",
                   "docs+: new patch set 2, run_if_changed '^Documentation/' matches Documentation/x.rst @patchset"}));
}

prow::Postsubmit merged(const std::string& name) {
  prow::Postsubmit out;
  out.name = out.context = name;
  return out;
}

TEST(Postsubmit, RunsOnMergeUnlessItsConditionsSayNot) {
  gerrit::Change change;
  change.branch = "main";
  change.status = "MERGED";
  change.files = {{.path = "lib/list.c"}};
  auto on_lib = merged("lib");
  on_lib.run_if_changed = "^lib/";
  auto not_lib = merged("notlib");
  not_lib.skip_if_only_changed = "^lib/";
  auto never = merged("never");
  never.always_run = false;
  auto next = merged("next");
  next.branches = {"next"};
  Lines out;
  for (const Decision& decision : decide_postsubmits(change, {merged("a"), on_lib, not_lib, never, next}))
    out.push_back(fmt::format("{}{} {}: {}", decision.index, decision.run ? "+" : "-", decision.job, decision.reason));
  EXPECT_EQ(out, (Lines{"0+ a: merged", "1+ lib: merged, run_if_changed '^lib/' matches lib/list.c",
                        "2- notlib: skip_if_only_changed '^lib/' matches every changed file",
                        "3- never: always_run is false", "4- next: branch main is not in branches (next)"}));
}

TEST(Trigger, TellsJobsOfOneNameApartByTheirIndex) {
  const auto out = decide(patchset({on_branches(always("a"), {"next"}), on_branches(always("a"), {"main"})}));
  EXPECT_FALSE(out.decisions[0].run);
  EXPECT_TRUE(out.decisions[1].run);
  EXPECT_EQ(out.decisions[1].index, 1U);
}

}  // namespace
}  // namespace bowsprit::trigger
