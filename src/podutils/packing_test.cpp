// SPDX-License-Identifier: Apache-2.0
#include "podutils/packing.h"

#include <gmock/gmock.h>
#include <zlib.h>

#include "os/files.h"

namespace bowsprit::podutils {
namespace {

/// What a gzip file holds.
std::string unpacked(const fs::path& path) {
  gzFile file = gzopen(path.c_str(), "rb");
  std::string out(1U << 20U, '\0');
  const int count = gzread(file, out.data(), static_cast<unsigned>(out.size()));
  gzclose(file);
  out.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
  return out;
}

class Pack : public testing::Test {
 protected:
  [[nodiscard]] Packed packed(const std::string& name, const Content& content, const Packing& packing) const {
    auto out = pack(name, content, packing, scratch_);
    EXPECT_TRUE(out) << out.error().text();
    return std::move(*out);
  }
  [[nodiscard]] fs::path file(const std::string& name, std::string_view bytes) const {
    EXPECT_TRUE(write_file(dir_.path() / name, bytes));
    return dir_.path() / name;
  }

  TempDir dir_ = *TempDir::create("packing-test");
  fs::path scratch_ = dir_.path() / "scratch";
  std::string long_ = std::string(700000, 'x');
};

TEST_F(Pack, PacksLongFilesOfTheNamedTypes) {
  for (const Content& content : {Content(long_), Content(file("in", long_))}) {
    const Packed out = packed("a/b.log", content, {.compress_types = {"txt", "log"}});
    EXPECT_EQ(out.attributes.content_encoding, "gzip");
    EXPECT_EQ(out.attributes.content_type, "text/plain; charset=utf-8");
    EXPECT_EQ(unpacked(std::get<fs::path>(out.content)), long_);
    EXPECT_LT(fs::file_size(scratch_), 2000U);
    fs::remove(scratch_);
  }
  EXPECT_EQ(packed("a", long_, {.compress_types = {"*"}}).attributes.content_encoding, "gzip");
}

TEST_F(Pack, LeavesOtherFilesAsTheyAre) {
  const Packing logs{.compress_types = {"log"}};
  EXPECT_EQ(packed("b.txt", long_, logs).attributes.content_encoding, "");
  EXPECT_EQ(packed("b.log", std::string(1024, 'x'), logs).attributes.content_encoding, "");
  EXPECT_EQ(packed("b.gz", long_, {.compress_types = {"*"}}).attributes.content_encoding, "");
  EXPECT_EQ(packed("b.log", "\x1f\x8b" + long_, logs).attributes.content_encoding, "") << "it is gzip already";
}

TEST_F(Pack, AFileThatCamePackedIsSaidToBeIfItIs) {
  const Packed good = packed("b.json", file("b.json.gz", "\x1f\x8b..."), {});
  EXPECT_EQ(good.attributes.content_encoding, "gzip");
  EXPECT_EQ(good.attributes.content_type, "application/json");
  EXPECT_EQ(packed("b.json", file("c.json.gz", "plain"), {}).attributes.content_encoding, "");
  EXPECT_EQ(packed("b.tar.gz", file("b.tar.gz", "\x1f\x8b..."), {}).attributes.content_encoding, "");
}

TEST_F(Pack, TypesAreTheOperatorsWord) {
  EXPECT_EQ(packed("b.html", std::string("<b>"), {.media_types = {{"html", "text/html"}}}).attributes.content_type,
            "text/html");
}

TEST(NameWithoutPacking, KeepsArchivesAndNamesOfNothingElse) {
  EXPECT_EQ(name_without_packing("a/log.txt.gz"), "a/log.txt");
  EXPECT_EQ(name_without_packing("a/log.gzip"), "a/log");
  EXPECT_EQ(name_without_packing("a/x.tar.gz"), "a/x.tar.gz");
  EXPECT_EQ(name_without_packing("a/.gz"), "a/.gz");
}

}  // namespace
}  // namespace bowsprit::podutils
