#include "credentials/place_case.hpp"

#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using testing::check_place;
using testing::set_key;

TEST(Places, Environment) {
  check_place<CredentialKind::environment>({
      {"key", [](auto& m, auto&) { set_key(m, " LTAI1\n", "hush", ""); }, "LTAI1", ""},
      {"sts", [](auto& m, auto&) { set_key(m, "STS.1", "hush", "hush-t"); }, "STS.1", ""},
      {"blank token is none", [](auto& m, auto&) { set_key(m, "LTAI1", "hush", " "); }, "LTAI1", ""},
      {"nothing", [](auto&, auto&) {}, "",
       "no credentials from environment: ALIBABA_CLOUD_ACCESS_KEY_ID is not set"},
      {"no secret", [](auto& m, auto&) { set_key(m, "LTAI1", "", ""); }, "",
       "ALIBABA_CLOUD_ACCESS_KEY_SECRET is not"},
      {"no id", [](auto& m, auto&) { set_key(m, "", "hush", ""); }, "", "ALIBABA_CLOUD_ACCESS_KEY_ID is not"},
      {"quoted", [](auto& m, auto&) { set_key(m, "'LTAI1'", "hush", ""); }, "",
       "ALIBABA_CLOUD_ACCESS_KEY_ID holds a character that no key has, at byte 1"},
      {"broken secret", [](auto& m, auto&) { set_key(m, "LTAI1", "hu\nhush", ""); }, "",
       "ALIBABA_CLOUD_ACCESS_KEY_SECRET holds"},
  });
}

TEST(Places, StaticFile) {
  const std::string key = "access_key_id=LTAI1\naccess_key_secret=hush\n";
  check_place<CredentialKind::static_file>({
      {"path", [&](auto& m, auto& o) { o.file = m.write("k", key); }, "LTAI1", ""},
      {"systemd",
       [&](auto& m, auto&) {
         m.write("creds/aliyun", key);
         m.variables["CREDENTIALS_DIRECTORY"] = m.home.file("creds");
       },
       "LTAI1", ""},
      {"systemd, not loaded",
       [](auto& m, auto&) { m.variables["CREDENTIALS_DIRECTORY"] = m.home.file("creds"); }, "",
       "creds/aliyun: No such file"},
      {"nothing", [](auto&, auto&) {}, "", "LoadCredential=aliyun:PATH"},
      {"broken", [](auto& m, auto& o) { o.file = m.write("k", "hush"); }, "", "line 1 is not of the form"},
      {"loose",
       [&](auto& m, auto& o) {
         o.file = m.write("k", key);
         std::filesystem::permissions(o.file, std::filesystem::perms{0644});
       },
       "LTAI1", "read by everybody"},
      {"expired", [&](auto& m, auto& o) { o.file = m.write("k", key + "expiration=2026-01-01T00:00:00Z"); },
       "", "expired at 2026-01-01T00:00:00.000Z"},
  });
}

}  // namespace
}  // namespace sharedrift
