#include "credentials/place_case.hpp"

#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using testing::check_place;
using testing::CredentialMachine;
using testing::Prepare;
using testing::set_key;

TEST(Places, OidcRole) {
  const Prepare variables = [](CredentialMachine& m, CredentialSpec& /*o*/) {
    m.variables["ALIBABA_CLOUD_ROLE_ARN"] = "acs:ram::1:role/r";
    m.variables["ALIBABA_CLOUD_OIDC_PROVIDER_ARN"] = "acs:ram::1:oidc-provider/p";
    m.variables["ALIBABA_CLOUD_OIDC_TOKEN_FILE"] = m.write("token", " hush-jwt\n");
  };
  const auto without = [&](const char* name) {
    return [&variables, name](CredentialMachine& m, CredentialSpec& o) {
      variables(m, o);
      m.variables.erase(name);
    };
  };
  check_place<CredentialKind::oidc_role>({
      {"variables", variables, "STS.0", ""},
      {"options",
       [](auto& m, auto& o) {
         o.role_arn = "acs:ram::1:role/r";
         o.oidc_provider_arn = "acs:ram::1:oidc-provider/p";
         o.oidc_token_file = m.write("token", "hush-jwt");
       },
       "STS.0", ""},
      {"no role", without("ALIBABA_CLOUD_ROLE_ARN"), "", "ALIBABA_CLOUD_ROLE_ARN is not set"},
      {"no provider", without("ALIBABA_CLOUD_OIDC_PROVIDER_ARN"), "",
       "ALIBABA_CLOUD_OIDC_PROVIDER_ARN is not set"},
      {"no token", without("ALIBABA_CLOUD_OIDC_TOKEN_FILE"), "", "ALIBABA_CLOUD_OIDC_TOKEN_FILE is not set"},
      {"token file gone",
       [&](auto& m, auto& o) {
         variables(m, o);
         std::filesystem::remove(m.home.file("token"));
       },
       "", "token: No such file"},
      {"token file of rubbish",
       [&](auto& m, auto& o) {
         variables(m, o);
         m.write("token", "hush hush");
       },
       "", "does not hold a token"},
      {"bad ARN",
       [&](auto& m, auto& o) {
         variables(m, o);
         m.variables["ALIBABA_CLOUD_ROLE_ARN"] = "r";
       },
       "", "is not the ARN of a role"},
      {"bad session name",
       [&](auto& m, auto& o) {
         variables(m, o);
         m.variables["ALIBABA_CLOUD_ROLE_SESSION_NAME"] = "a b";
       },
       "", "is not a role session name"},
  });
}

TEST(Places, OidcTokenIsReadAtEachCallAndSentUnsigned) {
  CredentialMachine machine;
  CredentialSpec options;
  options.source = CredentialKind::oidc_role;
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
  const auto base = [](CredentialKind where) {
    CredentialSpec options;
    options.source = where;
    return std::vector<CredentialSpec>{options};
  };
  check_place<CredentialKind::ram_role>({
      {"with the default chain's key",
       [](auto& m, auto& o) {
         set_key(m, "LTAI1", "hush", "");
         o.role_arn = "acs:ram::1:role/r";
       },
       "STS.0.LTAI1", ""},
      {"role by the variable",
       [](auto& m, auto&) {
         set_key(m, "LTAI1", "hush", "");
         m.variables["ALIBABA_CLOUD_ROLE_ARN"] = "acs:ram::1:role/r";
       },
       "STS.0.LTAI1", ""},
      {"of another role",
       [&](auto& m, auto& o) {
         set_key(m, "LTAI1", "hush", "");
         CredentialSpec inner;
         inner.source = CredentialKind::ram_role;
         inner.role_arn = "acs:ram::1:role/inner";
         inner.from = base(CredentialKind::environment);
         o.from = {inner};
         o.role_arn = "acs:ram::1:role/outer";
       },
       "STS.1.STS.0.LTAI1", ""},
      {"no role", [](auto& m, auto&) { set_key(m, "LTAI1", "hush", ""); }, "",
       "credentials.role_arn is empty, and ALIBABA_CLOUD_ROLE_ARN is not set"},
      {"no key",
       [&](auto&, auto& o) {
         o.from = base(CredentialKind::environment);
         o.role_arn = "acs:ram::1:role/r";
       },
       "", "the key that assumes the role: no credentials from environment"},
      {"refused",
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
    CredentialWorld world = machine.world();
    world.sts_endpoint = row.given;
    const auto endpoint = sts_endpoint(Sight{world}, row.region, row.vpc);
    EXPECT_EQ(endpoint.has_value(), row.expected != nullptr);
    if (endpoint && row.expected != nullptr) {
      EXPECT_EQ(*endpoint, row.expected);
    }
  }
}

}  // namespace
}  // namespace sharedrift
