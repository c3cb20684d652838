#include "credentials/keeper_bench.hpp"

#include <array>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using namespace std::chrono_literals;
using testing::CredentialMachine;
using ::testing::HasSubstr;
using testing::KeeperBench;
using ::testing::Not;

enum Place : unsigned { environment = 1, oidc = 2, cli = 4, ini = 8, ecs = 16, uri = 32 };
constexpr std::array kOrder{std::pair{environment, "environment"}, std::pair{oidc, "oidc_role"},
                            std::pair{cli, "cli_profile"},         std::pair{ini, "profile_ini"},
                            std::pair{ecs, "ecs_ram_role"},        std::pair{uri, "credentials_uri"}};

void set_up(CredentialMachine& m, unsigned places) {
  if ((places & environment) != 0) {
    m.variables["ALIBABA_CLOUD_ACCESS_KEY_ID"] = "LTAI.environment";
    m.variables["ALIBABA_CLOUD_ACCESS_KEY_SECRET"] = "hush";
  }
  if ((places & oidc) != 0) {
    m.variables["ALIBABA_CLOUD_ROLE_ARN"] = "acs:ram::1:role/r";
    m.variables["ALIBABA_CLOUD_OIDC_PROVIDER_ARN"] = "acs:ram::1:oidc-provider/p";
    m.variables["ALIBABA_CLOUD_OIDC_TOKEN_FILE"] = m.write("token", "hush-jwt");
  }
  if ((places & cli) != 0) {
    m.write(
        ".aliyun/config.json",
        R"({"current":"m","profiles":[{"name":"m","mode":"AK","access_key_id":"LTAI.cli","access_key_secret":"hush"}]})");
  }
  if ((places & ini) != 0) {
    m.write(".alibabacloud/credentials",
            "[default]\ntype=access_key\naccess_key_id=LTAI.ini\naccess_key_secret=hush\n");
  }
  if ((places & uri) != 0) m.variables["ALIBABA_CLOUD_CREDENTIALS_URI"] = "http://127.0.0.1:7/";
  m.web = [&m, places](const HttpRequest& request) {
    const bool is_uri = request.url == "http://127.0.0.1:7/";
    if (is_uri || (places & ecs) != 0) {
      return CredentialMachine::answer(200, request.method == "PUT" || request.url.back() == '/'
                                                ? (is_uri ? m.key_json("STS.uri", 1h) : "role")
                                                : m.key_json("STS.ecs", 6h));
    }
    return CredentialMachine::refused();
  };
}

TEST(DefaultChain, TakesTheFirstPlaceThatIsThereInTheOfficialOrder) {
  for (unsigned places = 1; places < 64; ++places) {
    KeeperBench bench(CredentialKind::default_chain);
    set_up(bench.machine, places);
    std::string_view expected;
    for (const auto& [place, name] : kOrder) {
      if (expected.empty() && (places & place) != 0) expected = name;
    }
    if (bench.id().empty()) bench.next();
    const auto got = bench.keeper().current();
    ASSERT_TRUE(got) << places;
    EXPECT_EQ(got->origin, expected) << places;
    EXPECT_EQ(got->warning, "") << places;
  }
}

TEST(DefaultChain, SaysInOneLineWhyEachPlaceWasNotUsedAndTriesAgain) {
  KeeperBench bench(CredentialKind::default_chain);
  bench.id();
  bench.next();
  const std::string home = bench.machine.home.path().string();
  EXPECT_EQ(
      bench.error(),
      "no credentials; tried environment (ALIBABA_CLOUD_ACCESS_KEY_ID is not set), oidc_role "
      "(ALIBABA_CLOUD_OIDC_PROVIDER_ARN is not set), cli_profile (" +
          home + "/.aliyun/config.json: No such file or directory), profile_ini (" + home +
          "/.alibabacloud/credentials: No such file or directory), ecs_ram_role (the metadata service at "
          "http://100.100.100.200 does not tell the instance's role (connect: connection refused); is this "
          "an ECS "
          "instance?), credentials_uri (ALIBABA_CLOUD_CREDENTIALS_URI is not set). Set one of them up, or "
          "name the one you "
          "mean as credentials.source");
  EXPECT_EQ(bench.observer.refresh_failures, 1);
  bench.next();
  EXPECT_EQ(bench.observer.refresh_failures, 2);
  set_up(bench.machine, ecs);  // an SDK would stay with its last place for ever
  bench.next();
  EXPECT_EQ(bench.id(), "STS.ecs");
}

TEST(DefaultChain, GoesOnPastABrokenPlaceAndSaysSo) {
  KeeperBench bench(CredentialKind::default_chain);
  set_up(bench.machine, oidc | cli | ini);
  bench.machine.write(".aliyun/config.json", "{hush");
  bench.machine.sts.script = [](const auto&, std::size_t) -> Result<Credentials, Failure> {
    return Err(Failure{Reason::credentials, "STS says no"});
  };
  bench.id();
  bench.next();
  const auto got = bench.keeper().current();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->access_key_id, "LTAI.ini");
  EXPECT_THAT(got->warning, HasSubstr("not used: oidc_role (STS says no)"));
  EXPECT_THAT(got->warning, HasSubstr("not used: cli_profile ("));
  EXPECT_THAT(got->warning, Not(HasSubstr("hush")));
  EXPECT_TRUE(bench.keeper().due());  // the better place is tried again
}

TEST(DefaultChain, NeverFallsBackFromAPlaceThatWorked) {
  KeeperBench bench(CredentialKind::default_chain);
  set_up(bench.machine, oidc | ini);
  const auto works = bench.machine.sts.script;
  bench.id();
  bench.next();
  EXPECT_EQ(bench.id(), "STS.0");
  bench.machine.sts.script = [](const auto&, std::size_t) -> Result<Credentials, Failure> {
    return Err(Failure{Reason::credentials, "STS says no"});
  };
  bench.machine.clock.advance(2h);
  bench.next();
  EXPECT_THAT(bench.error(), HasSubstr("oidc_role (STS says no)"));
  EXPECT_THAT(bench.error(), Not(HasSubstr("profile_ini")));
  bench.machine.sts.script = works;
  bench.next();
  EXPECT_THAT(bench.id(), HasSubstr("STS."));
}

TEST(DefaultChain, ABetterPlaceThatAppearsTakesOver) {
  KeeperBench bench(CredentialKind::default_chain);
  set_up(bench.machine, ini);
  EXPECT_EQ(bench.id(), "LTAI.ini");
  set_up(bench.machine, cli);
  EXPECT_EQ(bench.id(), "LTAI.cli");
}

}  // namespace
}  // namespace sharedrift
