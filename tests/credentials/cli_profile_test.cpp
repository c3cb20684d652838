#include "credentials/place_case.hpp"

#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using testing::check_place;
using testing::cli_config;
using testing::cli_profile;
using testing::CredentialMachine;
using testing::key_from;
using testing::write_cli;

constexpr const char* kAk =
    R"({"name":"main","mode":"AK","access_key_id":"LTAI1","access_key_secret":"hush","region_id":"cn-hangzhou"})";
constexpr const char* kRole = R"("ram_role_arn":"acs:ram::1:role/r")";
constexpr const char* kKeyFields = R"("access_key_id":"LTAI1","access_key_secret":"hush")";

TEST(Places, CliProfileAtHand) {
  check_place<CredentialKind::cli_profile>({
      {"AK", [](auto& m, auto&) { write_cli(m, kAk); }, "LTAI1", ""},
      {"byte order mark",
       [](auto& m, auto&) { m.write(".aliyun/config.json", "\xEF\xBB\xBF" + cli_config(kAk)); }, "LTAI1", ""},
      {"mode in any case",
       [](auto& m, auto&) {
         write_cli(
             m,
             R"({"name":"main","mode":"ststoken","access_key_id":"STS.1","access_key_secret":"hush","sts_token":"hush-t"})");
       },
       "STS.1", ""},
      {"StsToken without token",
       [](auto& m, auto&) {
         write_cli(m,
                   R"({"name":"main","mode":"StsToken","access_key_id":"STS.1","access_key_secret":"hush"})");
       },
       "", "profile \"main\": sts_token is empty"},
      {"named by the config",
       [](auto& m, auto& o) {
         o.profile = "main";
         m.variables["ALIBABA_CLOUD_PROFILE"] = "other";
         write_cli(m, kAk, "third");
       },
       "LTAI1", ""},
      {"named by the variable",
       [](auto& m, auto&) {
         m.variables["ALIBABA_CLOUD_PROFILE"] = "main";
         write_cli(m, kAk, "third");
       },
       "LTAI1", ""},
      {"path by the variable",
       [](auto& m, auto&) {
         m.variables["ALIBABA_CLOUD_CONFIG_FILE"] = m.write("elsewhere.json", cli_config(kAk));
       },
       "LTAI1", ""},
      {"path by the config",
       [](auto& m, auto& o) {
         m.variables["ALIBABA_CLOUD_CONFIG_FILE"] = "/nowhere";
         o.file = m.write("elsewhere.json", cli_config(kAk));
       },
       "LTAI1", ""},
      {"loose",
       [](auto& m, auto&) {
         write_cli(m, kAk);
         std::filesystem::permissions(m.home.file(".aliyun/config.json"), std::filesystem::perms{0644});
       },
       "LTAI1", "read by everybody"},
      {"no home", [](auto& m, auto&) { m.variables.erase("HOME"); }, "",
       "neither ALIBABA_CLOUD_CONFIG_FILE nor HOME is set"},
      {"no file", [](auto&, auto&) {}, "", ".aliyun/config.json: No such file or directory"},
      {"no JSON", [](auto& m, auto&) { m.write(".aliyun/config.json", "hush"); }, "", "not a JSON object"},
      {"no profile", [](auto& m, auto&) { write_cli(m, kAk, "gone"); }, "", "has no profile \"gone\""},
      {"nothing current", [](auto& m, auto&) { write_cli(m, kAk, ""); }, "", "no profile is current"},
      {"profiles of the wrong type",
       [](auto& m, auto&) {
         m.write(".aliyun/config.json", R"({"current":"main","profiles":[1,"main",null]})");
       },
       "", "has no profile \"main\""},
      {"empty key",
       [](auto& m, auto&) {
         write_cli(m, R"({"name":"main","mode":"AK","access_key_id":"","access_key_secret":""})");
       },
       "", "access_key_id is empty"},
      {"interactive mode", [](auto& m, auto&) { write_cli(m, R"({"name":"main","mode":"CloudSSO"})"); }, "",
       "mode \"CloudSSO\" cannot be used by a daemon"},
      {"switched off",
       [](auto& m, auto&) {
         write_cli(m, kAk);
         m.variables["ALIBABA_CLOUD_CLI_PROFILE_DISABLED"] = "True";
       },
       "", "switched off by ALIBABA_CLOUD_CLI_PROFILE_DISABLED"},
      {"ignored",
       [](auto& m, auto&) {
         write_cli(m, kAk);
         m.variables["ALIBABA_CLOUD_IGNORE_PROFILE"] = "TRUE";
       },
       "", "switched off by ALIBABA_CLOUD_IGNORE_PROFILE"},
  });
}

