// Keys of another account, where the configuration names the owner.
#include "ens_bench.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using namespace std::chrono_literals;
using testing::accounts_from;
using testing::answer;
using testing::EnsBench;
using testing::failing;
using testing::refusal;
using Reply = testing::ScriptedTransport::Reply;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(EnsClient, AWalkWithAKeyOfAnotherAccountTellsNothing) {
  EnsBench bench(EnsBench::owned_by("2222222222222222"));
  bench.inventory = {"m-1"};
  const InventoryListing found = bench.walk();
  EXPECT_FALSE(found.complete);
  EXPECT_THAT(found.rows, IsEmpty());
  EXPECT_EQ(found.failure.reason, Reason::owner_mismatch);
  EXPECT_EQ(bench.asked("DescribeSelfImages"), 0U);
  bench.caller = "2222222222222222";
  bench.credentials.give(2);
  EXPECT_TRUE(bench.walk().complete);
  bench.before = [&](const HttpRequest& /*request*/, const std::string& action) {
    if (action != "DescribeSelfImages") return;
    bench.credentials.give(3);  // replaced while the inventory is read
    bench.caller = "3333333333333333";
  };
  for (int i = 0; i < 150; ++i)
    bench.inventory.push_back("m-other-" + std::to_string(i));
  const InventoryListing mixed = bench.walk();
  EXPECT_FALSE(mixed.complete);
  EXPECT_THAT(mixed.rows, IsEmpty());
  EXPECT_EQ(mixed.failure.reason, Reason::owner_mismatch);
}

TEST(EnsClient, AKeyOfAnotherAccountJudgesNothing) {
  EnsBench bench(EnsBench::owned_by("2222222222222222"));
  bench.shares["m-1"] = accounts_from(1, 3);
  for (int round = 0; round < 3; ++round) {
    const Observation seen = bench.fetch("m-1", true);
    EXPECT_FALSE(seen.complete);
    EXPECT_FALSE(seen.gone);
    EXPECT_THAT(seen.accounts, IsEmpty());
    EXPECT_EQ(seen.failure.reason, Reason::owner_mismatch);
    EXPECT_THAT(seen.failure.detail, HasSubstr("1111111111111111"));
  }
  EXPECT_THAT(bench.actions, ElementsAre("GetCallerIdentity"))
      << "asked once for a key, and nothing else sent";
  bench.caller = "2222222222222222";
  bench.credentials.give(2);
  EXPECT_TRUE(bench.fetch("m-1", true).complete) << "another key, another question";
  EXPECT_TRUE(bench.fetch("m-1", true).complete);
  EXPECT_EQ(bench.asked("GetCallerIdentity"), 2U);
}

TEST(EnsClient, AnOwnerThatCannotBeLearntIsNoOwner) {
  for (const HttpResult& result : std::vector<HttpResult>{
           Err(TransportError{Reason::tls, "untrusted"}), refusal("Throttling", 429), answer(200, "{}"),
           answer(200, R"({"AccountId":"not digits"})"), refusal("InvalidParameter", 400)}) {
    EnsBench bench(EnsBench::owned_by("1111111111111111"));
    bench.shares["m-1"] = accounts_from(1, 3);
    bench.instead = failing("GetCallerIdentity", result);
    const Observation seen = bench.fetch("m-1", true);
    EXPECT_FALSE(seen.complete);
    EXPECT_FALSE(seen.gone);
    EXPECT_THAT(seen.accounts, IsEmpty());
    EXPECT_NE(seen.failure.reason, Reason::invalid_image);
    EXPECT_EQ(bench.asked("DescribeImageSharePermission"), 0U);
    bench.instead = nullptr;
    EXPECT_TRUE(bench.fetch("m-1", true).complete) << "and asked again the next time";
  }
}

TEST(EnsClient, NobodyWaitsForTheOwnerBeyondItsDeadline) {
  EnsBench bench(EnsBench::owned_by("1111111111111111"));
  bench.shares["m-2"] = accounts_from(1, 3);
  bench.instead = [](const HttpRequest& /*request*/, const std::string& action) {
    return action == "GetCallerIdentity" ? std::optional(Reply{HttpResult(answer(200, "")), 3600s})
                                         : std::nullopt;
  };
  const MonoTime start = bench.clock.mono();
  const auto asking = bench.begin("m-1", false, 9s);
  const auto hasty = bench.begin("m-2", true, 2s);
  bench.run();
  EXPECT_EQ(hasty->when - start, 2s);
  EXPECT_EQ(hasty->seen->failure.reason, Reason::timeout);
  EXPECT_EQ(asking->when - start, 9s);
  bench.instead = nullptr;
  EXPECT_TRUE(bench.fetch("m-2").complete) << "and is asked again the next time";
}

TEST(EnsClient, AKeyThatIsReplacedWhileAListIsReadIsAskedWhoseItIs) {
  for (const bool foreign : {false, true}) {
    EnsBench bench(EnsBench::owned_by("1111111111111111"));
    bench.shares["m-1"] = accounts_from(1, 150);
    int pages = 0;
    bench.before = [&](const HttpRequest& /*request*/, const std::string& action) {
      if (action != "DescribeImageSharePermission" || ++pages != 1) return;
      bench.credentials.give(2);
      if (foreign) bench.caller = "3333333333333333";
    };
    const Observation seen = bench.fetch("m-1", true);
    EXPECT_EQ(seen.complete, !foreign);
    EXPECT_EQ(seen.accounts.size(), foreign ? 0U : 150U);
    if (foreign) {
      EXPECT_EQ(seen.failure.reason, Reason::owner_mismatch);
    }
    EXPECT_EQ(bench.asked("GetCallerIdentity"), 2U);
  }
}

TEST(EnsClient, RowsOfAKeyThatNobodyAskedAboutEndWithAPollThatIsBrokenOff) {
  EnsBench bench(EnsBench::owned_by("1111111111111111"));
  bench.shares["m-1"] = accounts_from(1, 250);
  bench.instead = [&bench](const HttpRequest& request, const std::string& action) -> std::optional<Reply> {
    if (action == "GetCallerIdentity") bench.credentials.give(2);  // replaced as soon as it was asked about
    if (testing::page_number(request) < 2) return std::nullopt;
    return Reply{HttpResult(answer(200, "")), 3600s};
  };
  const auto begun = bench.begin("m-1");
  const MonoTime start = bench.clock.mono();
  while (bench.clock.mono() - start < 1s) {
    bench.timers.run_due(bench.clock.mono());
    bench.transport.run_once(std::min(bench.timers.next(), start + 1s));
  }
  bench.transport.cancel_all();
  bench.client.break_off(make_failure(Reason::timeout, "a reload"));
  EXPECT_GT(bench.asked("DescribeImageSharePermission"), 1U) << "the first page came";
  EXPECT_EQ(begun->times, 0) << "its rows may be another account's";
}

TEST(EnsClient, AListThatOurKeyReadStandsWhoeversKeyComesNext) {
  EnsBench bench(EnsBench::owned_by("1111111111111111"));
  bench.shares["m-1"] = {"1715107400000001"};
  bench.before = [&bench](const HttpRequest& /*request*/, const std::string& action) {
    if (action != "DescribeImageSharePermission") return;
    bench.credentials.give(2);
    bench.caller = "2222222222222222";
  };
  EXPECT_TRUE(bench.fetch("m-1").complete);
}

}  // namespace
}  // namespace sharedrift
