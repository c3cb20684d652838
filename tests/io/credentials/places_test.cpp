#include "io/credentials/chain.hpp"
#include "io/credentials/credential_world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using testing::CredentialMachine;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

using Prepare = std::function<void(CredentialMachine&, CredentialOptions&)>;

/// One source in one situation. `id` is the key it gives, or empty and `says` is in the error.
struct Case {
  const char* name;
  CredentialPlace place;
  Prepare setup;
  std::string id;
  std::string says;
};

Result<Credentials, Failure> get(CredentialMachine& machine, const CredentialOptions& options) {
  const CredentialWorld world = machine.world();
  Chain chain(options, world);
  return chain.obtain(chain.look(), {});
}

void check(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    CredentialMachine machine;
    CredentialOptions options;
    options.place = c.place;
    c.setup(machine, options);
    const auto got = get(machine, options);
    if (got) {
      EXPECT_EQ(got->access_key_id, c.id);
      EXPECT_THAT(got->warning, HasSubstr(c.says));
      EXPECT_THAT(got->warning, Not(HasSubstr("hush")));
      EXPECT_EQ(got->security_token.empty(), got->access_key_id.rfind("STS.", 0) != 0);
      continue;
    }
    EXPECT_EQ(c.id, "") << got.error().detail;
    EXPECT_EQ(got.error().reason, Reason::credentials);
    EXPECT_THAT(got.error().detail, HasSubstr(c.says));
    EXPECT_THAT(got.error().detail, Not(HasSubstr("hush")));
  }
}

void set_key(CredentialMachine& m, const char* id, const char* secret, const char* token) {
  m.variables["ALIBABA_CLOUD_ACCESS_KEY_ID"] = id;
  m.variables["ALIBABA_CLOUD_ACCESS_KEY_SECRET"] = secret;
  m.variables["ALIBABA_CLOUD_SECURITY_TOKEN"] = token;
}

TEST(Places, Environment) {
  const auto place = CredentialPlace::environment;
  check({
      {"key", place, [](auto& m, auto&) { set_key(m, " LTAI1\n", "hush", ""); }, "LTAI1", ""},
      {"sts", place, [](auto& m, auto&) { set_key(m, "STS.1", "hush", "hush-t"); }, "STS.1", ""},
      {"blank token is none", place, [](auto& m, auto&) { set_key(m, "LTAI1", "hush", " "); }, "LTAI1", ""},
      {"nothing", place, [](auto&, auto&) {}, "",
       "no credentials from environment: ALIBABA_CLOUD_ACCESS_KEY_ID is not set"},
      {"no secret", place, [](auto& m, auto&) { set_key(m, "LTAI1", "", ""); }, "",
       "ALIBABA_CLOUD_ACCESS_KEY_SECRET is not"},
      {"no id", place, [](auto& m, auto&) { set_key(m, "", "hush", ""); }, "",
       "ALIBABA_CLOUD_ACCESS_KEY_ID is not"},
      {"quoted", place, [](auto& m, auto&) { set_key(m, "'LTAI1'", "hush", ""); }, "",
       "ALIBABA_CLOUD_ACCESS_KEY_ID holds a character that no key has, at byte 1"},
      {"broken secret", place, [](auto& m, auto&) { set_key(m, "LTAI1", "hu\nhush", ""); }, "",
       "ALIBABA_CLOUD_ACCESS_KEY_SECRET holds"},
  });
}

TEST(Places, StaticFile) {
  const auto place = CredentialPlace::static_file;
  const std::string key = "access_key_id=LTAI1\naccess_key_secret=hush\n";
  check({
      {"path", place, [&](auto& m, auto& o) { o.file = m.write("k", key); }, "LTAI1", ""},
      {"systemd", place,
       [&](auto& m, auto&) {
         m.write("creds/aliyun", key);
         m.variables["CREDENTIALS_DIRECTORY"] = m.home.file("creds");
       },
       "LTAI1", ""},
      {"systemd, not loaded", place,
       [](auto& m, auto&) { m.variables["CREDENTIALS_DIRECTORY"] = m.home.file("creds"); }, "",
       "creds/aliyun: No such file"},
      {"nothing", place, [](auto&, auto&) {}, "", "LoadCredential=aliyun:PATH"},
      {"broken", place, [](auto& m, auto& o) { o.file = m.write("k", "hush"); }, "",
       "line 1 is not of the form"},
      {"loose", place,
       [&](auto& m, auto& o) {
         o.file = m.write("k", key);
         std::filesystem::permissions(o.file, std::filesystem::perms{0644});
       },
       "LTAI1", "read by everybody"},
      {"expired", place,
       [&](auto& m, auto& o) { o.file = m.write("k", key + "expiration=2026-01-01T00:00:00Z"); }, "",
       "expired at 2026-01-01T00:00:00.000Z"},
  });
}

