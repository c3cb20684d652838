#include "ens_bench.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using namespace std::chrono_literals;
using testing::accounts_from;
using testing::answer;
using testing::EnsBench;
using testing::parameter;
using testing::refusal;
using Reply = testing::ScriptedTransport::Reply;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// Fails every call of one action.
std::function<std::optional<Reply>(const HttpRequest&, const std::string&)> failing(const std::string& which,
                                                                                    HttpResult with) {
  return [which, with](const HttpRequest& /*request*/, const std::string& action) {
    return action == which ? std::optional(Reply{with}) : std::nullopt;
  };
}

TEST(EnsClient, AsksForWholePagesAndProvesAShortListByOne) {
  EnsBench bench;
  bench.shares["m-1"] = accounts_from(1, 3);
  const Observation seen = bench.fetch("m-1");
  EXPECT_TRUE(seen.complete);
  EXPECT_THAT(seen.accounts, SizeIs(3));
  ASSERT_THAT(bench.transport.requests, SizeIs(1));
  EXPECT_EQ(parameter(bench.transport.requests[0], "PageSize"), "100");
  EXPECT_EQ(parameter(bench.transport.requests[0], "AliyunId"), "") << "undocumented: never sent";
}

TEST(EnsClient, ALongListHoldsUpNobody) {
  EnsOptions options = EnsBench::plain();
  options.gate.requests_per_second = 5;
  EnsBench bench(std::move(options));
  bench.shares["m-huge"] = accounts_from(1, 9'950);
  for (int i = 0; i < 5; ++i)
    bench.fetch("m-warm-up");  // the burst is spent: from here on it is five a second
  const auto huge = bench.begin("m-huge");
  const MonoTime start = bench.clock.mono();
  std::vector<std::shared_ptr<EnsBench::Outcome>> others;
  while (bench.actions.size() < 7) {  // the first page is there: a hundred more are known
    bench.timers.run_due(bench.clock.mono());
    bench.transport.run_once(bench.timers.next());
  }
  for (int i = 0; i < 10; ++i)
    others.push_back(bench.begin("m-" + std::to_string(i)));
  bench.run();
  for (const auto& other : others)
    EXPECT_LT(other->when - start, 6s) << "a hundred pages at five a second are twenty seconds";
  EXPECT_TRUE(huge->seen->complete);
}

TEST(EnsClient, OfALongListNoMorePagesWaitThanCanBeInFlight) {
  EnsOptions options = EnsBench::plain();
  options.gate.requests_per_second = 5;
  options.gate.concurrency = 8;
  EnsBench bench(std::move(options));
  bench.shares["m-huge"] = accounts_from(1, 9'950);
  bench.begin("m-huge");
  while (bench.actions.size() < 12) {  // pages come, and others are asked for
    bench.timers.run_due(bench.clock.mono());
    bench.transport.run_once(bench.timers.next());
  }
  bench.begin("m-1");
  bench.run();
  const auto& sent = bench.transport.requests;
  const auto first = std::find_if(sent.begin() + 12, sent.end(), [](const HttpRequest& request) {
    return parameter(request, "ImageId") == "m-1";
  });
  EXPECT_LE(first - (sent.begin() + 12), 8) << "are before the other image's";
}

TEST(EnsClient, AnImageWhoseAnswersNeverComeHoldsUpNobody) {
  EnsBench bench;
  bench.instead = [](const HttpRequest& request, const std::string& /*action*/) -> std::optional<Reply> {
    if (parameter(request, "ImageId") != "m-dead") return std::nullopt;
    return Reply{HttpResult(answer(200, "")), 3600s};
  };
  const auto dead = bench.begin("m-dead");
  std::vector<std::shared_ptr<EnsBench::Outcome>> others;
  for (int i = 0; i < 50; ++i)
    others.push_back(bench.begin("m-" + std::to_string(i)));
  const MonoTime start = bench.clock.mono();
  bench.run();
  for (const auto& other : others)
    EXPECT_LT(other->when - start, 1s);
  EXPECT_EQ(dead->seen->failure.reason, Reason::timeout);
}

TEST(EnsClient, RowsOnTheirWayStillCountWhenAPageFails) {
  EnsBench bench;
  bench.shares["m-1"] = accounts_from(1, 250);
  bench.instead = [](const HttpRequest& request, const std::string& /*action*/) -> std::optional<Reply> {
    if (parameter(request, "PageNumber") != "2") return std::nullopt;
    return Reply{HttpResult(refusal("NoPermission", 400)), 1ms};
  };
  const Observation seen = bench.fetch("m-1");
  EXPECT_FALSE(seen.complete);
  EXPECT_EQ(seen.failure.reason, Reason::forbidden);
  EXPECT_THAT(seen.accounts, SizeIs(150)) << "pages 1 and 3";
  EXPECT_EQ(seen.total_count, 250);
}

TEST(EnsClient, APollThatIsBrokenOffEndsWithTheRowsThatCame) {
  EnsBench bench;
  bench.shares["m-1"] = accounts_from(1, 250);
  bench.instead = [](const HttpRequest& request, const std::string& /*action*/) -> std::optional<Reply> {
    if (parameter(request, "PageNumber") == "1" && parameter(request, "ImageId") == "m-1")
      return std::nullopt;
    return Reply{HttpResult(answer(200, "")), 3600s};
  };
  const auto begun = bench.begin("m-1");
  const auto without_rows = bench.begin("m-2");
  const MonoTime start = bench.clock.mono();
  while (bench.clock.mono() - start < 1s) {
    bench.timers.run_due(bench.clock.mono());
    bench.transport.run_once(std::min(bench.timers.next(), start + 1s));
  }
  bench.transport.cancel_all();
  bench.client.break_off(make_failure(Reason::timeout, "a reload"));
  ASSERT_EQ(begun->times, 1);
  EXPECT_FALSE(begun->seen->complete);
  EXPECT_EQ(begun->seen->failure.detail, "a reload");
  EXPECT_THAT(begun->seen->accounts, SizeIs(100));
  EXPECT_EQ(without_rows->times, 0) << "it has nothing to say";
}

TEST(EnsClient, TheDeadlineEndsAPollWithWhatWasSeen) {
  EnsBench bench;
  bench.shares["m-1"] = accounts_from(1, 250);
  bench.instead = [](const HttpRequest& request, const std::string& /*action*/) -> std::optional<Reply> {
    if (parameter(request, "PageNumber") == "1") return std::nullopt;
    return Reply{HttpResult(answer(200, "")), 3600s};
  };
  const MonoTime start = bench.clock.mono();
  const Observation seen = bench.fetch("m-1", false, 7s);
  EXPECT_LE(bench.clock.mono() - start, 7s + 1ms);
  EXPECT_FALSE(seen.complete);
  EXPECT_EQ(seen.failure.reason, Reason::timeout);
  EXPECT_THAT(seen.accounts, SizeIs(100));
}

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

TEST(EnsClient, AnotherImagesAnswerIsNotThisOnes) {
  EnsBench bench;
  bench.instead = [](const HttpRequest& /*request*/, const std::string& /*action*/) {
    return std::optional(Reply{HttpResult(testing::page_of("m-other", accounts_from(1, 2), 1))});
  };
  const Observation seen = bench.fetch("m-1");
  EXPECT_FALSE(seen.complete);
  EXPECT_EQ(seen.failure.reason, Reason::echo_mismatch);
  EXPECT_THAT(seen.accounts, IsEmpty());
}

TEST(EnsClient, ANewConfigurationIsNoNewBudget) {
  EnsOptions options = EnsBench::plain();
  options.gate.requests_per_second = 5;
  EnsBench bench(options);
  for (int i = 0; i < 5; ++i)
    bench.fetch("m-1");
  EnsClient next(options, bench.transport, bench.timers, bench.credentials, bench.clock, bench.random,
                 bench.observer);
  next.continue_pace_of(bench.client);
  std::optional<Observation> seen;
  next.fetch(
      *ImageId::parse("m-1"), [] { return false; }, bench.clock.mono() + 60s,
      [&seen](Observation found) { seen = std::move(found); });
  const MonoTime start = bench.clock.mono();
  while (!seen) {
    bench.timers.run_due(bench.clock.mono());
    bench.transport.run_once(bench.timers.next());
  }
  EXPECT_GT(bench.clock.mono() - start, 100ms) << "the burst was spent";

  bench.instead = failing("DescribeImageSharePermission", HttpResult(refusal("Throttling.User", 400)));
  bench.fetch("m-1", false, 1s);
  ASSERT_LT(bench.client.budget(), 5);
  EnsClient throttled(options, bench.transport, bench.timers, bench.credentials, bench.clock, bench.random,
                      bench.observer);
  throttled.continue_pace_of(bench.client);
  EXPECT_EQ(throttled.budget(), bench.client.budget()) << "nor an end of the slow start";
}

}  // namespace
}  // namespace sharedrift
