#include "wire/encoding.hpp"

#include "support/fakes.hpp"
#include "wire/digest.hpp"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace sharedrift {
namespace {

TEST(Encoding, HexHasTwoDigitsForEachByte) {
  EXPECT_EQ(to_hex(""), "");
  EXPECT_EQ(to_hex({"\0\x0f\xf0\xff", 4}), "000ff0ff");
}

TEST(Encoding, Base64IsThatOfRfc4648) {
  const std::vector<std::pair<std::string, std::string>> vectors{{"", ""},
                                                                 {"f", "Zg=="},
                                                                 {"fo", "Zm8="},
                                                                 {"foo", "Zm9v"},
                                                                 {"foob", "Zm9vYg=="},
                                                                 {"fooba", "Zm9vYmE="},
                                                                 {"foobar", "Zm9vYmFy"},
                                                                 {"\xfb\xff\xfe", "+//+"}};
  for (const auto& [plain, coded] : vectors) {
    EXPECT_EQ(to_base64(plain), coded);
    EXPECT_EQ(from_base64(coded), plain);
    EXPECT_EQ(from_base64(coded.substr(0, coded.find('='))), plain) << "the padding may be missing";
  }
  for (const char* none : {"Z", "Zm9vY", "Zm 9v", "Zm9v\n", "Zm=9", "Zm-_", "\xff"})
    EXPECT_EQ(from_base64(none), std::nullopt) << none;
}

TEST(Encoding, ANonceIsNeverTheSame) {
  testing::SeededRandom random(5);
  std::set<std::string> nonces;
  for (int i = 0; i < 100; ++i)
    nonces.insert(make_nonce(random));
  EXPECT_EQ(nonces.size(), 100U);
  EXPECT_EQ(nonces.begin()->size(), 32U);
}

TEST(Digest, IsThatOfThePublishedVectors) {
  EXPECT_EQ(to_hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  // RFC 4231 and RFC 2202, case 2
  EXPECT_EQ(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(to_hex(hmac_sha1("Jefe", "what do ya want for nothing?")),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
  EXPECT_EQ(hmac_sha256("", "text"), "");
  EXPECT_EQ(hmac_sha1("", "text"), "");
}

}  // namespace
}  // namespace sharedrift
