// SPDX-License-Identifier: Apache-2.0
#include "base/signature.h"

#include <gmock/gmock.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>

#include "base/strings.h"

namespace bowsprit {
namespace {

/// A key pair of its own, since none may lie in the repository.
class Rsa {
 public:
  Rsa() : key_(EVP_RSA_gen(2048), &EVP_PKEY_free) {}
  [[nodiscard]] Secret pem() const {
    const std::unique_ptr<BIO, decltype(&BIO_free_all)> bio(BIO_new(BIO_s_mem()), &BIO_free_all);
    EXPECT_EQ(PEM_write_bio_PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr), 1);
    char* text = nullptr;
    const auto size = BIO_get_mem_data(bio.get(), &text);
    return Secret(std::string(text, static_cast<std::size_t>(size)));
  }
  [[nodiscard]] bool verifies(std::string_view text, std::string_view signature) const {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    EXPECT_EQ(EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()), 1);
    return EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                            reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
  }

 private:
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
};

TEST(Signature, HmacIsThatOfRfc4231) {
  EXPECT_EQ(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(to_hex(hmac_sha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Signature, Base64UrlHasNoCharactersThatUrlsQuote) {
  EXPECT_EQ(base64url_encode("\xfb\xff\xfe"), "-__-");
  EXPECT_EQ(base64url_encode("f"), "Zg");
  EXPECT_EQ(base64url_encode(""), "");
}

TEST(Signature, Md5IsThatOfRfc1321) {
  Md5 hash;
  hash.add("message ");
  hash.add("digest");
  EXPECT_EQ(hash.finish(), base64_encode("\xf9\x6b\x69\x7d\x7c\xb7\x93\x8d\x52\x5a\x2f\x31\xaa\xf1\x61\xd0"));
}

TEST(Signature, OfRsaIsCheckedByThePublicKeyAlone) {
  const Rsa rsa;
  const auto signature = sign_rs256(rsa.pem(), "text");
  ASSERT_TRUE(signature) << signature.error().text();
  EXPECT_TRUE(rsa.verifies("text", *signature));
  EXPECT_FALSE(rsa.verifies("Text", *signature));
  EXPECT_FALSE(Rsa().verifies("text", *signature));
}

TEST(Signature, AJwtCarriesItsClaimsAndASignatureOverBoth) {
  const Rsa rsa;
  const auto jwt = jwt_rs256(rsa.pem(), {{"iss", "a@b"}, {"iat", 1}});
  ASSERT_TRUE(jwt) << jwt.error().text();
  const auto parts = split(jwt->reveal(), '.');
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_EQ(parts[0], base64url_encode(R"({"alg":"RS256","typ":"JWT"})"));
  EXPECT_EQ(parts[1], base64url_encode(R"({"iss":"a@b","iat":1})"));
  EXPECT_EQ(parts[2], base64url_encode(*sign_rs256(rsa.pem(), parts[0] + "." + parts[1])));
}

TEST(Signature, WithoutAnRsaKeyIsTheConfigurationsFault) {
  for (const std::string& text : {std::string(), std::string("no key"), std::string("-----BEGIN X-----\n")}) {
    const auto signature = sign_rs256(Secret(text), "text");
    ASSERT_FALSE(signature);
    EXPECT_EQ(signature.error().kind, ErrorKind::bad_config);
  }
}

}  // namespace
}  // namespace bowsprit
