// SPDX-License-Identifier: Apache-2.0
// The whole executor on real git and real runc; the "kernel" is a few text files and a build by make.
#include "exec/local/local_executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "exec/local/git_fixture.h"
#include "exec/local/image_fixture.h"

namespace bowsprit::exec {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// Keeps all that it is told, and lets a test wait for it.
class Recorder final : public RunObserver {
 public:
  struct Seen {
    std::vector<std::string> phases;
    std::string output;
    std::optional<RunOutcome> outcome;
  };
  void on_phase(const std::string& id, std::string_view phase) override {
    const std::scoped_lock lock(mutex_);
    seen_[id].phases.emplace_back(phase);
    changed_.notify_all();
  }
  void on_output(const std::string& id, std::string_view bytes) override {
    const std::scoped_lock lock(mutex_);
    seen_[id].output += bytes;
    changed_.notify_all();
  }
  void on_finished(const std::string& id, RunOutcome outcome) override {
    const std::scoped_lock lock(mutex_);
    EXPECT_FALSE(seen_[id].outcome) << "finished twice";
    seen_[id].outcome = std::move(outcome);
    changed_.notify_all();
  }
  Seen finished(const std::string& id) {
    return when(id, [](const Seen& seen) { return seen.outcome.has_value(); });
  }
  Seen when(const std::string& id, const std::function<bool(const Seen&)>& condition) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(60), [&] { return condition(seen_[id]); }))
        << "run " << id;
    return seen_[id];
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Seen> seen_;
};

/// A build that leaves its mark in the build folder: what make rebuilt is in the output.
constexpr const char* kMakefile =
    "all: $(O)/a.o $(O)/b.o\n"
    "$(O)/%.o: %.c header\n\t@echo CC $<; cp $< $@\n";

class LocalExecutorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto dir = TempDir::create("executor-test");
    ASSERT_TRUE(dir);
    dir_.emplace(std::move(*dir));
    repository_.emplace(dir_->path() / "upstream");
    repository_->write("Makefile", kMakefile);
    repository_->write("a.c", "a\n");
    repository_->write("b.c", "b\n");
    repository_->write("header", "h\n");
    base_ = repository_->commit("base");
    open();
  }
  void open(std::map<std::string, fs::path> images = {}, std::function<bool(const fs::path&)> misses_base = {}) {
    executor_.reset();
    auto executor = LocalExecutor::create({.work = dir_->path() / "exec",
                                           .bowsprit = BOWSPRIT_BINARY,
                                           .images = std::move(images),
                                           .misses_base = std::move(misses_base)});
    ASSERT_TRUE(executor) << executor.error().text();
    executor_ = std::move(*executor);
    ASSERT_TRUE(executor_->recover());
  }
  RunRequest request(const std::string& id, const prow::Pull& pull,
                     const std::string& script = "make O=$BOWSPRIT_BUILD_DIR && cp a.c $ARTIFACTS") {
    RunRequest out{.id = id,
                   .prow_job_id = "uuid",
                   .refs = repository_->refs(pull),
                   .artifacts = dir_->path() / ("artifacts-" + id)};
    out.job.name = "build";
    out.job.decorate = true;
    out.job.decoration_config = {.timeout = seconds(30), .grace_period = milliseconds(300)};
    out.job.spec = {{"containers", Json::array({{{"command", {"sh", "-c"}}, {"args", Json::array({script})}}})}};
    EXPECT_TRUE(make_dirs(out.artifacts));
    return out;
  }
  static bool eventually(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(milliseconds(20));
    }
    return true;
  }
  Recorder::Seen run(RunRequest wanted) {
    const auto id = wanted.id;
    executor_->start(std::move(wanted), recorder_);
    return recorder_.finished(id);
  }

  std::optional<TempDir> dir_;
  std::optional<GitFixture> repository_;
  std::string base_;
  Recorder recorder_;
  std::unique_ptr<LocalExecutor> executor_;
};

