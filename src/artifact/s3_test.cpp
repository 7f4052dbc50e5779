// SPDX-License-Identifier: Apache-2.0
/// Signatures are compared with the worked examples of the S3 manual ("Signature Calculations for the Authorization
/// Header", "Authenticating Requests: Using Query Parameters").
#include <gmock/gmock.h>

#include "artifact/content_type.h"
#include "artifact/s3_credentials.h"
#include "artifact/s3_xml.h"
#include "artifact/sigv4.h"
#include "base/strings.h"
#include "os/files.h"

namespace bowsprit::artifact {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Pair;

const sigv4::Credentials kExample{.access_key = "AKIAIOSFODNN7EXAMPLE",
                                  .secret_key = Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
                                  .session_token = {}};
const SystemTime kMay2013 = *parse_time("2013-05-24T00:00:00Z");

sigv4::Request example(std::string method, std::string path, std::string_view body = {}) {
  return {.method = std::move(method),
          .host = "examplebucket.s3.amazonaws.com",
          .path = std::move(path),
          .query = {},
          .headers = {},
          .payload_sha256 = sha256_hex(body)};
}
std::string authorization(const sigv4::Request& request) {
  for (const auto& [name, value] : sigv4::signed_headers(request, kExample, "us-east-1", kMay2013))
    if (name == "Authorization") return value;
  return {};
}

TEST(SigV4, SignsTheManualsGetOfARange) {
  auto request = example("GET", "/test.txt");
  request.headers = {{"Range", "bytes=0-9"}};
  EXPECT_EQ(authorization(request),
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
            "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
            "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST(SigV4, SignsTheManualsPutWithAnOddNameAndItsBodysHash) {
  auto request = example("PUT", "/test$file.text", "Welcome to Amazon S3.");
  request.headers = {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}};
  EXPECT_THAT(authorization(request),
              EndsWith("Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"));
}

TEST(SigV4, SignsTheManualsQueries) {
  auto lifecycle = example("GET", "/");
  lifecycle.query = {{"lifecycle", ""}};
  EXPECT_THAT(authorization(lifecycle),
              EndsWith("Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"));
  auto list = example("GET", "/");
  list.query = {{"prefix", "J"}, {"max-keys", "2"}};
  EXPECT_THAT(authorization(list),
              EndsWith("Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"));
}

TEST(SigV4, SignsTheManualsUrl) {
  const auto query =
      sigv4::presigned_query(example("GET", "/test.txt"), kExample, "us-east-1", kMay2013, seconds(86400));
  EXPECT_EQ(query,
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_"
            "request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
            "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

TEST(SigV4, SignsASessionTokenToo) {
  sigv4::Credentials temporary = kExample;
  temporary.session_token = Secret("token");
  const auto headers = sigv4::signed_headers(example("GET", "/"), temporary, "eu-west-1", kMay2013);
  EXPECT_THAT(headers, testing::Contains(Pair("x-amz-security-token", "token")));
  EXPECT_THAT(headers.back().second,
              HasSubstr("/eu-west-1/s3/aws4_request,SignedHeaders=host;x-amz-content-sha256;x-amz-date;"
                        "x-amz-security-token,"));
  EXPECT_THAT(sigv4::presigned_query(example("GET", "/"), temporary, "eu-west-1", kMay2013, seconds(1)),
              HasSubstr("X-Amz-Security-Token=token"));
}

TEST(SigV4, EncodesWhatUrlsCantHaveAndSortsAfterwards) {
  EXPECT_EQ(sigv4::encoded_path("/b/a b/ü+~%"), "/b/a%20b/%C3%BC%2B~%25");
  EXPECT_EQ(sigv4::encoded_query({{"b", "/"}, {"a ", "2"}, {"a", ""}}), "a=&a%20=2&b=%2F");
  EXPECT_EQ(sigv4::timestamp(*parse_time("2026-01-02T03:04:05Z")), "20260102T030405Z");
}

TEST(SigV4, NeverSignsAUrlForMoreThanAWeek) {
  EXPECT_THAT(sigv4::presigned_query(example("GET", "/"), kExample, "r", kMay2013, seconds(99999999)),
              HasSubstr("X-Amz-Expires=604800&"));
}

std::string listing(std::string_view inside) {
  return fmt::format(
      R"(<?xml version="1.0"?><!-- x --><ListBucketResult xmlns="http://s3.amazonaws.com/doc/">{}</ListBucketResult>)",
      inside);
}

TEST(S3Xml, ReadsAPageOfAListing) {
  const auto page = read_s3_listing(
      listing("<Name>b</Name><IsTruncated>true</IsTruncated><NextContinuationToken>t=</NextContinuationToken>"
              "<Contents><Key>a&amp;b/&#x41;&#66;&lt;.log</Key><Size>12</Size><Owner><ID/></Owner></Contents>"
              "<Contents>\n  <Key>c</Key><ETag>&quot;x&quot;</ETag><Size>0</Size></Contents><Prefix/>"));
  ASSERT_TRUE(page) << page.error().text();
  EXPECT_EQ(page->next, "t=");
  ASSERT_EQ(page->objects.size(), 2U);
  EXPECT_EQ(page->objects[0].name, "a&b/AB<.log");
  EXPECT_EQ(page->objects[0].size, 12U);
  EXPECT_EQ(page->objects[1].name, "c");
}

TEST(S3Xml, AnEmptyBucketHasAnEmptyListing) {
  const auto page = read_s3_listing(listing("<IsTruncated>false</IsTruncated>"));
  ASSERT_TRUE(page) << page.error().text();
  EXPECT_TRUE(page->objects.empty());
  EXPECT_EQ(page->next, "");
}

TEST(S3Xml, SaysWhatIsWrongWithOtherInput) {
  const auto error = [](std::string_view xml) {
    const auto page = read_s3_listing(xml);
    return page ? std::string("none") : page.error().text();
  };
  EXPECT_EQ(error(""), "expected XML, got ''");
  EXPECT_EQ(error("hello"), "expected XML, got 'hello'");
  EXPECT_EQ(error("<Error><Code>x</Code></Error>"), "expected <ListBucketResult>");
  EXPECT_EQ(error("<ListBucketResult><Contents>"), "XML ends within 'Contents'");
  EXPECT_EQ(error("<ListBucketResult><a></b></ListBucketResult>"), "XML ends 'b', which was not begun");
  EXPECT_EQ(error("<ListBucketResult"), "XML ends within '<ListBucketResult'");
  EXPECT_EQ(error("<!DOCTYPE a [<!ENTITY b \"c\">]><a/>"), "XML with a document type is not S3's");
  EXPECT_EQ(error("<a/><b/>"), "XML has a second root 'b'");
  EXPECT_EQ(error(listing("<a>&nbsp;</a>")), "XML: '&nbsp;' is no character");
  EXPECT_EQ(error(listing("<a>&#x110000;</a>")), "XML: '&#x110000;' is no character");
  EXPECT_EQ(error(listing("<Contents><Size>-1</Size></Contents>")), "the size of an object is '-1'");
  EXPECT_EQ(error(listing("<IsTruncated>true</IsTruncated>")),
            "a listing is not whole and does not say where it goes on");
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "<a>";
  EXPECT_EQ(error(deep), "XML is nested too deep");
}

TEST(S3Xml, ReadsErrorsAndUploadIds) {
  EXPECT_EQ(read_s3_error("<Error><Code>NoSuchKey</Code><Message>gone</Message></Error>").code, "NoSuchKey");
  EXPECT_EQ(read_s3_error("<html>").code, "");
  EXPECT_EQ(read_s3_error("<Other><Code>a</Code></Other>").code, "");
  EXPECT_EQ(
      *read_s3_upload_id("<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>"),
      "u1");
  EXPECT_FALSE(read_s3_upload_id("<InitiateMultipartUploadResult/>"));
}

Environment environment(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const char* name) {
    const auto it = values.find(name);
    return it == values.end() ? std::string() : it->second;
  };
}

TEST(S3Credentials, AreReadFromProwsFile) {
  const auto account = read_prow_s3_credentials(
      R"({"region":"minio","endpoint":"http://m:9000","insecure":true,"s3_force_path_style":true,"access_key":"a","secret_key":"s"})");
  ASSERT_TRUE(account) << account.error().text();
  EXPECT_EQ(account->region, "minio");
  EXPECT_EQ(account->endpoint, "http://m:9000");
  EXPECT_TRUE(account->insecure && account->path_style);
  EXPECT_EQ(account->credentials.access_key, "a");
  EXPECT_EQ(account->credentials.secret_key.reveal(), "s");
  EXPECT_EQ(read_prow_s3_credentials(R"({"access_key":"a"})").error().text(), "expected \"secret_key\"");
  EXPECT_EQ(read_prow_s3_credentials("[]").error().blame, Blame::configuration);
}

TEST(S3Credentials, AreReadFromAProfile) {
  constexpr std::string_view kFile =
      "# keys\n[default]\naws_access_key_id = d\naws_secret_access_key = ds=\n\n[profile ci]\naws_access_key_id=c\n"
      "aws_secret_access_key=cs\naws_session_token=t\nregion = eu\n[half]\naws_access_key_id=h\n";
  EXPECT_EQ(read_aws_profile(kFile, "default")->credentials.secret_key.reveal(), "ds=");
  const auto named = read_aws_profile(kFile, "ci");
  ASSERT_TRUE(named) << named.error().text();
  EXPECT_EQ(named->credentials.session_token.reveal(), "t");
  EXPECT_EQ(named->region, "eu");
  EXPECT_EQ(read_aws_profile(kFile, "none").error().text(), "there is no profile [none]");
  EXPECT_EQ(read_aws_profile(kFile, "half").error().text(), "profile [half]: expected \"aws_secret_access_key\"");
}

TEST(S3Credentials, ComeFromTheFileThenTheEnvironmentThenTheHomeFolder) {
  const auto folder = *TempDir::create("s3-test");
  ASSERT_TRUE(make_dirs(folder.path() / ".aws"));
  ASSERT_TRUE(
      write_file(folder.path() / ".aws/credentials", "[default]\naws_access_key_id=home\naws_secret_access_key=s\n"));
  ASSERT_TRUE(write_file(folder.path() / "prow.json", R"({"access_key":"file","secret_key":"s","region":"file"})"));
  const std::string home = folder.path();
  const auto both = environment({{"AWS_ACCESS_KEY_ID", "env"},
                                 {"AWS_SECRET_ACCESS_KEY", "s"},
                                 {"HOME", home},
                                 {"AWS_DEFAULT_REGION", "env"},
                                 {"AWS_ENDPOINT_URL", "http://e"}});
  EXPECT_EQ(s3_account(folder.path() / "prow.json", both)->credentials.access_key, "file");
  EXPECT_EQ(s3_account(folder.path() / "prow.json", both)->region, "file");
  EXPECT_EQ(s3_account(folder.path() / "prow.json", both)->endpoint, "http://e");
  EXPECT_EQ(s3_account({}, both)->credentials.access_key, "env");
  EXPECT_EQ(s3_account({}, both)->region, "env");
  EXPECT_EQ(s3_account({}, environment({{"HOME", home}}))->credentials.access_key, "home");
  EXPECT_EQ(s3_account({}, environment({{"HOME", home}, {"AWS_PROFILE", "x"}})).error().text(),
            fmt::format("S3 credentials '{}/.aws/credentials': there is no profile [x]", home));
  EXPECT_EQ(s3_account({}, environment({{"HOME", "/absent"}})).error().blame, Blame::configuration);
}

TEST(ContentType, IsOfTheExtensionElseOfTheBytesAndNeverRuns) {
  EXPECT_EQ(content_type_of("a/b.json", "{}"), "application/json");
  EXPECT_EQ(content_type_of("build-log.txt", "\x1b[31mred"), "text/plain; charset=utf-8");
  EXPECT_EQ(content_type_of("vmlinux", std::string_view("\x7f"
                                                        "ELF\0",
                                                        5)),
            "application/octet-stream");
  EXPECT_EQ(content_type_of("x", "\x1b[31mred\n"), "text/plain; charset=utf-8");
  EXPECT_EQ(content_type_of("x.html", "<script>"), "text/plain; charset=utf-8");
  EXPECT_EQ(content_type_of("x.svg", "<svg>"), "text/plain; charset=utf-8");
}

}  // namespace
}  // namespace bowsprit::artifact
