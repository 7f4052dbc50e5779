// SPDX-License-Identifier: Apache-2.0
#include "podutils/upload.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "os/files.h"
#include "podutils/initupload.h"

namespace bowsprit::podutils {
namespace {

using testing::ElementsAre;

class Upload : public testing::Test {
 protected:
  [[nodiscard]] fs::path folder(std::string_view name) const { return temp_.path() / name; }
  void file(const fs::path& path, std::string_view text) const {
    ASSERT_TRUE(make_dirs((temp_.path() / path).parent_path()));
    ASSERT_TRUE(write_file(temp_.path() / path, text));
  }
  [[nodiscard]] std::string text(const fs::path& path) const {
    return read_file(temp_.path() / path).value_or("(absent)");
  }
  [[nodiscard]] std::vector<std::string> files(std::string_view below) const {
    std::vector<std::string> out;
    for (const auto& entry : fs::recursive_directory_iterator(folder(below)))
      if (entry.is_regular_file()) out.push_back(entry.path().lexically_relative(folder(below)).string());
    std::ranges::sort(out);
    return out;
  }

  TempDir temp_ = *TempDir::create("upload-test");
  JobSpec spec_{.job = "kunit",
                .build_id = "7",
                .refs = prow::Refs{
                    .org = "https://g", .repo = "linux", .base_ref = "main", .pulls = {{.number = 4, .sha = "p"}}}};
};

TEST_F(Upload, ToABucketHasAliasAndLatestBuild) {
  file("artifacts/sub/a.txt", "a");
  file("artifacts/log.txt.gz", "packed");
  file("artifacts/issue#1", "1");
  const UploadOptions options{.items = {folder("artifacts").string()},
                              .place = {.bucket = "file://" + folder("bucket").string(), .path_strategy = "explicit"}};
  const auto done = upload(options, spec_, artifact_targets(options, spec_), {{"finished.json", std::string("{}")}});
  ASSERT_TRUE(done) << done.error().text();
  const std::string run = "pr-logs/pull/g_linux/4/kunit/7";
  EXPECT_THAT(files("bucket"),
              ElementsAre("pr-logs/directory/kunit/7.txt", "pr-logs/directory/kunit/latest-build.txt",
                          run + "/artifacts/issue%231", run + "/artifacts/log.txt", run + "/artifacts/sub/a.txt",
                          run + "/finished.json", "pr-logs/pull/g_linux/4/kunit/latest-build.txt"));
  EXPECT_EQ(text("bucket/pr-logs/directory/kunit/7.txt"), options.place.bucket + "/" + run);
  EXPECT_EQ(text("bucket/pr-logs/directory/kunit/latest-build.txt"), "7");
}

TEST_F(Upload, ToALocalFolderHasTheRunsFilesAlone) {
  file("artifacts/a.txt", "a");
  const UploadOptions options{.items = {folder("artifacts").string() + "/", folder("missing").string()},
                              .place = {.local_output_dir = folder("out").string()}};
  ASSERT_TRUE(upload(options, spec_, artifact_targets(options, spec_), {{"started.json", std::string("{}")}}));
  EXPECT_THAT(files("out"), ElementsAre("artifacts/a.txt", "started.json"));
}

TEST_F(Upload, DoesNotFollowLinksOutOfTheArtifacts) {
  file("secret", "s");
  file("artifacts/a.txt", "a");
  fs::create_symlink(folder("secret"), folder("artifacts") / "stolen");
  fs::create_symlink("a.txt", folder("artifacts") / "b.txt");
  fs::create_directory_symlink(temp_.path(), folder("artifacts") / "all");
  ASSERT_EQ(::mkfifo((folder("artifacts") / "fifo").c_str(), 0600), 0);
  const UploadOptions options{.items = {folder("artifacts").string()},
                              .place = {.local_output_dir = folder("out").string()}};
  ASSERT_TRUE(upload(options, spec_, artifact_targets(options, spec_), {}));
  EXPECT_THAT(files("out"), ElementsAre("artifacts/a.txt", "artifacts/b.txt"));
}

TEST_F(Upload, ToAStoreThatIsNotThereIsAClearError) {
  UploadOptions options{.place = {.bucket = "s3://b", .path_strategy = "explicit"}};
  const auto done = upload(options, spec_, {}, {});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, ErrorKind::bad_config);
  options.dry_run = true;
  EXPECT_TRUE(upload(options, spec_, {}, {}));
}

TEST_F(Upload, AtTheStartSaysWhatCloningDid) {
  const CloneRecord record{.refs = *spec_.refs, .final_sha = "merged"};
  file("clone.json", dump_json(Json::array({to_json(record)})));
  InitUploadOptions options{.upload = {.place = {.local_output_dir = folder("out").string()}},
                            .log = folder("clone.json").string()};
  ASSERT_TRUE(run_initupload(options, spec_, from_unix_millis(5000)));
  EXPECT_THAT(files("out"), ElementsAre("clone-log.txt", "clone-records.json", "started.json"));
  EXPECT_EQ(text("out/clone-records.json"), text("clone.json"));
  EXPECT_EQ(json_string(*parse_json(text("out/started.json")), "repo-commit"), "merged");
}

TEST_F(Upload, AtTheStartIsAlsoTheEndWhereCloningFailed) {
  const CloneRecord record{
      .refs = *spec_.refs, .commands = {{"git fetch", "fatal\n", "exit status 128", {}}}, .failed = true};
  file("clone.json", dump_json(Json::array({to_json(record)})));
  InitUploadOptions options{.upload = {.place = {.local_output_dir = folder("out").string()}},
                            .log = folder("clone.json").string()};
  EXPECT_FALSE(run_initupload(options, spec_, from_unix_millis(5000)));
  EXPECT_EQ(text("out/finished.json"), R"({"timestamp":5,"passed":false,"result":"FAILURE"})");
  EXPECT_EQ(text("out/build-log.txt"), text("out/clone-log.txt"));
  options.log = folder("missing").string();
  EXPECT_FALSE(run_initupload(options, spec_, from_unix_millis(5000)));
}

}  // namespace
}  // namespace bowsprit::podutils