TEST_F(LocalExecutorTest, BuildsOnlyWhatTheChangeTouches) {
  repository_->write("a.c", "changed\n");
  repository_->commit("change");
  const auto pull = repository_->change(1, base_);
  const auto first = run(request("1", pull));
  ASSERT_EQ(first.outcome->state, RunState::exited) << first.outcome->reason << first.output;
  EXPECT_EQ(first.outcome->exit_code, 0) << first.output;
  EXPECT_THAT(first.phases, ElementsAre("source", "warm", "run"));
  EXPECT_EQ(first.output, "CC a.c\n");
  EXPECT_TRUE(first.outcome->warm);
  EXPECT_EQ(first.outcome->base_sha, base_);
  EXPECT_EQ(*read_file(dir_->path() / "artifacts-1/a.c"), "changed\n");

  const auto second = run(request("2", pull));
  EXPECT_THAT(second.phases, ElementsAre("source", "run"));
  EXPECT_EQ(second.output, "CC a.c\n") << "the first run left nothing in the warm tree";
  EXPECT_EQ(second.outcome->merged_sha, first.outcome->merged_sha);
}

TEST_F(LocalExecutorTest, RunsAJobInTheImageThatItNames) {
  ASSERT_EQ(::chmod(dir_->path().c_str(), 0711), 0);  // an image has to be readable for jobs
  open({{"registry.example/small:1", make_image(dir_->path() / "image")}});
  const auto pull = repository_->change(1, base_);
  const std::string script =
      "read mark </etc/image-mark && echo $mark; read line <a.c && echo $line; [ -e /usr/bin/make ] && echo make; exit "
      "0";
  auto wanted = request("1", pull, script);
  wanted.job.spec["containers"][0]["image"] = "registry.example/small:1";
  EXPECT_EQ(run(wanted).output, "here\na\n");
  EXPECT_EQ(run(request("2", pull, "[ -e /usr/bin/make ] && echo make")).output, "make\n") << "others see the host";
}

TEST_F(LocalExecutorTest, GivesTheJobExactlyTheMergedTree) {
  repository_->write("gone/only", "1");
  repository_->write("dir/gone", "1");
  repository_->write("dir/stays", "1");
  repository_->write("was-file", "1");
  repository_->write("was-dir/x", "1");
  repository_->write("mode", "1");
  repository_->write("old-name", "renamed content\n");
  repository_->write("link-target", "1");
  repository_->git({"config", "core.symlinks", "true"});
  base_ = repository_->commit("more");
  const fs::path work = repository_->folder();
  ASSERT_TRUE(remove_tree(work / "gone"));
  ASSERT_TRUE(remove_tree(work / "dir/gone"));
  ASSERT_TRUE(remove_tree(work / "was-file"));
  ASSERT_TRUE(remove_tree(work / "was-dir"));
  repository_->write("was-file/now", "a folder");
  repository_->write("was-dir", "a file");
  fs::permissions(work / "mode", fs::perms::owner_all);
  fs::rename(work / "old-name", work / "new-name");
  ASSERT_TRUE(remove_tree(work / "link-target"));
  fs::create_symlink("../outside", work / "link-target");
  repository_->write("new/deep/file", "new");
  const auto tip = repository_->commit("all kinds of edits");
  const auto pull = repository_->change(2, base_);
  const auto seen = run(request("1", pull,
                                "find . -type f -printf '%P %m ' -exec sha1sum '{}' ';' -o -type l -printf '%P -> "
                                "%l\\n' | sort > $ARTIFACTS/list; find . -type d ! -path . | sort > $ARTIFACTS/dirs"));
  ASSERT_EQ(seen.outcome->exit_code, 0) << seen.outcome->reason << seen.output;
  // The truth: git's own checkout of the commit that was merged.
  const auto fresh = dir_->path() / "fresh";
  repository_->git({"worktree", "add", "--quiet", "--detach", fresh.string(), tip});
  ASSERT_TRUE(fs::remove(fresh / ".git"));
  const auto list = run_checked(
      {.argv = {"sh", "-c",
                "find . -type f -printf '%P %m ' -exec sha1sum '{}' ';' -o -type l -printf '%P -> %l\\n' | sort"},
       .cwd = fresh.string()},
      seconds(10));
  const auto dirs =
      run_checked({.argv = {"sh", "-c", "find . -type d ! -path . | sort"}, .cwd = fresh.string()}, seconds(10));
  EXPECT_EQ(*read_file(dir_->path() / "artifacts-1/list"), *list);
  EXPECT_EQ(*read_file(dir_->path() / "artifacts-1/dirs"), *dirs);
}

