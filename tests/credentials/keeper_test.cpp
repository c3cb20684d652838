#include "credentials/keeper_bench.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using testing::KeeperBench;
using testing::kKey1;
using testing::kKey2;

TEST(Keeper, ReadsARotatedFileAtTheNextCallAndOnlyThen) {
  KeeperBench bench(CredentialKind::static_file);
  bench.options.file = bench.machine.write("key", kKey1);
  const auto first = bench.keeper().current();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->access_key_id, "LTAI1");
  EXPECT_EQ(first->generation, 1U);
  EXPECT_EQ(first->origin, "static_file");
  ASSERT_TRUE(first->obtained);
  EXPECT_FALSE(bench.keeper().due());
  EXPECT_FALSE(bench.keeper().pending());

  bench.machine.write("key", kKey2);
  const auto second = bench.keeper().current();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->access_key_id, "LTAI2");
  EXPECT_EQ(second->generation, 2U);
  EXPECT_GT(*second->obtained, *first->obtained);
  EXPECT_EQ(bench.observer.generation, 2U);

  bench.machine.write("key", std::string{"# the same key\n"} + kKey2);
  EXPECT_EQ(bench.keeper().current()->generation, 2U);
  EXPECT_EQ(bench.observer.refresh_failures, 0);
}

TEST(Keeper, KeepsTheLastGoodKeyWhileTheFileIsBroken) {
  KeeperBench bench(CredentialKind::static_file);
  bench.options.file = bench.machine.write("key", kKey1);
  EXPECT_EQ(bench.id(), "LTAI1");
  bench.machine.write("key", "access_key_id=LTAI2\naccess_key_se");  // half written
  EXPECT_EQ(bench.id(), "LTAI1");
  EXPECT_EQ(bench.id(), "LTAI1");
  EXPECT_EQ(bench.observer.refresh_failures, 1);
  EXPECT_THAT(bench.keeper().current()->warning,
              HasSubstr("still using an earlier key: no credentials from static_file"));
  std::filesystem::remove(bench.options.file);
  EXPECT_EQ(bench.id(), "LTAI1");
  EXPECT_EQ(bench.observer.refresh_failures, 2);
  bench.machine.write("key", kKey2);
  EXPECT_EQ(bench.id(), "LTAI2");
  EXPECT_EQ(bench.keeper().current()->warning, "");
}

TEST(Keeper, ARejectedKeyIsReadAgainAndForgottenWhereItIsGone) {
  KeeperBench bench(CredentialKind::static_file);
  bench.options.file = bench.machine.write("key", kKey1);
  EXPECT_EQ(bench.id(), "LTAI1");
  bench.keeper().report_rejected(1);
  EXPECT_EQ(bench.keeper().current()->generation, 1U);  // the same key: nothing better is known
  EXPECT_FALSE(bench.keeper().pending());

  std::filesystem::remove(bench.options.file);
  bench.keeper().report_rejected(1);
  EXPECT_THAT(bench.error(), HasSubstr("No such file"));
  bench.machine.write("key", kKey2);
  EXPECT_EQ(bench.keeper().current()->generation, 2U);
  bench.keeper().report_rejected(1);  // late news about a key that was replaced
  std::filesystem::remove(bench.options.file);
  EXPECT_EQ(bench.id(), "LTAI2");
}

TEST(Keeper, FailsUntilTheFileAppears) {
  KeeperBench bench(CredentialKind::static_file);
  bench.options.file = bench.machine.home.file("key");
  EXPECT_THAT(bench.error(), HasSubstr("No such file"));
  EXPECT_THAT(bench.error(), HasSubstr("No such file"));
  EXPECT_EQ(bench.observer.refresh_failures, 1);
  bench.machine.write("key", kKey1);
  EXPECT_EQ(bench.id(), "LTAI1");
}

TEST(Keeper, AnExpiringFileIsUsedUntilItExpires) {
  KeeperBench bench(CredentialKind::static_file);
  bench.options.file = bench.machine.write("key", std::string{kKey1} + "security_token=hush\nexpiration=" +
                                                      format_rfc3339(bench.machine.clock.wall() + 1min));
  EXPECT_EQ(bench.id(), "LTAI1");
  bench.machine.clock.advance(59s);
  EXPECT_EQ(bench.id(), "LTAI1");
  bench.machine.clock.advance(1s);
  EXPECT_THAT(bench.error(), HasSubstr("the credentials from static_file expired at"));
  EXPECT_FALSE(bench.keeper().due());
}

