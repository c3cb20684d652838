// Whose image is it? The owner's inventory, looked up by an id and walked.
#include "ens_bench.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using namespace std::chrono_literals;
using testing::answer;
using testing::EnsBench;
using testing::failing;
using testing::parameter;
using testing::refusal;
using Reply = testing::ScriptedTransport::Reply;
using ::testing::HasSubstr;
using ::testing::SizeIs;

TEST(EnsClient, AnEmptyListIsAProofOnlyForAnImageThatIsOurs) {
  EnsBench bench;
  bench.inventory = {"m-0", "m-1"};
  const Observation empty = bench.fetch("m-1");
  EXPECT_TRUE(empty.complete);
  EXPECT_FALSE(empty.gone);
  EXPECT_EQ(parameter(bench.transport.requests.back(), "ImageId"), "m-1");
  EXPECT_EQ(bench.asked("DescribeSelfImages"), 1U);

  const Observation gone = bench.fetch("m-10");
  EXPECT_TRUE(gone.gone) << "and a look-up by id is fuzzy";
  EXPECT_FALSE(gone.complete);
  EXPECT_EQ(gone.failure.reason, Reason::image_gone);
}

TEST(EnsClient, AWalkThatListsTheImageSparesTheLookUp) {
  EnsBench bench;
  bench.inventory = {"m-0", "m-1"};
  EXPECT_TRUE(bench.fetch("m-1", true).complete);
  EXPECT_EQ(bench.asked("DescribeSelfImages"), 1U) << "no walk of this client's: whose inventory was it?";
  EXPECT_TRUE(bench.walk().complete);
  EXPECT_TRUE(bench.fetch("m-1", true).complete);
  EXPECT_EQ(bench.asked("DescribeSelfImages"), 2U) << "the walk";
  EXPECT_TRUE(bench.fetch("m-1", false).complete);
  EXPECT_EQ(bench.asked("DescribeSelfImages"), 3U) << "the walk did not list it";
  bench.credentials.give(2);
  EXPECT_TRUE(bench.fetch("m-1", true).complete);
  EXPECT_EQ(bench.asked("DescribeSelfImages"), 4U) << "another key may be another account's";
}

TEST(EnsClient, ALookUpIsNoWalk) {
  EnsBench bench;
  bench.inventory = {"m-0"};
  EXPECT_TRUE(bench.fetch("m-1").gone) << "a look-up that is proven";
  EXPECT_TRUE(bench.fetch("m-1", true).gone)
      << "what an inventory of before listed was not walked with this key";
  EXPECT_EQ(bench.asked("DescribeSelfImages"), 2U);
}

TEST(EnsClient, AnImageThatIsOnlySharedToUsIsNotOurs) {
  EnsBench bench;
  bench.inventory = {"m-1"};
  bench.alias = "others";
  EXPECT_TRUE(bench.fetch("m-1").gone);
  bench.alias = "system or whatever comes";
  EXPECT_TRUE(bench.fetch("m-1").complete) << "what is not known counts as ours";
}

TEST(EnsClient, ARefusedIdIsLookedUpInTheInventory) {
  EnsBench bench;
  bench.instead =
      failing("DescribeImageSharePermission", HttpResult(refusal("InvalidParameter.ImageId", 400)));
  bench.inventory = {"m-0"};
  EXPECT_TRUE(bench.fetch("m-1").gone);
  bench.inventory = {"m-1"};
  const Observation refused = bench.fetch("m-1");
  EXPECT_FALSE(refused.gone);
  EXPECT_EQ(refused.failure.reason, Reason::invalid_image);
}