std::string cli(const std::string& profiles, const std::string& current = "main") {
  return R"({"current":")" + current + R"(","profiles":[)" + profiles + R"(],"meta_path":""})";
}
constexpr const char* kAk =
    R"({"name":"main","mode":"AK","access_key_id":"LTAI1","access_key_secret":"hush","region_id":"cn-hangzhou"})";

void write_cli(CredentialMachine& m, const std::string& profiles, const std::string& current = "main") {
  m.write(".aliyun/config.json", cli(profiles, current));
}

TEST(Places, CliProfileAtHand) {
  const auto place = CredentialPlace::cli_profile;
  check({
      {"AK", place, [](auto& m, auto&) { write_cli(m, kAk); }, "LTAI1", ""},
      {"byte order mark", place,
       [](auto& m, auto&) { m.write(".aliyun/config.json", "\xEF\xBB\xBF" + cli(kAk)); }, "LTAI1", ""},
      {"mode in any case", place,
       [](auto& m, auto&) {
         write_cli(
             m,
             R"({"name":"main","mode":"ststoken","access_key_id":"STS.1","access_key_secret":"hush","sts_token":"hush-t"})");
       },
       "STS.1", ""},
      {"StsToken without token", place,
       [](auto& m, auto&) {
         write_cli(m,
                   R"({"name":"main","mode":"StsToken","access_key_id":"STS.1","access_key_secret":"hush"})");
       },
       "", "profile \"main\": sts_token is empty"},
      {"named by the config", place,
       [](auto& m, auto& o) {
         o.profile = "main";
         m.variables["ALIBABA_CLOUD_PROFILE"] = "other";
         write_cli(m, kAk, "third");
       },
       "LTAI1", ""},
      {"named by the variable", place,
       [](auto& m, auto&) {
         m.variables["ALIBABA_CLOUD_PROFILE"] = "main";
         write_cli(m, kAk, "third");
       },
       "LTAI1", ""},
      {"path by the variable", place,
       [](auto& m, auto&) { m.variables["ALIBABA_CLOUD_CONFIG_FILE"] = m.write("elsewhere.json", cli(kAk)); },
       "LTAI1", ""},
      {"path by the config", place,
       [](auto& m, auto& o) {
         m.variables["ALIBABA_CLOUD_CONFIG_FILE"] = "/nowhere";
         o.file = m.write("elsewhere.json", cli(kAk));
       },
       "LTAI1", ""},
      {"loose", place,
       [](auto& m, auto&) {
         write_cli(m, kAk);
         std::filesystem::permissions(m.home.file(".aliyun/config.json"), std::filesystem::perms{0644});
       },
       "LTAI1", "read by everybody"},
      {"no home", place, [](auto& m, auto&) { m.variables.erase("HOME"); }, "",
       "neither ALIBABA_CLOUD_CONFIG_FILE nor HOME is set"},
      {"no file", place, [](auto&, auto&) {}, "", ".aliyun/config.json: No such file or directory"},
      {"no JSON", place, [](auto& m, auto&) { m.write(".aliyun/config.json", "hush"); }, "",
       "not a JSON object"},
      {"no profile", place, [](auto& m, auto&) { write_cli(m, kAk, "gone"); }, "", "has no profile \"gone\""},
      {"nothing current", place, [](auto& m, auto&) { write_cli(m, kAk, ""); }, "", "no profile is current"},
      {"profiles of the wrong type", place,
       [](auto& m, auto&) {
         m.write(".aliyun/config.json", R"({"current":"main","profiles":[1,"main",null]})");
       },
       "", "has no profile \"main\""},
      {"empty key", place,
       [](auto& m, auto&) {
         write_cli(m, R"({"name":"main","mode":"AK","access_key_id":"","access_key_secret":""})");
       },
       "", "access_key_id is empty"},
      {"interactive mode", place,
       [](auto& m, auto&) { write_cli(m, R"({"name":"main","mode":"CloudSSO"})"); }, "",
       "mode \"CloudSSO\" cannot be used by a daemon"},
      {"switched off", place,
       [](auto& m, auto&) {
         write_cli(m, kAk);
         m.variables["ALIBABA_CLOUD_CLI_PROFILE_DISABLED"] = "True";
       },
       "", "switched off by ALIBABA_CLOUD_CLI_PROFILE_DISABLED"},
      {"ignored", place,
       [](auto& m, auto&) {
         write_cli(m, kAk);
         m.variables["ALIBABA_CLOUD_IGNORE_PROFILE"] = "TRUE";
       },
       "", "switched off by ALIBABA_CLOUD_IGNORE_PROFILE"},
  });
}

