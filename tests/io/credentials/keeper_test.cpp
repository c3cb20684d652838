#include "io/credentials/keeper.hpp"

#include "io/credentials/credential_world.hpp"
#include "io/credentials/refresh_plan.hpp"

#include <condition_variable>
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using namespace std::chrono_literals;
using testing::CredentialMachine;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(RefreshPlan, RefreshesAheadOfExpiryWithJitter) {
  const Instant now{MonoTime{1h}, WallTime{Millis{1'795'000'000'000}}};
  const auto after = [&](std::optional<Millis> life, double jitter) {
    const auto expires = life ? std::optional{now.wall + *life} : std::nullopt;
    return next_refresh(now, expires, jitter) - now.mono;
  };
  EXPECT_EQ(after(1h, 0.0), 45min);
  EXPECT_EQ(after(1h, 0.5), 42min);
  EXPECT_EQ(after(6h, 0.0), 5h + 45min);
  EXPECT_EQ(after(15min, 0.0), 11min + 15s);
  EXPECT_EQ(after(1s, 0.0), 5s);
  EXPECT_EQ(after(0s, 0.9), 5s);
  EXPECT_EQ(after(-1h, 0.0), 5s);
  EXPECT_EQ(after(std::nullopt, 0.0), 5min);
  EXPECT_EQ(after(std::nullopt, 0.5), 4min + 45s);
  EXPECT_LT(after(Millis{24h * 365 * 5000}, 0.0), 24h * 366);
}

TEST(RefreshPlan, BacksOffWithJitterUpToAMinute) {
  const MonoTime now{1h};
  EXPECT_EQ(next_retry(now, 1, 0.0) - now, 1s);
  EXPECT_EQ(next_retry(now, 1, 1.0) - now, 2s);
  EXPECT_EQ(next_retry(now, 3, 1.0) - now, 8s);
  EXPECT_EQ(next_retry(now, 6, 0.0) - now, 30s);
  EXPECT_EQ(next_retry(now, 1'000'000, 1.0) - now, 60s);
}

TEST(RefreshPlan, ARejectionRefreshesAtOnceButOnceAMinuteAtMost) {
  const MonoTime now{1h};
  EXPECT_EQ(refresh_after_rejection(now, std::nullopt), now);
  EXPECT_EQ(refresh_after_rejection(now, now - 61s), now);
  EXPECT_EQ(refresh_after_rejection(now, now - 10s), now + 50s);
}

/// A keeper on a scripted machine, driven by hand instead of by a thread.
struct Bench {
  explicit Bench(CredentialPlace place) { options.place = place; }
  CredentialKeeper& keeper() {
    if (!keeper_) keeper_ = std::make_unique<CredentialKeeper>(options, world, "default", &observer);
    return *keeper_;
  }
  std::string id() {
    const auto got = keeper().current();
    return got ? got->access_key_id : "";
  }
  std::string error() {
    const auto got = keeper().current();
    return got ? "" : got.error().detail;
  }
  /// Lets the clock reach what is due, and does it.
  void next() {
    ASSERT_TRUE(keeper().due());
    const auto left = std::chrono::ceil<Millis>(*keeper().due() - machine.clock.mono());
    if (left > Millis{0}) machine.clock.advance(left);
    keeper().refresh({});
  }
  void serve_uri() {
    options.uri = "http://127.0.0.1:7/";
    machine.web = [this](const HttpRequest& /*request*/) {
      if (!up) return CredentialMachine::answer(503, "hush");
      return CredentialMachine::answer(200, machine.key_json("STS." + std::to_string(++served), 1h));
    };
  }

  CredentialMachine machine;
  CredentialWorld world = machine.world();
  CredentialOptions options;
  testing::CountingObserver observer;
  bool up = true;
  int served = 0;

 private:
  std::unique_ptr<CredentialKeeper> keeper_;
};

constexpr const char* kKey1 = "access_key_id=LTAI1\naccess_key_secret=hush1\n";
constexpr const char* kKey2 = "access_key_id=LTAI2\naccess_key_secret=hush2\n";

TEST(Keeper, ReadsARotatedFileAtTheNextCallAndOnlyThen) {
  Bench bench(CredentialPlace::static_file);
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
  Bench bench(CredentialPlace::static_file);
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
  Bench bench(CredentialPlace::static_file);
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
  Bench bench(CredentialPlace::static_file);
  bench.options.file = bench.machine.home.file("key");
  EXPECT_THAT(bench.error(), HasSubstr("No such file"));
  EXPECT_THAT(bench.error(), HasSubstr("No such file"));
  EXPECT_EQ(bench.observer.refresh_failures, 1);
  bench.machine.write("key", kKey1);
  EXPECT_EQ(bench.id(), "LTAI1");
}