TEST_F(LocalExecutorTest, FollowsABranchThatMovedOnWithItsOldWarmTree) {
  run(request("1", {.number = 1, .sha = base_, .ref = "refs/heads/master"}));
  repository_->write("b.c", "b of the new tip\n");
  base_ = repository_->commit("the branch moves");
  repository_->write("a.c", "changed\n");
  repository_->commit("change");
  const auto pull = repository_->change(3, base_);
  const auto seen = run(request("2", pull));
  EXPECT_EQ(seen.output, "CC a.c\nCC b.c\n");
  // After a refresh only the change is left to build.
  const auto tree = executor_->refresh(request("3", pull));
  ASSERT_TRUE(tree) << tree.error().text();
  EXPECT_EQ(tree->generation, 2);
  EXPECT_EQ(tree->commit, base_);
  EXPECT_EQ(*read_file(tree->base() / "build-log.txt"), "CC b.c\n") << "refreshed from the tree before";
  EXPECT_EQ(run(request("4", pull)).output, "CC a.c\n");
  EXPECT_EQ(executor_->warm_trees().size(), 1U) << "the old generation is gone";
}

TEST_F(LocalExecutorTest, BringsAnOldWarmTreeToTheTipBehindTheRun) {
  run(request("1", {.number = 1, .sha = base_, .ref = "refs/heads/master"}));
  repository_->write("b.c", "b of the new tip\n");
  base_ = repository_->commit("the branch moves");
  EXPECT_EQ(run(request("2", repository_->change(3, base_))).output, "CC b.c\n");
  const auto deadline = std::chrono::steady_clock::now() + seconds(60);
  const auto fresh = [&] {
    const auto trees = executor_->warm_trees();
    return !trees.empty() && trees.front().commit == base_;
  };
  while (!fresh() && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(milliseconds(10));
  ASSERT_TRUE(fresh());
  repository_->write("a.c", "changed\n");
  repository_->commit("change");
  EXPECT_EQ(run(request("4", repository_->change(4, base_))).output, "CC a.c\n") << "only the change is left to build";
}

TEST_F(LocalExecutorTest, RunsAJobAgainThatMissesItsBaseOnAnOldTree) {
  open({}, [](const fs::path& artifacts) { return fs::exists(artifacts / "misses"); });
  // On the branch itself it keeps the base's b.c; on a change it wants the one of its own base.
  const std::string script =
      "[ -n \"$BOWSPRIT_CHANGE_DIFF\" ] || { cp b.c $BOWSPRIT_BUILD_DIR/kept; exit 0; }\n"
      "cmp -s b.c $BOWSPRIT_BUILD_DIR/kept && { echo known; exit 0; }\n"
      "touch $ARTIFACTS/misses; echo unknown; exit 1";
  repository_->write("a.c", "changed\n");
  repository_->commit("change");
  run(request("1", repository_->change(1, base_), script));
  repository_->write("b.c", "b of the new tip\n");
  base_ = repository_->commit("the branch moves");
  repository_->write("a.c", "changed\n");
  repository_->commit("change");
  const auto wanted = request("2", repository_->change(2, base_), script);
  const auto seen = run(wanted);
  EXPECT_EQ(seen.outcome->exit_code, 0) << seen.output;
  EXPECT_THAT(seen.phases, ElementsAre("source", "run", "warm", "source", "run"));
  EXPECT_THAT(seen.output, testing::MatchesRegex("unknown\n.bowsprit: [^\n]*runs again[^\n]*\nknown\n"));
  EXPECT_TRUE(fs::is_empty(wanted.artifacts)) << "of the last try only";
}

TEST_F(LocalExecutorTest, GivesTheJobWhatTheChangeChangesInCFiles) {
  repository_->write("a.c", "changed\n");
  repository_->write("notes", "no C\n");
  repository_->commit("change");
  const auto seen = run(request("1", repository_->change(1, base_),
                                "[ -z \"$BOWSPRIT_CHANGE_DIFF\" ] || grep '^[-+]' $BOWSPRIT_CHANGE_DIFF"));
  EXPECT_EQ(seen.output, "--- a/a.c\n+++ b/a.c\n-a\n+changed\n");
}

TEST_F(LocalExecutorTest, KeepsATreeWarmBeforeAnyJobAsksAndWhenItsBranchMoves) {
  auto wanted = request("0", {.number = 1, .sha = base_, .ref = "refs/heads/master"});
  wanted.refs.pulls.clear();
  wanted.refs.base_ref.clear();  // HEAD
  executor_->keep_warm({wanted});
  const auto at = [&](const std::string& commit) {
    return eventually([&] {
      const auto trees = executor_->warm_trees();
      return trees.size() == 1 && trees[0].commit == commit && trees[0].built;
    });
  };
  ASSERT_TRUE(at(base_));
  EXPECT_EQ(executor_->warm_trees()[0].branch, "master");
  repository_->write("b.c", "merged\n");
  base_ = repository_->commit("somebody's merged change");
  executor_->branch_moved("linux", "master");
  ASSERT_TRUE(at(base_));
  repository_->write("a.c", "changed\n");
  repository_->commit("change");
  const auto seen = run(request("1", repository_->change(1, base_)));
  EXPECT_THAT(seen.phases, ElementsAre("source", "run"));
  EXPECT_EQ(seen.output, "CC a.c\n");
  EXPECT_EQ(executor_->warm_trees()[0].hits, 1);
}

TEST_F(LocalExecutorTest, EndsTheMakingOfATreeWithTheServerAndKeepsTheOldOne) {
  const std::string script = "[ ! -f slow ] || sleep 1000; make O=$BOWSPRIT_BUILD_DIR";
  auto wanted = request("0", {.number = 1, .sha = base_, .ref = "refs/heads/master"}, script);
  wanted.refs.pulls.clear();
  executor_->keep_warm({wanted});
  ASSERT_TRUE(eventually([&] { return executor_->warm_trees().size() == 1; }));
  repository_->write("slow", "");
  const auto tip = repository_->commit("the branch moves");
  executor_->branch_moved("linux", "master");
  ASSERT_TRUE(eventually([&] { return !fs::is_empty(dir_->path() / "exec/runs"); }));
  const auto begin = std::chrono::steady_clock::now();
  executor_.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
  open();
  ASSERT_EQ(executor_->warm_trees().size(), 1U);
  EXPECT_EQ(executor_->warm_trees()[0].commit, base_);
  EXPECT_NE(tip, base_);
  const auto key = executor_->warm_trees()[0].folder.parent_path();
  EXPECT_TRUE(eventually([&] { return !fs::exists(key / "new"); })) << "after recover what was half made goes";
}

TEST_F(LocalExecutorTest, LetsOnlyTheMakingOfAWarmTreeUseTheCompilersCache) {
  const std::string script =
      "if [ -n \"$CCACHE_DIR\" ]; then echo merged >$CCACHE_DIR/mark; echo \"${BOWSPRIT_BUILD_KEPT:-kept}\"; "
      "else ls /ccache 2>/dev/null; echo \"$BOWSPRIT_BUILD_KEPT\"; fi";
  EXPECT_EQ(run(request("1", repository_->change(1, base_), script)).output, "no\n");
  EXPECT_EQ(*read_file(dir_->path() / "exec/ccache/mark"), "merged\n");
  EXPECT_EQ(*read_file(executor_->warm_trees()[0].base() / "build-log.txt"), "kept\n");
}

TEST_F(LocalExecutorTest, NamesTheFilesOfAMergeConflict) {
  repository_->write("a.c", "one way\n");
  repository_->commit("change");
  const auto pull = repository_->change(4, base_);
  repository_->write("a.c", "another way\n");
  repository_->commit("upstream");
  const auto seen = run(request("1", pull));
  EXPECT_EQ(seen.outcome->state, RunState::merge_conflict);
  EXPECT_THAT(seen.outcome->conflicts, ElementsAre("a.c"));
  EXPECT_THAT(seen.phases, ElementsAre("source"));
}

TEST_F(LocalExecutorTest, MakesTheMergeCommitThatProwMakes) {
  repository_->write("a.c", "changed\n");
  repository_->commit("change");
  const auto pull = repository_->change(5, base_);
  repository_->write("b.c", "upstream\n");
  const auto tip = repository_->commit("upstream");
  const auto seen = run(request("1", pull));
  // Prow's own commands (reference: clonerefs plan).
  const auto time = std::stoll(repository_->git({"show", "-s", "--format=%ct", tip})) + 1;
  const Environment prow{{"GIT_AUTHOR_NAME", "ci-robot"},           {"GIT_AUTHOR_EMAIL", "ci-robot@k8s.io"},
                         {"GIT_COMMITTER_NAME", "ci-robot"},        {"GIT_COMMITTER_EMAIL", "ci-robot@k8s.io"},
                         {"GIT_AUTHOR_DATE", std::to_string(time)}, {"GIT_COMMITTER_DATE", std::to_string(time)}};
  repository_->git({"merge", "--quiet", "--no-ff", "--no-edit", pull.sha}, prow);
  EXPECT_EQ(seen.outcome->merged_sha, repository_->git({"rev-parse", "HEAD"}));
}

TEST_F(LocalExecutorTest, TakesAChangeThatIsAlreadyInTheBranchAsTheBranch) {
  repository_->write("a.c", "merged already\n");
  const auto tip = repository_->commit("merged");
  const auto seen = run(request("1", {.number = 6, .sha = tip, .ref = "refs/heads/master"}));
  EXPECT_EQ(seen.outcome->merged_sha, tip);
  EXPECT_EQ(seen.outcome->exit_code, 0);
}

TEST_F(LocalExecutorTest, BlamesTheInfrastructureForAMissingChange) {
  const auto seen = run(request("1", {.number = 7, .sha = std::string(40, 'a'), .ref = "refs/changes/07/7/1"}));
  EXPECT_EQ(seen.outcome->state, RunState::infra_error);
  EXPECT_THAT(seen.outcome->reason, HasSubstr("refs/changes/07/7/1"));
}

TEST_F(LocalExecutorTest, RefusesNamesThatGitWouldTakeForOptions) {
  auto hostile = request("1", {.number = 8, .sha = base_, .ref = "--upload-pack=touch /tmp/owned"});
  EXPECT_EQ(run(std::move(hostile)).outcome->state, RunState::infra_error);
  auto branch = request("2", {.number = 8, .sha = base_, .ref = "refs/heads/master"});
  branch.refs.base_ref = "-x";
  EXPECT_EQ(run(std::move(branch)).outcome->state, RunState::infra_error);
  auto url = request("3", {.number = 8, .sha = base_, .ref = "refs/heads/master"});
  url.refs.clone_uri = "ext::sh -c 'touch /tmp/owned'";
  EXPECT_EQ(run(std::move(url)).outcome->state, RunState::infra_error);
}

TEST_F(LocalExecutorTest, RunsColdWhereTheBranchItselfDoesNotEnd) {
  const std::string script =
      "if [ -f hang ]; then echo half > $BOWSPRIT_BUILD_DIR/a.o; sleep 1000; fi; ls $BOWSPRIT_BUILD_DIR; make "
      "O=$BOWSPRIT_BUILD_DIR";
  repository_->write("hang", "");
  base_ = repository_->commit("hangs");
  ASSERT_TRUE(remove_tree(repository_->folder() / "hang"));
  repository_->commit("repaired");
  const auto pull = repository_->change(9, base_);
  auto wanted = request("1", pull, script);
  wanted.job.decoration_config.timeout = seconds(1);
  const auto seen = run(std::move(wanted));
  EXPECT_EQ(seen.output, "CC a.c\nCC b.c\n") << "nothing of the killed build is used";
  EXPECT_FALSE(seen.outcome->warm);
}

TEST_F(LocalExecutorTest, AbortsARunInTheSandbox) {
  auto wanted = request("1", {.number = 1, .sha = base_, .ref = "refs/heads/master"},
                        "if [ -n \"$PULL_NUMBER\" ] && [ \"$PULL_NUMBER\" != 0 ]; then echo started; sleep 1000; fi");
  executor_->start(std::move(wanted), recorder_);
  recorder_.when("1", [](const auto& seen) { return seen.output == "started\n"; });
  executor_->abort("1");
  executor_->abort("unknown");
  const auto seen = recorder_.finished("1");
  EXPECT_EQ(seen.outcome->state, RunState::aborted);
}

TEST_F(LocalExecutorTest, AbortsARunThatWaitsForItsWarmTree) {
  const std::string script = "sleep 2; make O=$BOWSPRIT_BUILD_DIR";
  const prow::Pull pull{.number = 1, .sha = base_, .ref = "refs/heads/master"};
  executor_->start(request("1", pull, script), recorder_);
  recorder_.when("1", [](const auto& seen) { return seen.phases.size() == 2; });
  executor_->abort("1");
  EXPECT_EQ(recorder_.finished("1").outcome->state, RunState::aborted);
  // The tree is made all the same, and the next run of the job waits for it.
  EXPECT_THAT(run(request("2", pull, script)).output, HasSubstr("Nothing to be done"));
}

TEST_F(LocalExecutorTest, TellsEachEndOfAJob) {
  const prow::Pull pull{.number = 1, .sha = base_, .ref = "refs/heads/master"};
  EXPECT_EQ(run(request("1", pull, "exit 3")).outcome->exit_code, 3);
  auto slow = request("2", pull, "[ $PULL_NUMBER = 1 ] || exit 0; sleep 1000");
  slow.job.decoration_config.timeout = milliseconds(500);
  EXPECT_EQ(run(std::move(slow)).outcome->state, RunState::timed_out);
  auto impossible = request("3", pull);
  impossible.job.spec["volumes"] = Json::array({{{"name", "v"}, {"hostPath", {{"path", "/"}}}}});
  impossible.job.spec["containers"][0]["volumeMounts"] = Json::array({{{"name", "v"}, {"mountPath", "/host"}}});
  EXPECT_THAT(run(std::move(impossible)).outcome->reason, HasSubstr("'v'"));
}

TEST_F(LocalExecutorTest, CanNotBeTamperedWith) {
  const prow::Pull pull{.number = 1, .sha = base_, .ref = "refs/heads/master"};
  run(request("1", pull));
  // Another command is another job, so this one shares nothing but the machine; the same command with hostile content
  // does.
  repository_->write("a.c", "changed\n");
  repository_->write("Makefile",
                     "all:\n\trm -rf $(O)/*; echo evil > $(O)/a.o; touch -d 2099-01-01 $(O)/a.o; rm -rf ../linux/* "
                     "a.c; echo evil > a.c\n");
  repository_->commit("hostile");
  const auto hostile = repository_->change(2, base_);
  EXPECT_EQ(run(request("2", hostile)).outcome->exit_code, 0);
  const auto after = run(request("3", pull));
  EXPECT_THAT(after.output, HasSubstr("Nothing to be done"));
  EXPECT_EQ(*read_file(dir_->path() / "artifacts-3/a.c"), "a\n");
}

TEST_F(LocalExecutorTest, LeavesNothingOfAFinishedRun) {
  run(request("1", {.number = 1, .sha = base_, .ref = "refs/heads/master"}));
  for (const char* folder : {"layers", "runs", "state"})
    EXPECT_TRUE(fs::is_empty(dir_->path() / "exec" / folder)) << folder;
}

}  // namespace
}  // namespace bowsprit::exec