TEST(Keeper, RemoteCredentialsArePendingThenFreshThenRefreshedAhead) {
  KeeperBench bench(CredentialKind::credentials_uri);
  bench.serve_uri();
  EXPECT_FALSE(bench.keeper().pending());
  EXPECT_EQ(bench.error(), "the first answer is under way");
  EXPECT_TRUE(bench.keeper().pending());
  EXPECT_EQ(bench.keeper().due(), bench.machine.clock.mono());
  bench.next();
  EXPECT_FALSE(bench.keeper().pending());
  EXPECT_EQ(bench.id(), "STS.1");
  EXPECT_EQ(bench.observer.generation, 1U);
  const auto wait = *bench.keeper().due() - bench.machine.clock.mono();
  EXPECT_GE(wait, 39min);
  EXPECT_LE(wait, 45min);
  bench.next();
  EXPECT_EQ(bench.id(), "STS.2");
  EXPECT_EQ(bench.keeper().current()->generation, 2U);
  EXPECT_EQ(bench.keeper().current()->obtained, bench.machine.clock.wall());
}

TEST(Keeper, TheLastGoodCredentialsServeUntilTheyReallyExpire) {
  KeeperBench bench(CredentialKind::credentials_uri);
  bench.serve_uri();
  bench.id();
  bench.next();
  const WallTime expires = *bench.keeper().current()->expires;
  bench.up = false;
  int retries = 0;
  while (bench.machine.clock.wall() < expires) {
    EXPECT_EQ(bench.id(), "STS.1");
    EXPECT_FALSE(bench.keeper().pending());
    bench.next();
    ++retries;
  }
  EXPECT_GT(retries, 10);
  EXPECT_LT(retries, 60);
  EXPECT_EQ(bench.observer.refresh_failures, retries);
  EXPECT_THAT(bench.error(), HasSubstr("no credentials from credentials_uri: http://127.0.0.1:7 (the rest of "
                                       "the URI is not shown) gives no credentials: HTTP 503"));
  bench.up = true;
  bench.next();
  EXPECT_EQ(bench.id(), "STS.2");
}

TEST(Keeper, CredentialsThatExpiredWhileTheMachineSleptAreRenewedAtOnce) {
  KeeperBench bench(CredentialKind::credentials_uri);
  bench.serve_uri();
  bench.id();
  bench.next();
  bench.machine.clock.jump_wall(2h);
  EXPECT_THAT(bench.error(), HasSubstr("expired at"));
  EXPECT_TRUE(bench.keeper().pending());
  EXPECT_EQ(bench.keeper().due(), bench.machine.clock.mono());
  bench.next();
  EXPECT_EQ(bench.id(), "STS.2");
}

TEST(Keeper, ARejectionForcesOneRefreshAMinute) {
  KeeperBench bench(CredentialKind::credentials_uri);
  bench.serve_uri();
  bench.id();
  bench.next();
  bench.machine.clock.advance(2s);
  bench.keeper().report_rejected(7);  // not what is in force
  EXPECT_GT(*bench.keeper().due(), bench.machine.clock.mono());
  bench.keeper().report_rejected(1);
  bench.keeper().report_rejected(1);
  EXPECT_EQ(*bench.keeper().due(), bench.machine.clock.mono());
  EXPECT_TRUE(bench.keeper().pending());
  bench.next();
  EXPECT_EQ(bench.served, 2);
  EXPECT_FALSE(bench.keeper().pending());
  EXPECT_EQ(bench.keeper().current()->generation, 2U);

  bench.keeper().report_rejected(2);  // fresh, and refused again: not the credentials' fault
  EXPECT_EQ(*bench.keeper().due(), bench.machine.clock.mono() + 1min);
  EXPECT_FALSE(bench.keeper().pending());
  bench.machine.clock.advance(30s);
  bench.keeper().report_rejected(2);
  EXPECT_EQ(*bench.keeper().due(), bench.machine.clock.mono() + 30s);
  bench.next();
  EXPECT_EQ(bench.served, 3);
}

TEST(Keeper, ARefreshThatFailsAfterARejectionIsTriedAgainWithBackoff) {
  KeeperBench bench(CredentialKind::credentials_uri);
  bench.serve_uri();
  bench.id();
  bench.next();
  bench.up = false;
  bench.keeper().report_rejected(1);
  bench.next();
  EXPECT_EQ(bench.id(), "STS.1");  // still what is known; the API may change its mind
  EXPECT_FALSE(bench.keeper().pending());
  bench.keeper().report_rejected(1);
  EXPECT_GT(*bench.keeper().due(), bench.machine.clock.mono());
  bench.up = true;
  bench.next();
  EXPECT_EQ(bench.id(), "STS.2");
}