TEST(Keeper, AnExpiringFileIsUsedUntilItExpires) {
  Bench bench(CredentialPlace::static_file);
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
  Bench bench(CredentialPlace::credentials_uri);
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
  Bench bench(CredentialPlace::credentials_uri);
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
  Bench bench(CredentialPlace::credentials_uri);
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
  Bench bench(CredentialPlace::credentials_uri);
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
  Bench bench(CredentialPlace::credentials_uri);
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

TEST(Keeper, ChangesFromAFileToARoleAndBackWithoutAGap) {
  Bench bench(CredentialPlace::cli_profile);
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
  Bench bench(CredentialPlace::cli_profile);
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
  Bench bench(CredentialPlace::credentials_uri);
  bench.serve_uri();
  bench.id();
  std::stop_source stop;
  stop.request_stop();
  bench.keeper().refresh(stop.get_token());
  EXPECT_EQ(bench.error(), "the first answer is under way");
  EXPECT_EQ(bench.observer.refresh_failures, 0);
}

// ---- the default chain ----

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
    Bench bench(CredentialPlace::default_chain);
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
  Bench bench(CredentialPlace::default_chain);
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
  Bench bench(CredentialPlace::default_chain);
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
  Bench bench(CredentialPlace::default_chain);
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
  Bench bench(CredentialPlace::default_chain);
  set_up(bench.machine, ini);
  EXPECT_EQ(bench.id(), "LTAI.ini");
  set_up(bench.machine, cli);
  EXPECT_EQ(bench.id(), "LTAI.cli");
}

// ---- the thread around the keeper ----

TEST(ThreadedSource, FetchesOnItsThreadOnceAndTellsWhenItIsDone) {
  CredentialMachine machine;
  std::mutex mutex;
  std::condition_variable done;
  int changes = 0;
  machine.web = [&](const HttpRequest& /*request*/) {
    return CredentialMachine::answer(200, machine.key_json("STS.1", 1h));
  };
  CredentialOptions options;
  options.place = CredentialPlace::credentials_uri;
  options.uri = "http://127.0.0.1:7/";
  testing::CountingObserver observer;
  const auto source =
      make_credential_source(options, machine.world(), "default", {&observer, [&] {
                                                                     const std::lock_guard lock(mutex);
                                                                     ++changes;
                                                                     done.notify_all();
                                                                   }});
  {
    std::unique_lock lock(mutex);
    ASSERT_TRUE(done.wait_for(lock, 30s, [&] { return changes == 1; }));
  }
  EXPECT_FALSE(source->pending());
  EXPECT_EQ(source->current()->access_key_id, "STS.1");
  EXPECT_EQ(machine.requests.size(), 1U);
  EXPECT_EQ(observer.generation, 1U);
}

TEST(ThreadedSource, EndsAtOnceWhileACallIsUnderWay) {
  CredentialMachine machine;
  std::mutex mutex;
  std::condition_variable_any called;
  bool inside = false;
  CredentialWorld world = machine.world();
  world.fetch = [&](const HttpRequest& /*request*/, Millis /*timeout*/, std::stop_token stop) -> HttpResult {
    std::unique_lock lock(mutex);
    inside = true;
    called.notify_all();
    called.wait(lock, std::move(stop), [] { return false; });
    return CredentialMachine::refused();
  };
  CredentialOptions options;
  options.place = CredentialPlace::ecs_ram_role;
  auto source = make_credential_source(options, world, "default", {});
  EXPECT_TRUE(source->pending());
  EXPECT_FALSE(source->current());
  {
    std::unique_lock lock(mutex);
    ASSERT_TRUE(called.wait_for(lock, 30s, [&] { return inside; }));
  }
  source.reset();
}

TEST(ThreadedSource, NeedsNoThreadForFiles) {
  CredentialMachine machine;
  CredentialOptions options;
  options.place = CredentialPlace::static_file;
  options.file = machine.write("key", kKey1);
  const auto source = make_credential_source(options, machine.world(), "default", {});
  EXPECT_EQ(source->current()->access_key_id, "LTAI1");
  source->report_rejected(1);
  EXPECT_FALSE(source->pending());
  machine.write("key", kKey2);
  EXPECT_EQ(source->current()->access_key_id, "LTAI2");
}

}  // namespace
}  // namespace sharedrift
