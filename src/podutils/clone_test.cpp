// SPDX-License-Identifier: Apache-2.0
#include "podutils/clone.h"

#include <gmock/gmock.h>

#include "base/strings.h"
#include "podutils/clonerefs.h"
#include "podutils/github_app.h"

namespace bowsprit::podutils {
namespace {

using testing::HasSubstr;

/// A repository with a branch of six commits, and a change made on one of the first.
class Clone : public testing::Test {
 protected:
  void SetUp() override {
    git({"init", "-q", "-b", "main", origin().string()}, "/");
    for (const char* setting : {"user.name=Dev", "user.email=dev@example"})
      git({"config", split(setting, '=')[0], split(setting, '=')[1]});
    git({"config", "uploadpack.allowAnySHA1InWant", "true"});
    git({"config", "uploadpack.allowFilter", "true"});
    commit("one");
    git({"checkout", "-q", "-b", "change"});
    change_ = commit("change");
    git({"update-ref", "refs/changes/42/42/1", change_});
    git({"checkout", "-q", "main"});
    for (int i = 0; i < 5; ++i) base_ = commit(fmt::format("more{}", i));
    git({"branch", "-q", "-D", "change"});
    settings_.src_root = (temp_.path() / "root").string();
    settings_.user_name = "ci-robot";
    settings_.user_email = "ci-robot@k8s.io";
    settings_.pauses = {milliseconds(1)};
    refs_ = {
        .org = "o", .repo = "r", .base_ref = "main", .base_sha = base_, .clone_uri = "file://" + origin().string()};
    refs_.skip_submodules = true;  // there are none, and git's script to find out is slow
    refs_.pulls = {{.number = 42, .sha = change_, .ref = "refs/changes/42/42/1"}};
  }

  [[nodiscard]] fs::path origin() const { return temp_.path() / "origin"; }
  [[nodiscard]] fs::path work() const { return temp_.path() / "root/src/github.com/o/r"; }

  std::string git(std::vector<std::string> args, const std::string& folder = {}) const {
    args.insert(args.begin(), "git");
    Environment env = current_environment();
    env["GIT_CONFIG_GLOBAL"] = "/dev/null";
    env["GIT_AUTHOR_DATE"] = env["GIT_COMMITTER_DATE"] = "1700000000 +0000";
    auto out = run_checked({.argv = args, .env = env, .cwd = folder.empty() ? origin().string() : folder}, seconds(60));
    EXPECT_TRUE(out) << out.error().text();
    return std::string(trim(out.value_or("")));
  }
  std::string commit(const std::string& name) const {
    EXPECT_TRUE(write_file(origin() / name, name));
    git({"add", name});
    git({"commit", "-q", "-m", name});
    return git({"rev-parse", "HEAD"});
  }
  static std::string commands(const CloneRecord& record) {
    std::string out;
    for (const CloneCommand& command : record.commands) out += command.command + "\n" + command.output + command.error;
    return out;
  }

