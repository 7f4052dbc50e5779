// SPDX-License-Identifier: Apache-2.0
#include "artifact/store_url.h"

#include <gmock/gmock.h>

#include "artifact/gcs_token.h"
#include "artifact/s3_store.h"
#include "base/strings.h"
#include "os/files.h"

namespace bowsprit::artifact {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

Environment environment(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const char* name) {
    const auto it = values.find(name);
    return it == values.end() ? std::string() : it->second;
  };
}
const Environment kKeys = environment({{"AWS_ACCESS_KEY_ID", "a"}, {"AWS_SECRET_ACCESS_KEY", "s"}});

TEST(StoreUrl, NamesBucketAndPrefix) {
  const auto s3 = parse_store_url("s3://bucket//a/b/");
  ASSERT_TRUE(s3) << s3.error().text();
  EXPECT_EQ(s3->kind, StoreUrl::Kind::s3);
  EXPECT_EQ(s3->bucket, "bucket");
  EXPECT_EQ(s3->prefix, "a/b");
  EXPECT_EQ(parse_store_url("gs://b")->kind, StoreUrl::Kind::gcs);
  EXPECT_EQ(parse_store_url("gs://b")->prefix, "");
  EXPECT_EQ(parse_store_url("file:///x/y")->bucket, "/x/y");
  EXPECT_EQ(parse_store_url("/x/y")->bucket, "/x/y");
}

TEST(StoreUrl, SaysWhatIsWrong) {
  const auto error = [](std::string_view url) { return parse_store_url(url).error().text(); };
  EXPECT_THAT(error("bucket"), StartsWith("the store 'bucket' has no scheme; expected s3://BUCKET"));
  EXPECT_THAT(error("ftp://b"), HasSubstr("has an unknown scheme"));
  EXPECT_THAT(error("s3:///a"), HasSubstr("names no bucket"));
  EXPECT_THAT(error("s3://user:secret@b"), HasSubstr("names no bucket"));
  EXPECT_THAT(error("s3://b/../c"), HasSubstr("has a prefix that no object may have"));
  EXPECT_THAT(error("file://x"), HasSubstr("names no folder"));
  EXPECT_EQ(parse_store_url("x").error().blame, Blame::configuration);
}

/// A signed URL shows which address requests would go to.
std::string address(const StoreSettings& settings, const Environment& from = kKeys) {
  const auto store = open_store(settings, from);
  if (!store) return store.error().text();
  const auto url = (*store)->signed_url("d/o bj", seconds(60));
  return url ? url->substr(0, url->find('?')) : url.error().text();
}

TEST(OpenStore, PutsTheBucketWhereItsServerLooksForIt) {
  EXPECT_EQ(address({.store = "s3://buck/pre"}), "https://buck.s3.us-east-1.amazonaws.com/pre/d/o%20bj");
  EXPECT_EQ(address({.store = "s3://buck", .region = "eu-west-1"}), "https://buck.s3.eu-west-1.amazonaws.com/d/o%20bj");
  EXPECT_EQ(address({.store = "s3://b.c"}), "https://s3.us-east-1.amazonaws.com/b.c/d/o%20bj");
  EXPECT_EQ(address({.store = "s3://buck", .endpoint = "https://s3.example:9000/"}),
            "https://s3.example:9000/buck/d/o%20bj");
  EXPECT_EQ(address({.store = "s3://buck", .endpoint = "https://s3.example:443", .path_style = false}),
            "https://buck.s3.example/d/o%20bj");
  EXPECT_EQ(address({.store = "s3://buck"}, environment({{"AWS_ACCESS_KEY_ID", "a"},
                                                         {"AWS_SECRET_ACCESS_KEY", "s"},
                                                         {"AWS_ENDPOINT_URL", "http://127.0.0.1:1"}})),
            "http://127.0.0.1:1/buck/d/o%20bj");
  EXPECT_THAT(address({.store = "s3://buck", .endpoint = "ftp://x"}), HasSubstr("is no URL such as"));
}

TEST(OpenStore, TakesProwsCredentialsFileAtItsWord) {
  const auto folder = *TempDir::create("store-url-test");
  const auto file = folder.path() / "s3.json";
  ASSERT_TRUE(
      write_file(file, R"({"access_key":"a","secret_key":"s","region":"r","endpoint":"s3.example","insecure":true})"));
  EXPECT_EQ(address({.store = "s3://buck", .credentials_file = file}), "http://buck.s3.example/d/o%20bj");
  ASSERT_TRUE(write_file(
      file, R"({"access_key":"a","secret_key":"s","endpoint":"https://s3.example","s3_force_path_style":true})"));
  EXPECT_EQ(address({.store = "s3://buck", .credentials_file = file}), "https://s3.example/buck/d/o%20bj");
}

TEST(OpenStore, SaysWhereItLookedForCredentials) {
  EXPECT_THAT(address({.store = "s3://buck"}, environment({{"HOME", "/absent"}})),
              HasSubstr("no file '/absent/.aws/credentials'"));
  EXPECT_THAT(address({.store = "gs://buck", .credentials_file = "/absent/key.json"}), HasSubstr("/absent/key.json"));
  EXPECT_THAT(address({.store = "gs://buck"}, environment({{"STORAGE_EMULATOR_HOST", "127.0.0.1:1"}})),
              HasSubstr("needs the key of a service account"));
}

TEST(GcsCredentials, SayWhatTheyLack) {
  const auto error = [](std::string_view json) { return read_gcs_credentials(json).error().text(); };
  EXPECT_EQ(error(R"({"type":"external_account"})"),
            "expected \"type\" service_account or authorized_user, got 'external_account'");
  EXPECT_EQ(error(R"({"type":"service_account"})"), "expected \"client_email\"");
  EXPECT_EQ(error(R"({"type":"service_account","client_email":"a@b"})"), "expected \"private_key\"");
  EXPECT_EQ(error(R"({"type":"authorized_user","client_id":"a"})"), "expected \"client_secret\"");
  EXPECT_EQ(read_gcs_credentials("no").error().blame, Blame::configuration);
  const auto user =
      read_gcs_credentials(R"({"type":"authorized_user","client_id":"a","client_secret":"b","refresh_token":"c"})");
  ASSERT_TRUE(user) << user.error().text();
  EXPECT_EQ(user->token_url, "https://oauth2.googleapis.com/token");
  EXPECT_EQ(gcs_assertion({.kind = GcsCredentials::Kind::service_account, .email = "a@b", .private_key = Secret("x")},
                          SystemClock::now())
                .error()
                .text(),
            "service account 'a@b': the private key is no RSA key in PEM");
}

}  // namespace
}  // namespace bowsprit::artifact
