// SPDX-License-Identifier: Apache-2.0
#include "podutils/options.h"

#include <gmock/gmock.h>

#include "podutils/job_spec.h"

namespace bowsprit::podutils {
namespace {

using testing::HasSubstr;

TEST(Options, OfEntrypointAreProws) {
  const auto options = read_entrypoint_options(
      R"({"timeout":7200000000000,"grace_period":10000000000,"artifact_dir":"/logs/artifacts","args":["/bin/thing","some"],
      "container_name":"test","process_log":"/logs/process-log.txt","marker_file":"/logs/marker-file.txt",
      "metadata_file":"/logs/artifacts/metadata.json","propagate_error_code":true,"of_a_newer_prow":{}})");
  ASSERT_TRUE(options) << options.error().text();
  EXPECT_EQ(options->timeout, milliseconds(7'200'000));
  EXPECT_EQ(options->grace_period, milliseconds(10'000));
  EXPECT_EQ(options->wrapper.args, (std::vector<std::string>{"/bin/thing", "some"}));
  EXPECT_TRUE(options->propagate_error_code);
  EXPECT_TRUE(validate(*options));
}

TEST(Options, ThatDoNotFitAreAllNamed) {
  const auto options = read_entrypoint_options(R"({"timeout":"2h","args":"x","marker_file":1})");
  ASSERT_FALSE(options);
  for (const char* part : {"timeout: expected a whole number", "args: expected a list", "marker_file: expected a text"})
    EXPECT_THAT(options.error().message, HasSubstr(part));
}

TEST(Options, OfEntrypointAreChecked) {
  EntrypointOptions options{.wrapper = {.args = {"true"}, .process_log = "l", .marker_file = "m"}};
  EXPECT_TRUE(validate(options));
  options.always_zero = options.propagate_error_code = true;
  EXPECT_FALSE(validate(options));
  options = {.wrapper = {.process_log = "l", .marker_file = "m"}};
  EXPECT_FALSE(validate(options));
}

TEST(Options, OfSidecarTakeTheOlderForms) {
  const auto options = read_sidecar_options(
      R"({"gcs_options":{"bucket":"b","path_strategy":"explicit","dry_run":true},"secret_directories":["/s"],
      "wrapper_options":{"process_log":"l","marker_file":"m"},"entries":[{"process_log":"l2","marker_file":"m2"}]})");
  ASSERT_TRUE(options) << options.error().text();
  EXPECT_EQ(options->entries.size(), 2U);
  ASSERT_TRUE(options->censoring);
  EXPECT_EQ(options->censoring->secret_directories, std::vector<std::string>{"/s"});
  EXPECT_TRUE(validate(*options));
  EXPECT_FALSE(read_sidecar_options(R"({"secret_directories":[],"censoring_options":{}})"));
}

TEST(Options, OfUploadNeedAPlace) {
  UploadOptions options{.place = {.path_strategy = "explicit"}};
  EXPECT_FALSE(validate(options));
  options.dry_run = true;
  EXPECT_TRUE(validate(options));
  options.place.path_strategy = "legacy";
  EXPECT_FALSE(validate(options));
  options.place.local_output_dir = "/out";
  EXPECT_TRUE(validate(options));
}

TEST(Options, OfClonerefsAreChecked) {
  const auto read = [](std::string_view more) {
    auto options = read_clone_options(fmt::format(
        R"({{"src_root":"/src","log":"/log","refs":[{{"org":"o","repo":"r","base_ref":"main"}}{}}})", more));
    EXPECT_TRUE(options);
    return validate(*options);
  };
  EXPECT_TRUE(read("]"));
  EXPECT_FALSE(read(R"(,{"org":"o","repo":"r"}])"));
  EXPECT_TRUE(read(R"(,{"org":"o","repo":"r","path_alias":"elsewhere"}])"));
  EXPECT_FALSE(read(R"(,{"org":"o","repo":"r","path_alias":"../../elsewhere"}])"));
  EXPECT_FALSE(read(R"(],"github_app_id":"1","github_api_endpoints":["https://api"])"));
  EXPECT_FALSE(read(R"(],"github_app_id":"1","github_app_private_key_file":"k")"));
  EXPECT_FALSE(read(
      R"(],"github_app_id":"1","github_app_private_key_file":"k","github_api_endpoints":["x"],"oauth_token_file":"t")"));
}

TEST(JobSpec, SaysWhatIsTested) {
  const auto spec =
      read_job_spec(R"({"type":"presubmit","job":"kunit","buildid":"7","refs":{"org":"https://g","repo":"linux",
      "base_ref":"main","base_sha":"b","pulls":[{"number":4,"author":"a","sha":"p","ref":"refs/changes/04/4/1"}]},
      "extra_refs":[{"org":"o","repo":"x","base_ref":"dev"}]})");
  ASSERT_TRUE(spec) << spec.error().text();
  EXPECT_EQ(revision_of(*spec), "p");
  const auto at = from_unix_millis(1'700'000'000'000);
  EXPECT_EQ(
      dump_json(started_json(*spec, {}, at)),
      R"({"timestamp":1700000000,"pull":"4","repos":{"https://g/linux":"main:b,4:p:refs/changes/04/4/1","o/x":"dev"},)"
      R"("repo-commit":"p","repo-version":"p"})");
  EXPECT_EQ(json_string(started_json(*spec, {{.refs = *spec->refs, .final_sha = "merged"}}, at), "repo-commit"),
            "merged");
  EXPECT_EQ(prow::layout::run_folder(place_of(*spec, {.path_strategy = "explicit"})), "pr-logs/pull/g_linux/4/kunit/7");
  EXPECT_EQ(prow::layout::run_folder(
                place_of(*spec, {.path_strategy = "single", .default_org = "https://g", .default_repo = "linux"})),
            "pr-logs/pull/4/kunit/7");
}

TEST(JobSpec, OfAPeriodicTestsTheFirstExtraRefsThatAreNotAuxiliary) {
  const auto spec = read_job_spec(
      R"({"type":"periodic","job":"j","extra_refs":[{"org":"o","repo":"a","auxiliary":true,"base_sha":"1"},{"org":"o","repo":"b","base_ref":"main"}]})");
  ASSERT_TRUE(spec);
  EXPECT_EQ(revision_of(*spec), "main");
  EXPECT_FALSE(read_job_spec(R"({"type":"presubmit","job":"j"})"));
  EXPECT_FALSE(read_job_spec(R"({"type":"other"})"));
}

TEST(CloneRecord, IsReadAsItWasWritten) {
  const CloneRecord record{
      .refs = {.org = "o", .repo = "r", .base_ref = "main", .base_sha = "b", .pulls = {{.number = 4, .sha = "p"}}},
      .commands = {{"git init", "out\n", "exit status 1", std::chrono::milliseconds(1500)}},
      .failed = true,
      .final_sha = "f"};
  const auto read = read_clone_records(dump_json(Json::array({to_json(record)})));
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->at(0).refs, record.refs);
  EXPECT_EQ(describe(read->at(0)), R"(# FAILED
# Cloning o/r at main(b)
# Checking out pulls:
#	4(p)
$ git init (runtime: 1.5s)
out
# Error: exit status 1
# Final SHA: f
# Total runtime: 0s
)");
}

TEST(CloneRecord, PrintsDurationsAsGo) {
  struct Case {
    std::int64_t nanoseconds;
    std::string_view text;
  };
  for (const auto& [nanoseconds, text] : {Case{0, "0s"},
                                          {900, "900ns"},
                                          {1500, "1.5µs"},
                                          {12'345'678, "12.345678ms"},
                                          {1'000'000'000, "1s"},
                                          {62'500'000'000, "1m2.5s"},
                                          {3'600'000'000'000, "1h0m0s"}})
    EXPECT_EQ(go_duration(std::chrono::nanoseconds(nanoseconds)), text);
}

}  // namespace
}  // namespace bowsprit::podutils