  TempDir temp_ = *TempDir::create("clone-test");
  CloneSettings settings_;
  prow::Refs refs_;
  std::string base_;
  std::string change_;
};

TEST_F(Clone, MergesToTheCommitThatProwMakes) {
  const CloneRecord record = clone(refs_, settings_, {});
  ASSERT_FALSE(record.failed) << commands(record);
  EXPECT_EQ(record.final_sha, git({"rev-parse", "HEAD"}, work().string()));
  EXPECT_EQ(
      git({"log", "-1", "--format=%an|%ae|%at|%ct|%P|%B", "HEAD"}, work().string()),
      fmt::format("ci-robot|ci-robot@k8s.io|1700000001|1700000001|{} {}|Merge commit '{}'", base_, change_, change_));
  EXPECT_EQ(git({"rev-parse", "--abbrev-ref", "HEAD"}, work().string()), "main");
}

TEST_F(Clone, DeepensWhatIsTooShallowToTheSameCommit) {
  const std::string whole = clone(refs_, settings_, {}).final_sha;
  settings_.src_root = (temp_.path() / "shallow").string();
  refs_.clone_depth = 1;
  const CloneRecord record = clone(refs_, settings_, {});
  ASSERT_FALSE(record.failed) << commands(record);
  EXPECT_EQ(record.final_sha, whole);
  EXPECT_THAT(commands(record), HasSubstr("--deepen=50"));
}

TEST_F(Clone, WithoutBlobsAndWithFewFilesGivesTheSameCommit) {
  const std::string whole = clone(refs_, settings_, {}).final_sha;
  settings_.src_root = (temp_.path() / "sparse").string();
  refs_.blobless_fetch = true;
  EXPECT_EQ(clone(refs_, settings_, {}).final_sha, whole);
  settings_.src_root = (temp_.path() / "few").string();
  refs_.sparse_checkout_files = {"sub"};
  const CloneRecord record = clone(refs_, settings_, {});
  EXPECT_EQ(record.final_sha, whole) << commands(record);
}

TEST_F(Clone, ThatCanNeverWorkIsTriedOnce) {
  refs_.pulls[0].ref = "refs/changes/99/99/1";
  settings_.pauses = {milliseconds(60'000)};
  const auto started = std::chrono::steady_clock::now();
  const CloneRecord record = clone(refs_, settings_, {});
  EXPECT_TRUE(record.failed);
  EXPECT_LT(std::chrono::steady_clock::now() - started, seconds(50));
  EXPECT_EQ(record.final_sha, "");
  EXPECT_THAT(record.commands.back().output, HasSubstr("couldn't find remote ref"));
  EXPECT_THAT(record.commands.back().error, HasSubstr("for good"));
}

TEST_F(Clone, IsTriedAgainWhereTheServerIsNotThere) {
  refs_.clone_uri = "http://127.0.0.1:1/x";
  settings_.pauses = {milliseconds(1), milliseconds(1)};
  const CloneRecord record = clone(refs_, settings_, {});
  EXPECT_TRUE(record.failed);
  EXPECT_EQ(record.commands.back().error, "exit status 128");
}

TEST_F(Clone, RefusesNamesThatGitWouldTakeAsOptions) {
  refs_.base_ref = "--upload-pack=touch /tmp/x";
  EXPECT_TRUE(clone(refs_, settings_, {}).failed);
  refs_.base_ref = "main";
  refs_.clone_uri = "ext::sh -c true";
  const CloneRecord record = clone(refs_, settings_, {});
  EXPECT_TRUE(record.failed);
  EXPECT_EQ(record.commands.size(), 1U);
}

TEST_F(Clone, OfAllWritesTheSetUpFirstAndKeepsTheOrder) {
  CloneOptions options{.src_root = settings_.src_root,
                       .log = (temp_.path() / "clone.json").string(),
                       .git_user_name = "ci-robot",
                       .git_user_email = "ci-robot@k8s.io",
                       .refs = {refs_, refs_},
                       .fail = true};
  options.refs[1].path_alias = "elsewhere";
  options.refs[1].base_ref = "absent";
  options.refs[1].base_sha = "";
  EXPECT_FALSE(run_clonerefs(options));
  const auto records = read_clone_records(*read_file(options.log));
  ASSERT_TRUE(records) << records.error().text();
  ASSERT_EQ(records->size(), 3U);
  EXPECT_EQ(records->at(0).refs.repo, "");
  EXPECT_FALSE(records->at(1).failed);
  EXPECT_TRUE(records->at(2).failed);
  options.fail = false;
  EXPECT_TRUE(run_clonerefs(options));
}

TEST_F(Clone, FailsTheSetUpWithoutItsSecrets) {
  CloneOptions options{.src_root = settings_.src_root, .log = "unused", .refs = {refs_}};
  options.oauth_token_file = (temp_.path() / "missing").string();
  const auto records = clone_all(options);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_TRUE(records[0].failed);
}

TEST(CloneRefs, AreReadFromAFlag) {
  const auto refs = parse_refs("gerrit,linux=main:b45e,42:c0de:refs/changes/42/42/1,7");
  ASSERT_TRUE(refs);
  EXPECT_EQ(refs->repo, "linux");
  EXPECT_EQ(refs->text(), "main:b45e,42:c0de:refs/changes/42/42/1,7:");
  for (const char* wrong : {"linux=main", "o,r", "o,r=", "o,r=a:b:c", "o,r=main,x", "o,r=main,1:2:3:4"})
    EXPECT_FALSE(parse_refs(wrong)) << wrong;
}

TEST(GithubApp, SignsItsClaimsWithItsKey) {
  const TempDir temp = *TempDir::create("app-test");
  const auto at = [&](const char* name) { return (temp.path() / name).string(); };
  ASSERT_TRUE(run_checked({.argv = {"openssl", "genrsa", "-out", at("key.pem"), "2048"}}, seconds(60)));
  ASSERT_TRUE(run_checked({.argv = {"openssl", "rsa", "-in", at("key.pem"), "-pubout", "-out", at("public.pem")}},
                          seconds(60)));
  const auto jwt =
      app_jwt({.id = "7", .private_key = Secret(*read_file(at("key.pem")))}, from_unix_millis(1'700'000'000'000));
  ASSERT_TRUE(jwt) << jwt.error().text();
  const auto parts = split(jwt->reveal(), '.');
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_EQ(parts[0], "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9");
  // {"iss":"7","exp":1700000540,"iat":1700000000}
  EXPECT_EQ(parts[1], "eyJpc3MiOiI3IiwiZXhwIjoxNzAwMDAwNTQwLCJpYXQiOjE3MDAwMDAwMDB9");
  ASSERT_TRUE(write_file(at("text"), parts[0] + "." + parts[1]));
  std::string signature = replace_all(replace_all(parts[2], "-", "+"), "_", "/");
  signature.append((4 - signature.size() % 4) % 4, '=');
  ASSERT_TRUE(write_file(at("signature.b64"), signature));
  ASSERT_TRUE(run_checked(
      {.argv = {"openssl", "base64", "-d", "-A", "-in", at("signature.b64"), "-out", at("signature")}}, seconds(60)));
  EXPECT_TRUE(run_checked(
      {.argv = {"openssl", "dgst", "-sha256", "-verify", at("public.pem"), "-signature", at("signature"), at("text")}},
      seconds(60)));
  EXPECT_FALSE(app_jwt({.id = "7", .private_key = Secret("no key")}, from_unix_millis(0)));
}

}  // namespace
}  // namespace bowsprit::podutils