TEST(Keeper, ARefusalIsNotRepeatedAtThePaceOfANetworkFault) {
  struct Row {
    Failure failure;
    std::chrono::seconds least;
    std::chrono::seconds most;
  };
  const auto of_sts = [](int status, std::string code) {
    return Failure{Reason::credentials, "no", std::move(code), status, ""};
  };
  for (const Row& row :
       {Row{of_sts(403, "NoPermission"), 60s, 300s}, Row{of_sts(400, "InvalidAccessKeyId"), 60s, 300s},
        Row{of_sts(407, ""), 60s, 1800s}, Row{of_sts(429, "Throttling.User"), 1s, 60s},
        Row{of_sts(400, "Sts.FlowControl"), 1s, 60s}, Row{of_sts(503, "ServiceUnavailable"), 1s, 60s},
        Row{of_sts(0, ""), 1s, 60s}}) {
    SCOPED_TRACE(row.failure.http_status);
    KeeperBench bench(CredentialKind::ram_role);
    bench.options.role_arn = "acs:ram::1:role/r";
    bench.machine.variables["ALIBABA_CLOUD_ACCESS_KEY_ID"] = "LTAI1";
    bench.machine.variables["ALIBABA_CLOUD_ACCESS_KEY_SECRET"] = "hush";
    bench.machine.sts.script = [&row](const auto&, std::size_t) -> Result<Credentials, Failure> {
      return Err(row.failure);
    };
    bench.id();
    for (int attempt = 0; attempt < 12; ++attempt) {
      bench.next();
      const auto wait = *bench.keeper().due() - bench.machine.clock.mono();
      EXPECT_GE(wait, row.least) << attempt;
      EXPECT_LE(wait, row.most) << attempt;
    }
  }
}

TEST(Keeper, ChangesFromAFileToARoleAndBackWithoutAGap) {
  KeeperBench bench(CredentialKind::cli_profile);
  const auto write = [&](const std::string& mode, const std::string& id) {
    bench.machine.write(".aliyun/config.json",
                        R"({"current":"m","profiles":[{"name":"m","mode":")" + mode +
                            R"(","access_key_id":")" + id +
                            R"(","access_key_secret":"hush","ram_role_arn":"acs:ram::1:role/r"}]})");
  };
  write("AK", "LTAI1");
  EXPECT_EQ(bench.id(), "LTAI1");
  EXPECT_FALSE(bench.keeper().due());
  write("RamRoleArn", "LTAI1");
  EXPECT_EQ(bench.id(), "LTAI1");
  EXPECT_FALSE(bench.keeper().pending());
  bench.next();
  EXPECT_EQ(bench.id(), "STS.0.LTAI1");
  write("RamRoleArn", "LTAI2");  // the key behind the role was rotated
  EXPECT_EQ(bench.id(), "STS.0.LTAI1");
  bench.next();
  EXPECT_EQ(bench.id(), "STS.1.LTAI2");
  write("AK", "LTAI3");
  EXPECT_EQ(bench.id(), "LTAI3");
  EXPECT_FALSE(bench.keeper().due());
}

TEST(Keeper, AnAnswerToAnOlderLookIsNotUsed) {
  KeeperBench bench(CredentialKind::cli_profile);
  const auto write = [&](const std::string& mode) {
    bench.machine.write(
        ".aliyun/config.json",
        R"({"current":"m","profiles":[{"name":"m","mode":")" + mode +
            R"(","access_key_id":"LTAI1","access_key_secret":"hush","ram_role_arn":"acs:ram::1:role/r"}]})");
  };
  write("RamRoleArn");
  bench.id();
  const auto script = bench.machine.sts.script;
  bench.machine.sts.script = [&](const auto& call, std::size_t index) {
    write("AK");  // while STS is answering
    EXPECT_EQ(bench.id(), "LTAI1");
    return script(call, index);
  };
  bench.next();
  EXPECT_EQ(bench.id(), "LTAI1");
  EXPECT_FALSE(bench.keeper().due());
}

TEST(Keeper, AStopEndsARefreshWithoutATrace) {
  KeeperBench bench(CredentialKind::credentials_uri);
  bench.serve_uri();
  bench.id();
  std::stop_source stop;
  stop.request_stop();
  bench.keeper().refresh(stop.get_token());
  EXPECT_EQ(bench.error(), "the first answer is under way");
  EXPECT_EQ(bench.observer.refresh_failures, 0);
}

}  // namespace
}  // namespace sharedrift