TEST(Places, CliProfileRemote) {
  check_place<CredentialKind::cli_profile>({
      {"RamRoleArn",
       [](auto& m, auto&) {
         write_cli(m, cli_profile("main", "RamRoleArn", std::string{kKeyFields} + "," + kRole));
       },
       "STS.0.LTAI1", ""},
      {"RamRoleArn in a loose file",
       [](auto& m, auto&) {
         write_cli(m, cli_profile("main", "RamRoleArn", std::string{kKeyFields} + "," + kRole));
         std::filesystem::permissions(m.home.file(".aliyun/config.json"), std::filesystem::perms{0644});
       },
       "STS.0.LTAI1", "read by everybody"},
      {"RamRoleArn without role",
       [](auto& m, auto&) { write_cli(m, cli_profile("main", "RamRoleArn", kKeyFields)); }, "",
       "ram_role_arn is empty"},
      {"RamRoleArn with a bad duration",
       [](auto& m, auto&) {
         write_cli(m, cli_profile("main", "RamRoleArn",
                                  std::string{kKeyFields} + "," + kRole + R"(,"expired_seconds":60)"));
       },
       "", "not from 15 minutes to 12 hours"},
      {"RamRoleArn with a duration that is none",
       [](auto& m, auto&) {
         write_cli(m, cli_profile("main", "RamRoleArn",
                                  std::string{kKeyFields} + "," + kRole + R"(,"expired_seconds":"1h")"));
       },
       "", "expired_seconds is not a number"},
      {"ChainableRamRoleArn",
       [](auto& m, auto&) {
         write_cli(m, cli_profile("main", "ChainableRamRoleArn",
                                  std::string{R"("source_profile":"middle",)"} + kRole) +
                          "," +
                          cli_profile("middle", "ChainableRamRoleArn",
                                      std::string{R"("source_profile":"base",)"} + kRole) +
                          "," + cli_profile("base", "AK", kKeyFields));
       },
       "STS.1.STS.0.LTAI1", ""},
      {"ChainableRamRoleArn in a circle",
       [](auto& m, auto&) {
         write_cli(m, cli_profile("main", "ChainableRamRoleArn",
                                  std::string{R"("source_profile":"main",)"} + kRole));
       },
       "", "in a circle"},
      {"EcsRamRole",
       [](auto& m, auto&) {
         write_cli(m, cli_profile("main", "EcsRamRole", R"("ram_role_name":"watcher")"));
         m.web = [&m](const HttpRequest& r) {
           return r.url == "http://100.100.100.200/latest/meta-data/ram/security-credentials/watcher"
                      ? m.answer(200, m.key_json("STS.E", std::chrono::hours{6}))
                      : m.refused();
         };
       },
       "STS.E", ""},
      {"OIDC",
       [](auto& m, auto&) {
         const std::string token = m.write("token", "hush-jwt\n");
         write_cli(
             m, cli_profile("main", "OIDC",
                            std::string{kRole} +
                                R"(,"oidc_provider_arn":"acs:ram::1:oidc-provider/p","oidc_token_file":")" +
                                token + "\""));
       },
       "STS.0", ""},
      {"OIDC without provider",
       [](auto& m, auto&) {
         write_cli(m, cli_profile("main", "OIDC", std::string{kRole} + R"(,"oidc_token_file":"/t")"));
       },
       "", "ARN of the OIDC provider is not set"},
      {"CredentialsURI",
       [](auto& m, auto&) {
         write_cli(m, cli_profile("main", "CredentialsURI", R"("credentials_uri":"http://localhost:7/k")"));
         m.web = [&m](const HttpRequest& /*r*/) {
           return m.answer(200, m.key_json("STS.U", std::chrono::hours{1}));
         };
       },
       "STS.U", ""},
  });
}

TEST(Places, CliRoleFieldsReachSts) {
  CredentialMachine machine;
  write_cli(machine,
            cli_profile("main", "RamRoleArn",
                        std::string{kKeyFields} + "," + kRole +
                            R"(,"ram_session_name":"me","expired_seconds":900,"sts_region":"cn-beijing",)"
                            R"("enable_vpc":true,"policy":"{}","external_id":"x1")"));
  CredentialSpec options;
  options.source = CredentialKind::cli_profile;
  ASSERT_TRUE(key_from(machine, options));
  const RoleRequest& role = machine.sts.calls.at(0).request;
  EXPECT_EQ(role.role_arn, "acs:ram::1:role/r");
  EXPECT_EQ(role.session_name, "me");
  EXPECT_EQ(role.duration, std::chrono::seconds{900});
  EXPECT_EQ(role.endpoint, "https://sts-vpc.cn-beijing.aliyuncs.com");
  EXPECT_EQ(role.policy, "{}");
  EXPECT_EQ(role.external_id, "x1");
}

}  // namespace
}  // namespace sharedrift