constexpr const char* kRole = R"("ram_role_arn":"acs:ram::1:role/r")";

std::string cli_profile(const std::string& name, const std::string& mode, const std::string& more) {
  return R"({"name":")" + name + R"(","mode":")" + mode + R"(",)" + more + "}";
}
constexpr const char* kKeyFields = R"("access_key_id":"LTAI1","access_key_secret":"hush")";

TEST(Places, CliProfileRemote) {
  const auto place = CredentialPlace::cli_profile;
  check({
      {"RamRoleArn", place,
       [](auto& m, auto&) {
         write_cli(m, cli_profile("main", "RamRoleArn", std::string{kKeyFields} + "," + kRole));
       },
       "STS.0.LTAI1", ""},
      {"RamRoleArn in a loose file", place,
       [](auto& m, auto&) {
         write_cli(m, cli_profile("main", "RamRoleArn", std::string{kKeyFields} + "," + kRole));
         std::filesystem::permissions(m.home.file(".aliyun/config.json"), std::filesystem::perms{0644});
       },
       "STS.0.LTAI1", "read by everybody"},
      {"RamRoleArn without role", place,
       [](auto& m, auto&) { write_cli(m, cli_profile("main", "RamRoleArn", kKeyFields)); }, "",
       "ram_role_arn is empty"},
      {"RamRoleArn with a bad duration", place,
       [](auto& m, auto&) {
         write_cli(m, cli_profile("main", "RamRoleArn",
                                  std::string{kKeyFields} + "," + kRole + R"(,"expired_seconds":60)"));
       },
       "", "not from 15 minutes to 12 hours"},
      {"RamRoleArn with a duration that is none", place,
       [](auto& m, auto&) {
         write_cli(m, cli_profile("main", "RamRoleArn",
                                  std::string{kKeyFields} + "," + kRole + R"(,"expired_seconds":"1h")"));
       },
       "", "expired_seconds is not a number"},
      {"ChainableRamRoleArn", place,
       [](auto& m, auto&) {
         write_cli(m, cli_profile("main", "ChainableRamRoleArn",
                                  std::string{R"("source_profile":"middle",)"} + kRole) +
                          "," +
                          cli_profile("middle", "ChainableRamRoleArn",
                                      std::string{R"("source_profile":"base",)"} + kRole) +
                          "," + cli_profile("base", "AK", kKeyFields));
       },
       "STS.1.STS.0.LTAI1", ""},
      {"ChainableRamRoleArn in a circle", place,
       [](auto& m, auto&) {
         write_cli(m, cli_profile("main", "ChainableRamRoleArn",
                                  std::string{R"("source_profile":"main",)"} + kRole));
       },
       "", "in a circle"},
      {"EcsRamRole", place,
       [](auto& m, auto&) {
         write_cli(m, cli_profile("main", "EcsRamRole", R"("ram_role_name":"watcher")"));
         m.web = [&m](const HttpRequest& r) {
           return r.url == "http://100.100.100.200/latest/meta-data/ram/security-credentials/watcher"
                      ? m.answer(200, m.key_json("STS.E", std::chrono::hours{6}))
                      : m.refused();
         };
       },
       "STS.E", ""},
      {"OIDC", place,
       [](auto& m, auto&) {
         const std::string token = m.write("token", "hush-jwt\n");
         write_cli(
             m, cli_profile("main", "OIDC",
                            std::string{kRole} +
                                R"(,"oidc_provider_arn":"acs:ram::1:oidc-provider/p","oidc_token_file":")" +
                                token + "\""));
       },
       "STS.0", ""},
      {"OIDC without provider", place,
       [](auto& m, auto&) {
         write_cli(m, cli_profile("main", "OIDC", std::string{kRole} + R"(,"oidc_token_file":"/t")"));
       },
       "", "ARN of the OIDC provider is not set"},
      {"CredentialsURI", place,
       [](auto& m, auto&) {
         write_cli(m, cli_profile("main", "CredentialsURI", R"("credentials_uri":"http://localhost:7/k")"));
         m.web = [&m](const HttpRequest& /*r*/) {
           return m.answer(200, m.key_json("STS.U", std::chrono::hours{1}));
         };
       },
       "STS.U", ""},
      {"External", place,
       [](auto& m, auto&) {
         write_cli(m, cli_profile("main", "External", R"("process_command":"'/opt/my tool' --for me")"));
         m.run = [](const std::vector<std::string>& argv) -> Result<std::string, std::string> {
           EXPECT_THAT(argv, ElementsAre("/opt/my tool", "--for", "me"));
           return std::string{
               R"({"mode":"StsToken","access_key_id":"STS.X","access_key_secret":"hush","sts_token":"hush-t"})"};
         };
       },
       "STS.X", ""},
      {"External in a file that others can write", place,
       [](auto& m, auto&) {
         write_cli(m, cli_profile("main", "External", R"("process_command":"tool")"));
         std::filesystem::permissions(m.home.file(".aliyun/config.json"), std::filesystem::perms{0666});
         m.run = [](const auto& /*argv*/) -> Result<std::string, std::string> {
           ADD_FAILURE() << "it was run";
           return Err(std::string{"run"});
         };
       },
       "", "process_command is not run, since others can write to the file"},
      {"External fails", place,
       [](auto& m, auto&) {
         write_cli(m, cli_profile("main", "External", R"("process_command":"tool hush")"));
       },
       "", "the external command no such program"},
      {"External prints rubbish", place,
       [](auto& m, auto&) {
         write_cli(m, cli_profile("main", "External", R"("process_command":"tool")"));
         m.run = [](const auto& /*argv*/) -> Result<std::string, std::string> {
           return std::string{"error: hush"};
         };
       },
       "", "what the external command tool printed is of no use: not a JSON object"},
      {"External without a command", place,
       [](auto& m, auto&) { write_cli(m, cli_profile("main", "External", R"("process_command":" ")")); }, "",
       "process_command is empty"},
      {"External switched off", place,
       [](auto& m, auto&) {
         write_cli(m, cli_profile("main", "External", R"("process_command":"tool")"));
         m.variables["ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS"] = "true";
       },
       "", "ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS"},
  });
}

TEST(Places, CliRoleFieldsReachSts) {
  CredentialMachine machine;
  write_cli(machine,
            cli_profile("main", "RamRoleArn",
                        std::string{kKeyFields} + "," + kRole +
                            R"(,"ram_session_name":"me","expired_seconds":900,"sts_region":"cn-beijing",)"
                            R"("enable_vpc":true,"policy":"{}","external_id":"x1")"));
  CredentialOptions options;
  options.place = CredentialPlace::cli_profile;
  ASSERT_TRUE(get(machine, options));
  const RoleRequest& role = machine.sts.calls.at(0).request;
  EXPECT_EQ(role.role_arn, "acs:ram::1:role/r");
  EXPECT_EQ(role.session_name, "me");
  EXPECT_EQ(role.duration, std::chrono::seconds{900});
  EXPECT_EQ(role.endpoint, "https://sts-vpc.cn-beijing.aliyuncs.com");
  EXPECT_EQ(role.policy, "{}");
  EXPECT_EQ(role.external_id, "x1");
}

void write_ini(CredentialMachine& m, const std::string& text,
               const char* name = ".alibabacloud/credentials") {
  m.write(name, text);
}

TEST(Places, ProfileIni) {
  const auto place = CredentialPlace::profile_ini;
  const std::string key = "access_key_id = LTAI1\naccess_key_secret = hush\n";
  const std::string ak = "[default]\nenable = true\ntype = access_key\n" + key;
  check({
      {"access_key", place, [&](auto& m, auto&) { write_ini(m, ak); }, "LTAI1", ""},
      {"the other name", place, [&](auto& m, auto&) { write_ini(m, ak, ".alibabacloud/credentials.ini"); },
       "LTAI1", ""},
      {"the first name wins", place,
       [&](auto& m, auto&) {
         write_ini(m, "[default]\ntype=access_key\naccess_key_id=OTHER\naccess_key_secret=hush",
                   ".alibabacloud/credentials.ini");
         write_ini(m, ak);
       },
       "LTAI1", ""},
      {"path by the variable", place,
       [&](auto& m, auto&) { m.variables["ALIBABA_CLOUD_CREDENTIALS_FILE"] = m.write("x.ini", ak); }, "LTAI1",
       ""},
      {"path by the config", place, [&](auto& m, auto& o) { o.file = m.write("x.ini", ak); }, "LTAI1", ""},
      {"section by the variable", place,
       [&](auto& m, auto&) {
         m.variables["ALIBABA_CLOUD_PROFILE"] = "two";
         write_ini(m,
                   "[default]\ntype=access_key\naccess_key_id=OTHER\naccess_key_secret=hush\n; note\n# "
                   "note\n[ two ]\r\ntype: access_key\r\n" +
                       key);
       },
       "LTAI1", ""},
      {"section by the config", place,
       [&](auto& m, auto& o) {
         o.profile = "two";
         write_ini(m, "[two]\ntype=access_key\n" + key + "[three]\naccess_key_id=OTHER\n");
       },
       "LTAI1", ""},
      {"ecs_ram_role", place,
       [](auto& m, auto&) {
         write_ini(m, "[default]\ntype=ecs_ram_role\nrole_name=watcher\n");
         m.web = [&m](const HttpRequest& /*r*/) {
           return m.answer(200, m.key_json("STS.E", std::chrono::hours{6}));
         };
       },
       "STS.E", ""},
      {"ram_role_arn", place,
       [&](auto& m, auto&) {
         write_ini(m, "[default]\ntype=ram_role_arn\n" + key +
                          "role_arn=acs:ram::1:role/r\nrole_session_name=me\npolicy={\"a\"=1}\n");
       },
       "STS.0.LTAI1", ""},
      {"ram_role_arn without role", place,
       [&](auto& m, auto&) { write_ini(m, "[default]\ntype=ram_role_arn\n" + key); }, "",
       "role_arn is empty"},
      {"oidc_role_arn", place,
       [](auto& m, auto&) {
         const std::string token = m.write("token", "hush-jwt");
         write_ini(m,
                   "[default]\ntype=oidc_role_arn\nrole_arn=acs:ram::1:role/"
                   "r\noidc_provider_arn=acs:ram::1:oidc-provider/p\noidc_token_file_path=" +
                       token + "\n");
       },
       "STS.0", ""},
      {"no file", place, [](auto&, auto&) {}, "", ".alibabacloud/credentials: No such file"},
      {"no home", place, [](auto& m, auto&) { m.variables.erase("HOME"); }, "", "nor HOME is set"},
      {"no section", place, [&](auto& m, auto&) { write_ini(m, "type=access_key\n" + key); }, "",
       "section [default]: there is none"},
      {"no type", place, [&](auto& m, auto&) { write_ini(m, "[default]\n" + key); }, "", "type is \"\""},
      {"unsupported type", place, [&](auto& m, auto&) { write_ini(m, "[default]\ntype=rsa_key_pair\n"); }, "",
       "type is \"rsa_key_pair\""},
      {"switched off", place, [&](auto& m, auto&) { write_ini(m, ak + "enable = false\n"); }, "",
       "enable = false"},
      {"no secret", place,
       [](auto& m, auto&) { write_ini(m, "[default]\ntype=access_key\naccess_key_id=A\n"); }, "",
       "access_key_secret is empty"},
  });
}

TEST(Places, OidcRole) {
  const auto place = CredentialPlace::oidc_role;
  const Prepare variables = [](CredentialMachine& m, CredentialOptions& /*o*/) {
    m.variables["ALIBABA_CLOUD_ROLE_ARN"] = "acs:ram::1:role/r";
    m.variables["ALIBABA_CLOUD_OIDC_PROVIDER_ARN"] = "acs:ram::1:oidc-provider/p";
    m.variables["ALIBABA_CLOUD_OIDC_TOKEN_FILE"] = m.write("token", " hush-jwt\n");
  };
  const auto without = [&](const char* name) {
    return [&variables, name](CredentialMachine& m, CredentialOptions& o) {
      variables(m, o);
      m.variables.erase(name);
    };
  };
  check({
      {"variables", place, variables, "STS.0", ""},
      {"options", place,
       [](auto& m, auto& o) {
         o.role_arn = "acs:ram::1:role/r";
         o.oidc_provider_arn = "acs:ram::1:oidc-provider/p";
         o.oidc_token_file = m.write("token", "hush-jwt");
       },
       "STS.0", ""},
      {"no role", place, without("ALIBABA_CLOUD_ROLE_ARN"), "", "ALIBABA_CLOUD_ROLE_ARN is not set"},
      {"no provider", place, without("ALIBABA_CLOUD_OIDC_PROVIDER_ARN"), "",
       "ALIBABA_CLOUD_OIDC_PROVIDER_ARN is not set"},
      {"no token", place, without("ALIBABA_CLOUD_OIDC_TOKEN_FILE"), "",
       "ALIBABA_CLOUD_OIDC_TOKEN_FILE is not set"},
      {"token file gone", place,
       [&](auto& m, auto& o) {
         variables(m, o);
         std::filesystem::remove(m.home.file("token"));
       },
       "", "token: No such file"},
      {"token file of rubbish", place,
       [&](auto& m, auto& o) {
         variables(m, o);
         m.write("token", "hush hush");
       },
       "", "does not hold a token"},
      {"bad ARN", place,
       [&](auto& m, auto& o) {
         variables(m, o);
         m.variables["ALIBABA_CLOUD_ROLE_ARN"] = "r";
       },
       "", "is not the ARN of a role"},
      {"bad session name", place,
       [&](auto& m, auto& o) {
         variables(m, o);
         m.variables["ALIBABA_CLOUD_ROLE_SESSION_NAME"] = "a b";
       },
       "", "is not a role session name"},
  });
}

TEST(Places, OidcTokenIsReadAtEachCallAndSentUnsigned) {
  CredentialMachine machine;
  CredentialOptions options;
  options.place = CredentialPlace::oidc_role;
  options.role_arn = "acs:ram::1:role/r";
  options.oidc_provider_arn = "acs:ram::1:oidc-provider/p";
  options.oidc_token_file = machine.write("token", "first");
  const CredentialWorld world = machine.world();
  Chain chain(options, world);
  const Outlook outlook = chain.look();
  ASSERT_TRUE(chain.obtain(outlook, {}));
  machine.write("token", "second");
  ASSERT_TRUE(chain.obtain(outlook, {}));
  ASSERT_EQ(machine.sts.calls.size(), 2U);
  EXPECT_EQ(machine.sts.calls[0].request.oidc_token.reveal(), "first");
  EXPECT_EQ(machine.sts.calls[1].request.oidc_token.reveal(), "second");
  EXPECT_EQ(machine.sts.calls[1].key_id, "");
  EXPECT_EQ(machine.sts.calls[1].request.session_name, "share-drift-exporter");
}

TEST(Places, RamRole) {
  const auto place = CredentialPlace::ram_role;
  const auto base = [](CredentialPlace where) {
    CredentialOptions options;
    options.place = where;
    return std::make_shared<const CredentialOptions>(options);
  };
  check({
      {"with the default chain's key", place,
       [](auto& m, auto& o) {
         set_key(m, "LTAI1", "hush", "");
         o.role_arn = "acs:ram::1:role/r";
       },
       "STS.0.LTAI1", ""},
      {"role by the variable", place,
       [](auto& m, auto&) {
         set_key(m, "LTAI1", "hush", "");
         m.variables["ALIBABA_CLOUD_ROLE_ARN"] = "acs:ram::1:role/r";
       },
       "STS.0.LTAI1", ""},
      {"of another role", place,
       [&](auto& m, auto& o) {
         set_key(m, "LTAI1", "hush", "");
         CredentialOptions inner;
         inner.place = CredentialPlace::ram_role;
         inner.role_arn = "acs:ram::1:role/inner";
         inner.base = base(CredentialPlace::environment);
         o.base = std::make_shared<const CredentialOptions>(inner);
         o.role_arn = "acs:ram::1:role/outer";
       },
       "STS.1.STS.0.LTAI1", ""},
      {"no role", place, [](auto& m, auto&) { set_key(m, "LTAI1", "hush", ""); }, "",
       "neither credentials.role_arn nor"},
      {"no key", place,
       [&](auto&, auto& o) {
         o.base = base(CredentialPlace::environment);
         o.role_arn = "acs:ram::1:role/r";
       },
       "", "the key that assumes the role: no credentials from environment"},
      {"refused", place,
       [](auto& m, auto& o) {
         set_key(m, "LTAI1", "hush", "");
         o.role_arn = "acs:ram::1:role/r";
         m.sts.script = [](const auto&, std::size_t) -> Result<Credentials, Failure> {
           Failure failure{Reason::credentials, "STS says NoPermission", "NoPermission", 403, "R1"};
           return Err(failure);
         };
       },
       "", "no credentials from ram_role: STS says NoPermission"},
  });
}

TEST(Places, StsEndpointFollowsConfigThenRegionThenVariable) {
  struct Row {
    const char* given;
    const char* region_variable;
    const char* vpc_variable;
    const char* endpoint_variable;
    const char* region;
    bool vpc;
    const char* expected;  ///< null: refused
  };
  const std::vector<Row> rows{
      {"", "", "", "", "", false, "https://sts.aliyuncs.com"},
      {"", "", "true", "", "", true, "https://sts.aliyuncs.com"},
      {"", "cn-beijing", "", "", "", false, "https://sts.cn-beijing.aliyuncs.com"},
      {"", "cn-beijing", "TRUE", "", "", false, "https://sts-vpc.cn-beijing.aliyuncs.com"},
      {"", "cn-beijing", "1", "", "ap-southeast-1", false, "https://sts.ap-southeast-1.aliyuncs.com"},
      {"", "", "", "", "ap-southeast-1", true, "https://sts-vpc.ap-southeast-1.aliyuncs.com"},
      {"", "", "", "sts.example.com", "", false, "https://sts.example.com"},
      {"", "cn-beijing", "", "sts.example.com", "", false, "https://sts.cn-beijing.aliyuncs.com"},
      {"https://127.0.0.1:1", "cn-beijing", "true", "sts.example.com", "x", true, "https://127.0.0.1:1"},
      {"", "evil.example/", "", "", "", false, nullptr},
      {"", "", "", "evil.example/?", "", false, nullptr},
  };
  for (const Row& row : rows) {
    CredentialMachine machine;
    machine.variables["ALIBABA_CLOUD_STS_REGION"] = row.region_variable;
    machine.variables["ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED"] = row.vpc_variable;
    machine.variables["ALIBABA_CLOUD_STS_ENDPOINT"] = row.endpoint_variable;
    CredentialOptions options;
    options.sts_endpoint = row.given;
    const CredentialWorld world = machine.world();
    const auto endpoint = sts_endpoint(options, Sight{world}, row.region, row.vpc);
    EXPECT_EQ(endpoint.has_value(), row.expected != nullptr);
    if (endpoint && row.expected != nullptr) {
      EXPECT_EQ(*endpoint, row.expected);
    }
  }
}

TEST(Places, CommandLinesAreSplitWithoutAShell) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> good{
      {"tool", {"tool"}},
      {"  tool\t-a  b\n", {"tool", "-a", "b"}},
      {"'a b' \"c d\" e\\ f", {"a b", "c d", "e f"}},
      {R"("a\"b" "c\d" 'e\f')", {"a\"b", "c\\d", "e\\f"}},
      {"tool '' $HOME `id` ; *", {"tool", "", "$HOME", "`id`", ";", "*"}},
  };
  for (const auto& [line, words] : good) {
    const auto split = split_command(line);
    ASSERT_TRUE(split) << line;
    EXPECT_EQ(*split, words);
  }
  for (const char* bad : {"", "  ", "'a", "\"a", "a\\"})
    EXPECT_FALSE(split_command(bad)) << bad;
}

}  // namespace
}  // namespace sharedrift