TEST(EnsClient, AnEmptyListOfWhichNobodyCanTellWhoseItIsIsNoProof) {
  const std::vector<HttpResult> mute{
      Err(TransportError{Reason::reset, "gone"}),
      refusal("NoPermission", 403),
      refusal("Throttling.User", 400),
      answer(200, "{}"),
      answer(200, R"({"Images":{}})"),
      answer(200, R"({"TotalCount":3,"Images":{"Image":[]}})"),
      answer(200, R"({"TotalCount":1,"Images":{"Image":[{"Name":"no id"}]}})"),
      answer(200, R"({"TotalCount":1,"Images":{"Image":[{"ImageId":"m-2"},{"ImageId":"m-2"}]}})"),
  };
  for (const HttpResult& result : mute) {
    EnsBench bench;
    bench.instead = failing("DescribeSelfImages", result);
    const Observation seen = bench.fetch("m-1");
    EXPECT_FALSE(seen.complete);
    EXPECT_FALSE(seen.gone);
    EXPECT_EQ(seen.failure.reason, Reason::ownership_unknown);
    EXPECT_THAT(seen.failure.detail, HasSubstr("ens:DescribeSelfImages"));
    EXPECT_EQ(seen.total_count, -1) << "a count of 0 would be a claim";
  }
  EnsBench bench;
  bench.instead = [](const HttpRequest& /*request*/, const std::string& action) {
    return action == "DescribeSelfImages" ? std::optional(Reply{HttpResult(answer(200, "")), 3600s})
                                          : std::nullopt;
  };
  EXPECT_EQ(bench.fetch("m-1", false, 5s).failure.reason, Reason::ownership_unknown)
      << "the deadline is no answer";
  bench.instead = failing("DescribeSelfImages", refusal("NoPermission", 403));
  EXPECT_EQ(bench.fetch("m-1").failure.code, "NoPermission") << "the API's own word";
}

TEST(EnsClient, AKeyWithoutTheRightToLookUpIsAskedOnceInAWhile) {
  EnsBench bench;
  bench.inventory = {"m-1", "m-2"};
  bench.instead = failing("DescribeSelfImages", refusal("NoPermission", 403));
  for (int i = 0; i < 20; ++i) {
    const Observation seen = bench.fetch(i % 2 == 0 ? "m-1" : "m-2");
    EXPECT_FALSE(seen.complete);
    EXPECT_EQ(seen.failure.reason, Reason::ownership_unknown);
    EXPECT_EQ(seen.failure.code, "NoPermission");
  }
  EXPECT_EQ(bench.asked("DescribeSelfImages"), 1U);
  bench.clock.advance(EnsBench::plain().look_up_pause);
  EXPECT_FALSE(bench.fetch("m-1").complete);
  EXPECT_FALSE(bench.fetch("m-2").complete);
  EXPECT_EQ(bench.asked("DescribeSelfImages"), 2U) << "once more, and no more";
  bench.credentials.give(2);
  EXPECT_FALSE(bench.fetch("m-1").complete);
  EXPECT_EQ(bench.asked("DescribeSelfImages"), 3U) << "another key may have the right";
  bench.instead = nullptr;
  EXPECT_FALSE(bench.fetch("m-1").complete) << "not yet: nobody asked";
  EXPECT_TRUE(bench.walk().complete);
  EXPECT_TRUE(bench.fetch("m-1").complete) << "the walk shows that the right is there again";
  EXPECT_EQ(bench.asked("DescribeSelfImages"), 5U);
}

TEST(EnsClient, ARightThatLacksIsAskedForAgainWhenThePauseIsOver) {
  constexpr Millis kLatency{10};  // of the listing, which is judged when it is there
  for (const Millis early : {1ms, 0ms}) {
    EnsBench bench;
    bench.instead = failing("DescribeSelfImages", refusal("NoPermission", 403));
    bench.fetch("m-1");
    bench.clock.advance(EnsBench::plain().look_up_pause - kLatency - early);
    bench.fetch("m-1");
    EXPECT_EQ(bench.asked("DescribeSelfImages"), early == 0ms ? 2U : 1U);
  }
}

TEST(EnsClient, AnythingButARightThatLacksIsLookedUpAgain) {
  for (const auto& result : {HttpResult(refusal("Throttling.User", 400)), HttpResult(answer(200, "{}"))}) {
    EnsBench bench;
    bench.inventory = {"m-1"};
    bench.instead = failing("DescribeSelfImages", result);
    EXPECT_FALSE(bench.fetch("m-1").complete);
    bench.instead = nullptr;
    EXPECT_TRUE(bench.fetch("m-1").complete);
  }
}

