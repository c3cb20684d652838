#include "credentials/place_case.hpp"

#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using testing::check_place;
using testing::CredentialMachine;

void write_ini(CredentialMachine& m, const std::string& text,
               const char* name = ".alibabacloud/credentials") {
  m.write(name, text);
}

TEST(Places, ProfileIni) {
  const std::string key = "access_key_id = LTAI1\naccess_key_secret = hush\n";
  const std::string ak = "[default]\nenable = true\ntype = access_key\n" + key;
  check_place<CredentialKind::profile_ini>({
      {"access_key", [&](auto& m, auto&) { write_ini(m, ak); }, "LTAI1", ""},
      {"the other name", [&](auto& m, auto&) { write_ini(m, ak, ".alibabacloud/credentials.ini"); }, "LTAI1",
       ""},
      {"the first name wins",
       [&](auto& m, auto&) {
         write_ini(m, "[default]\ntype=access_key\naccess_key_id=OTHER\naccess_key_secret=hush",
                   ".alibabacloud/credentials.ini");
         write_ini(m, ak);
       },
       "LTAI1", ""},
      {"path by the variable",
       [&](auto& m, auto&) { m.variables["ALIBABA_CLOUD_CREDENTIALS_FILE"] = m.write("x.ini", ak); }, "LTAI1",
       ""},
      {"path by the config", [&](auto& m, auto& o) { o.file = m.write("x.ini", ak); }, "LTAI1", ""},
      {"section by the variable",
       [&](auto& m, auto&) {
         m.variables["ALIBABA_CLOUD_PROFILE"] = "two";
         write_ini(m,
                   "[default]\ntype=access_key\naccess_key_id=OTHER\naccess_key_secret=hush\n; note\n# "
                   "note\n[ two ]\r\ntype: access_key\r\n" +
                       key);
       },
       "LTAI1", ""},
      {"section by the config",
       [&](auto& m, auto& o) {
         o.profile = "two";
         write_ini(m, "[two]\ntype=access_key\n" + key + "[three]\naccess_key_id=OTHER\n");
       },
       "LTAI1", ""},
      {"ecs_ram_role",
       [](auto& m, auto&) {
         write_ini(m, "[default]\ntype=ecs_ram_role\nrole_name=watcher\n");
         m.web = [&m](const HttpRequest& /*r*/) {
           return m.answer(200, m.key_json("STS.E", std::chrono::hours{6}));
         };
       },
       "STS.E", ""},
      {"ram_role_arn",
       [&](auto& m, auto&) {
         write_ini(m, "[default]\ntype=ram_role_arn\n" + key +
                          "role_arn=acs:ram::1:role/r\nrole_session_name=me\npolicy={\"a\"=1}\n");
       },
       "STS.0.LTAI1", ""},
      {"ram_role_arn without role",
       [&](auto& m, auto&) { write_ini(m, "[default]\ntype=ram_role_arn\n" + key); }, "",
       "role_arn is empty"},
      {"oidc_role_arn",
       [](auto& m, auto&) {
         const std::string token = m.write("token", "hush-jwt");
         write_ini(m,
                   "[default]\ntype=oidc_role_arn\nrole_arn=acs:ram::1:role/"
                   "r\noidc_provider_arn=acs:ram::1:oidc-provider/p\noidc_token_file_path=" +
                       token + "\n");
       },
       "STS.0", ""},
      {"no file", [](auto&, auto&) {}, "", ".alibabacloud/credentials: No such file"},
      {"no home", [](auto& m, auto&) { m.variables.erase("HOME"); }, "", "nor HOME is set"},
      {"no section", [&](auto& m, auto&) { write_ini(m, "type=access_key\n" + key); }, "",
       "section [default]: there is none"},
      {"no type", [&](auto& m, auto&) { write_ini(m, "[default]\n" + key); }, "", "type is \"\""},
      {"unsupported type", [&](auto& m, auto&) { write_ini(m, "[default]\ntype=rsa_key_pair\n"); }, "",
       "type is \"rsa_key_pair\""},
      {"switched off", [&](auto& m, auto&) { write_ini(m, ak + "enable = false\n"); }, "", "enable = false"},
      {"no secret", [](auto& m, auto&) { write_ini(m, "[default]\ntype=access_key\naccess_key_id=A\n"); }, "",
       "access_key_secret is empty"},
  });
}

}  // namespace
}  // namespace sharedrift
