// SPDX-License-Identifier: Apache-2.0
#include "podutils/archive_censor.h"

#include <gmock/gmock.h>

#include "base/strings.h"
#include "os/process.h"
#include "podutils/sidecar.h"

namespace bowsprit::podutils {
namespace {

constexpr std::string_view kSecret = "hunter2-is-the-password";

class CensorTest : public testing::Test {
 protected:
  [[nodiscard]] fs::path path(std::string_view name) const { return temp_.path() / name; }
  void write(std::string_view name, std::string_view text) const {
    ASSERT_TRUE(make_dirs(path(name).parent_path()));
    ASSERT_TRUE(write_file(path(name), text));
  }
  [[nodiscard]] std::string text(std::string_view name) const { return read_file(path(name)).value_or("(absent)"); }
  /// Runs a shell command in the folder; its stdout.
  std::string shell(const std::string& command) const {
    auto out = run_checked({.argv = {"bash", "-ec", command}, .cwd = temp_.path().string()}, seconds(60));
    EXPECT_TRUE(out) << out.error().text();
    return out.value_or("");
  }

  TempDir temp_ = *TempDir::create("censor-test");
  Censor censor_{{std::string(kSecret)}, 0};
};

TEST_F(CensorTest, CoversTheTextItsTrimmedFormAndBase64) {
  const Censor censor({"  secret-word\n", "true", "ab"}, 3);
  std::string text =
      "a secret-word, true, ab, " + base64_encode("secret-word") + " " + base64_encode("  secret-word\n");
  EXPECT_TRUE(censor.mask(text));
  EXPECT_EQ(text, "a XXXXXXXXXXX, true, ab, " + std::string(16, 'X') + " " + std::string(20, 'X'));
}

TEST_F(CensorTest, CoversSecretsThatOverlap) {
  const Censor censor({"abcd", "cdef"}, 0);
  std::string text = "-abcdef-";
  EXPECT_TRUE(censor.mask(text));
  EXPECT_EQ(text, "-XXXXXX-");
}

TEST_F(CensorTest, FindsASecretAcrossTheEdgesOfItsWindow) {
  for (const std::size_t shift : {0UL, 1UL, 10UL, kSecret.size() - 1}) {
    std::string content((1U << 20U) - shift, 'a');
    content += kSecret;
    content += std::string(100, 'b');
    write("file", content);
    const auto masked = censor_.mask_file(path("file"));
    ASSERT_TRUE(masked);
    EXPECT_TRUE(*masked) << shift;
    EXPECT_EQ(text("file"), replace_all(content, kSecret, std::string(kSecret.size(), 'X')));
  }
}

TEST_F(CensorTest, ReadsSecretsAsTheyAreMounted) {
  write("secrets/..data/token", "mounted-token\n");
  fs::create_symlink("..data/token", path("secrets/token"));
  write("secrets/docker/.dockerconfigjson",
        R"({"auths":{"registry":{"auth":"YXV0aA==x","password":"registry-password"}}})");
  write("secrets/cloud.ini", "[default]\nkey_id = an-ini-value\n; comment\n");
  const auto censor = Censor::load({.secret_directories = {path("secrets").string()}, .ini_filenames = {"cloud.ini"}});
  ASSERT_TRUE(censor) << censor.error().text();
  std::string all = "mounted-token registry-password YXV0aA==x an-ini-value key_id";
  censor->mask(all);
  EXPECT_EQ(all, "XXXXXXXXXXXXX XXXXXXXXXXXXXXXXX XXXXXXXXX XXXXXXXXXXXX key_id");
}

TEST_F(CensorTest, RefusesSecretsThatItCantRead) {
  EXPECT_FALSE(Censor::load({.secret_directories = {path("missing").string()}}));
  write("secrets/.dockercfg", "no JSON");
  EXPECT_FALSE(Censor::load({.secret_directories = {path("secrets").string()}}));
}

struct Packing {
  std::string_view name, pack, list;
};
class Packed : public CensorTest, public testing::WithParamInterface<Packing> {};

TEST_P(Packed, IsWrittenAnewWithoutTheSecretAndElseTheSame) {
  write("d/log.txt", fmt::format("before {} after\n", kSecret));
  write("d/sub/other.txt", "nothing here\n");
  shell(std::string(GetParam().pack));
  const auto done = censor_file(censor_, path("packed"));
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_TRUE(*done);
  const std::string content = shell(std::string(GetParam().list));
  EXPECT_THAT(content, testing::HasSubstr("before XXXXXXXXXXXXXXXXXXXXXXX after"));
  EXPECT_EQ(content.find(kSecret), std::string::npos);
}

TEST_P(Packed, KeepsItsBytesWithoutASecret) {
  write("d/log.txt", "harmless\n");
  write("d/sub/other.txt", "nothing here\n");
  shell(std::string(GetParam().pack));
  const std::string before = text("packed");
  const auto done = censor_file(censor_, path("packed"));
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_FALSE(*done);
  EXPECT_EQ(text("packed"), before);
}

TEST_P(Packed, ThatIsCutShortIsRefused) {
  write("d/log.txt", fmt::format("{}\n", kSecret));
  shell("head -c 100000 /dev/urandom > d/sub-bulk");
  shell(std::string(GetParam().pack));
  const std::string whole = text("packed");
  write("packed", whole.substr(0, whole.size() / 2));
  EXPECT_FALSE(censor_file(censor_, path("packed")));
}

// Python's zipfile, since Debian's zip is one more package.
constexpr std::string_view kZip =
    "python3 -c 'import zipfile,os\nz=zipfile.ZipFile(\"packed\",\"w\",zipfile.ZIP_DEFLATED)\n"
    "[z.write(os.path.join(r,f)) for r,_,n in os.walk(\"d\") for f in n]\nz.close()'";
INSTANTIATE_TEST_SUITE_P(
    All, Packed,
    testing::Values(
        Packing{"tar", "tar cf packed d", "tar xOf packed"}, Packing{"tgz", "tar czf packed d", "tar xzOf packed"},
        Packing{"txz", "tar cJf packed d", "tar xJOf packed"}, Packing{"tbz", "tar cjf packed d", "tar xjOf packed"},
        Packing{"tzst", "tar cf - d | zstd -q -o packed", "zstd -dcq packed | tar xO"},
        Packing{"gz", "cat d/* 2>/dev/null | gzip > packed", "gzip -dc packed"},
        Packing{"xz", "cat d/* 2>/dev/null | xz > packed", "xz -dc packed"},
        Packing{"bz2", "cat d/* 2>/dev/null | bzip2 > packed", "bzip2 -dc packed"},
        Packing{"zst", "cat d/* 2>/dev/null | zstd -q -o packed", "zstd -dcq packed"},
        Packing{
            "zip", kZip,
            "python3 -c 'import zipfile\nz=zipfile.ZipFile(\"packed\")\nprint([z.read(n).decode(errors=\"replace\") "
            "for n in z.namelist()])'"}),
    [](const auto& packing) { return std::string(packing.param.name); });

TEST_F(CensorTest, OpensArchivesInArchives) {
  write("d/log.txt", std::string(kSecret));
  shell("tar czf inner.tgz d && mkdir o && mv inner.tgz o && tar cJf packed o");
  const auto done = censor_file(censor_, path("packed"));
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_TRUE(*done);
  EXPECT_EQ(shell("tar xJOf packed o/inner.tgz | tar xzO"), std::string(kSecret.size(), 'X'));
}

TEST_F(CensorTest, RefusesWhatIsTooDeepOrEncrypted) {
  write("d0", std::string(kSecret));
  for (int i = 0; i < 6; ++i) shell(fmt::format("tar czf d{} d{}", i + 1, i));
  EXPECT_FALSE(censor_file(censor_, path("d6")));
}

TEST_F(CensorTest, LeavesTextThatOnlyBeginsLikeAnArchive) {
  write("text", "BZh is how bzip2 files begin, and PK\x03 is not enough");
  const auto done = censor_file(censor_, path("text"));
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_FALSE(*done);
}

TEST(Glob, MatchesAsProwsDoes) {
  struct Case {
    std::string_view pattern, path;
    bool matches;
  };
  for (const auto& [pattern, path, matches] : {Case{"a/*.txt", "a/b.txt", true},
                                               {"a/*.txt", "a/b/c.txt", false},
                                               {"**/*.txt", "a/b/c.txt", true},
                                               {"**/*.txt", "c.txt", true},
                                               {"a/**", "a/b/c", true},
                                               {"a/**/c", "a/c", true},
                                               {"a/**/c", "a/x/y/c", true},
                                               {"first/exclude", "first/exclude", true},
                                               {"f?", "fx", true},
                                               {"f?", "f/", false},
                                               {"[a-c]x", "bx", true},
                                               {"[!a-c]x", "bx", false},
                                               {"{a,b}/c", "b/c", true},
                                               {"{a,b}/c", "d/c", false}})
    EXPECT_EQ(glob_matches(pattern, path), matches) << pattern << " " << path;
  EXPECT_FALSE(is_censored({.include_directories = {"a/**"}, .exclude_directories = {"a/x"}}, "a/x"));
  EXPECT_TRUE(is_censored({.include_directories = {"a/**"}, .exclude_directories = {"a/x"}}, "a/y"));
  EXPECT_FALSE(is_censored({.include_directories = {"a/**"}}, "b"));
}

TEST(Sidecar, JudgesByAllMarkers) {
  struct Case {
    std::vector<std::optional<int>> codes;
    bool passed, aborted;
    int failures;
  };
  for (const auto& [codes, passed, aborted, failures] : {Case{{0, 0}, true, false, 0},
                                                         {{0, 1}, false, false, 1},
                                                         {{130}, false, true, 1},
                                                         {{127, 1130}, false, false, 1},
                                                         {{std::nullopt}, false, false, 1},
                                                         {{1130}, false, false, 0},
                                                         {{-1, 130}, false, true, 2}}) {
    const Verdict verdict = verdict_of(codes);
    EXPECT_EQ(verdict.passed, passed);
    EXPECT_EQ(verdict.aborted, aborted);
    EXPECT_EQ(verdict.failures, failures);
  }
}

TEST_F(CensorTest, MetadataOfLaterContainersWins) {
  write("a", R"({"k":1,"only_a":true,"entrypoint":{"end":"timed_out"}})");
  write("b", R"({"k":2})");
  write("c", "no JSON");
  const std::vector<WrapperOptions> entries{
      {.args = {"x"}, .container_name = "one", .metadata_file = path("a").string()},
      {.container_name = "two", .metadata_file = path("b").string()},
      {.args = {"z", "y"}, .container_name = "three", .metadata_file = path("c").string()},
      {.container_name = "four", .metadata_file = path("absent").string()}};
  const Json all = combine_metadata(entries, [](const std::string& file) { return read_file(file); });
  EXPECT_EQ(json_int(all, "k"), 2);
  EXPECT_TRUE(json_bool(all, "only_a"));
  EXPECT_EQ(json_string(json_get(json_get(all, "entrypoint"), "one"), "end"), "timed_out");
  EXPECT_EQ(json_get(all, "sidecar-errors").size(), 1U);
  EXPECT_TRUE(json_get(all, "sidecar-errors").contains("entry 2: z y"));
}

}  // namespace
}  // namespace bowsprit::podutils