TEST(EnsClient, ALongInventoryProvesAbsenceByTwoPassesThatAgree) {
  EnsBench bench;
  for (int i = 0; i < 150; ++i)
    bench.inventory.push_back("m-other-" + std::to_string(i));
  EXPECT_TRUE(bench.fetch("m-1").gone);
  EXPECT_EQ(bench.asked("DescribeSelfImages"), 4U);
  // One image goes and another comes while it is read: ours may have slipped through.
  int asked = 0;
  bench.before = [&](const HttpRequest& /*request*/, const std::string& action) {
    if (action == "DescribeSelfImages" && ++asked % 2 == 0)
      bench.inventory[static_cast<std::size_t>(asked)] = "m-new-" + std::to_string(asked);
  };
  const Observation seen = bench.fetch("m-1");
  EXPECT_FALSE(seen.gone);
  EXPECT_EQ(seen.failure.reason, Reason::ownership_unknown);
}

TEST(EnsClient, AnInventoryWithoutACountIsProvenByTwoPasses) {
  EnsBench bench;
  bench.counted = false;
  bench.inventory = {"m-0", "m-1"};
  EXPECT_TRUE(bench.fetch("m-1").complete);
  EXPECT_EQ(bench.asked("DescribeSelfImages"), 1U) << "it is there: no more is to be proven";
  EXPECT_TRUE(bench.fetch("m-2").gone);
  EXPECT_EQ(bench.asked("DescribeSelfImages"), 5U);
  bench.inventory.clear();
  EXPECT_TRUE(bench.fetch("m-1").gone);
}

TEST(EnsClient, AWalkListsTheAccountsImages) {
  EnsBench bench;
  for (int i = 0; i < 250; ++i)
    bench.inventory.push_back("m-" + std::to_string(i));
  for (const bool counted : {true, false}) {
    bench.counted = counted;
    const InventoryListing found = bench.walk();
    EXPECT_TRUE(found.complete);
    EXPECT_THAT(found.rows, SizeIs(250));
    EXPECT_NE(found.find(*ImageId::parse("m-249")), nullptr);
    EXPECT_EQ(parameter(bench.transport.requests.back(), "ImageId"), "") << "no filter";
    EXPECT_EQ(parameter(bench.transport.requests.back(), "PageSize"), "100");
  }
  EXPECT_EQ(bench.asked("DescribeSelfImages"), 12U) << "two passes each";
  bench.instead = failing("DescribeSelfImages", refusal("NoPermission", 403));
  const InventoryListing refused = bench.walk();
  EXPECT_FALSE(refused.complete);
  EXPECT_EQ(refused.failure.reason, Reason::forbidden);
}

TEST(EnsClient, AWalkTriesSmallerPagesWhereAHundredRowsAreRefused) {
  for (const int most : {50, 10}) {
    EnsBench bench;
    for (int i = 0; i < 120; ++i)
      bench.inventory.push_back("m-" + std::to_string(i));
    const auto refuse = failing("DescribeSelfImages", refusal("InvalidParameter.PageSize", 400));
    bench.instead = [most, refuse](const HttpRequest& request, const std::string& action) {
      const std::string size = parameter(request, "PageSize");
      return refuse(request, size.empty() || std::stoi(size) <= most ? "taken" : action);
    };
    const InventoryListing found = bench.walk();
    EXPECT_TRUE(found.complete) << found.failure.detail;
    EXPECT_THAT(found.rows, SizeIs(120));
    EXPECT_TRUE(bench.walk().complete);
    EXPECT_EQ(parameter(bench.transport.requests.front(), "PageSize"), "100");
    EXPECT_EQ(bench.asked("DescribeSelfImages"), most == 50 ? 1U + 2U * 6U : 2U + 2U * 26U)
        << "what was refused is not asked for again";
  }
  EnsBench bench;
  bench.instead = failing("DescribeSelfImages", refusal("InvalidParameter", 400));
  EXPECT_EQ(bench.walk().failure.code, "InvalidParameter");
  EXPECT_EQ(bench.asked("DescribeSelfImages"), 3U);
  bench.walk();
  EXPECT_EQ(bench.asked("DescribeSelfImages"), 6U) << "the size was not the reason";
}

}  // namespace
}  // namespace sharedrift
