#include "poll/inventory_walks.hpp"

#include "poll/watch.hpp"
#include "recording.hpp"
#include "support/fake_source.hpp"
#include "support/fleet.hpp"
#include "support/image_server.hpp"
#include "support/recording_sink.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using testing::image_number;
using ::testing::IsEmpty;
using testing::owned;
using ::testing::SizeIs;

/// Walks of one profile on a manual clock.
struct World {
  World() {
    config.inventory.interval = 5min;
    config.poll.confirm_clears = 1;
    source.inventory.complete = true;
  }
  InventoryWalks::Parts parts() {
    config.profiles = {{"default"}};
    discovery.adopt(discovery_setup(config), clock.wall());
    return {
        clock, timers, config, inventories, discovery, publisher, listener, answers, [this] { ++rewatched; }};
  }
  /// Walks until so many more have ended.
  void walk(std::size_t times) {
    InventoryWalks walks(parts());
    walks.start("default", source, 1s);
    run(times);
  }
  void run(std::size_t times) {
    const std::size_t until = listener.walks + times;
    while (listener.walks < until && timers.next() != MonoTime::max()) {
      clock.advance(std::chrono::duration_cast<Millis>(timers.next() - clock.mono()));
      timers.run_due(clock.mono());
    }
  }
  void owns(std::initializer_list<int> numbers) {
    source.inventory.rows.clear();
    for (const int number : numbers)
      source.inventory.rows.push_back(owned(number, "image-" + std::to_string(number)));
  }
  void owns(int first, int last) {
    source.inventory.rows.clear();
    for (int number = first; number <= last; ++number)
      source.inventory.rows.push_back(owned(number));
    std::sort(source.inventory.rows.begin(), source.inventory.rows.end(),
              [](const InventoryRow& a, const InventoryRow& b) { return a.id < b.id; });
  }
  void fails(Reason reason) {
    source.inventory.complete = false;
    source.inventory.failure = make_failure(reason, "test");
  }
  testing::ManualClock clock;
  TimerQueue timers;
  testing::FakeShareSource source{clock, timers, [](const ImageId&) { return Observation{}; }, 10ms, 1};
  Config config;
  Inventories inventories;
  Discovery discovery;
  RepeatedAnswers answers;
  int rewatched = 0;
  testing::RecordingSink sink;
  testing::RecordingStore store{clock};
  testing::RecordingListener listener;
  StepPublisher publisher{clock, sink, store, listener};
};

TEST(InventoryWalks, WalksAtOnceAndThenOnItsInterval) {
  World world;
  const MonoTime start = world.clock.mono();
  world.walk(4);
  EXPECT_EQ(world.clock.mono() - start, 3 * 5min + 10ms) << "the period does not stretch";
}

TEST(InventoryWalks, AReloadIsNoReasonToWalk) {
  World world;
  world.walk(1);
  const MonoTime start = world.clock.mono();
  for (int i = 0; i < 100; ++i) {
    InventoryWalks walks(world.parts());
    walks.start("default", world.source, 1s);
    EXPECT_GE(world.timers.next(), start + 5min);
  }
  world.inventories["default"].walk_anew();
  InventoryWalks walks(world.parts());
  walks.start("default", world.source, 1s);
  EXPECT_EQ(world.timers.next(), start) << "unless its way is another";
}

TEST(InventoryWalks, AWalkThatTakesLongerThanItsIntervalIsFollowedAtOnce) {
  World world;
  world.config.inventory.interval = 4ms;
  const MonoTime start = world.clock.mono();
  world.walk(3);
  EXPECT_EQ(world.clock.mono() - start, 3 * 10ms);
}

TEST(InventoryWalks, AWalkMayTakeItsIntervalButNotForEver) {
  const auto patience = [](Millis interval, Millis timeout) {
    World world;
    world.config.inventory.interval = interval;
    InventoryWalks walks(world.parts());
    walks.start("default", world.source, timeout);
    world.run(1);
    return world.source.patience;
  };
  EXPECT_EQ(patience(1min, 10s), 1min);
  EXPECT_EQ(patience(10h, 10s), 5min) << "the longest";
  EXPECT_EQ(patience(1s, 10s), 10s) << "one request may take its timeout";
  EXPECT_EQ(patience(10h, 7min), 7min) << "even a longer one";
}

TEST(InventoryWalks, NotAtAllWhenTheInventoryIsOff) {
  World world;
  world.config.inventory.enabled = false;
  world.walk(1);
  EXPECT_EQ(world.source.walks, 0U);
}

TEST(InventoryWalks, CountsWhatNobodyWatches) {
  World world;
  world.owns({1, 2, 3, 4});
  world.config.images.push_back(testing::an_image("m-1").build());
  world.config.images.push_back(testing::an_image("m-99").build());
  world.config.ignored.push_back({image_number(2), "jane", "a public demo"});
  world.walk(1);
  const InventoryView& shown = world.listener.inventory;
  EXPECT_EQ(shown.images, 4);
  EXPECT_EQ(shown.unwatched, 2);
  EXPECT_EQ(shown.ignored, 1);
  EXPECT_THAT(shown.some_unwatched, ElementsAre(std::pair(image_number(3), std::string("image-3")),
                                                std::pair(image_number(4), std::string("image-4"))));
  EXPECT_FALSE(shown.failure);
  EXPECT_TRUE(shown.last_complete);
}

TEST(InventoryWalks, ANameThatIsTheIdIsNone) {
  World world;
  world.owns({1});
  world.source.inventory.rows.front().name = image_number(1).str();
  world.walk(1);
  EXPECT_THAT(world.listener.inventory.some_unwatched,
              ElementsAre(std::pair(image_number(1), std::string())));
}

TEST(InventoryWalks, AnotherConfigurationIsSeenBeforeTheNextWalk) {
  World world;
  world.owns({1, 2, 3});
  world.config.images.push_back(testing::an_image("m-1").build());
  world.config.images.push_back(testing::an_image("m-2").build());
  world.walk(1);
  EXPECT_THAT(world.listener.inventory.some_unwatched,
              ElementsAre(std::pair(image_number(3), std::string("image-3"))));
  world.config.images = {testing::an_image("m-1").build(), testing::an_image("m-3").build()};
  InventoryWalks walks(world.parts());
  walks.start("default", world.source, 1s);
  EXPECT_THAT(world.listener.inventory.some_unwatched,
              ElementsAre(std::pair(image_number(2), std::string("image-2"))));
  EXPECT_EQ(world.listener.inventory.unwatched, 1);
  EXPECT_EQ(world.listener.walks, 1U) << "it is no walk";
}

TEST(InventoryWalks, NothingIsShownOfAnInventoryThatNobodyWalked) {
  World world;
  world.inventories["default"].remember(image_number(1), {});
  InventoryWalks walks(world.parts());
  walks.start("default", world.source, 1s);
  EXPECT_FALSE(world.listener.inventory.images);
}

TEST(InventoryWalks, SaysWhenWhatIsWatchedChanges) {
  World world;
  world.config.discover.push_back({"image-*", "", *testing::an_image("m-any").build()});
  world.owns({1, 2});
  world.walk(3);
  EXPECT_EQ(world.rewatched, 1);
  EXPECT_EQ(world.listener.inventory.unwatched, 0);
  world.owns({1, 2, 3});
  world.walk(1);
  EXPECT_EQ(world.rewatched, 2);
  EXPECT_EQ(world.sink.count(EventType::image_discovered), 3U);
}

TEST(InventoryWalks, AnInventoryThatInventsImagesIsBoundedAndSaysSo) {
  World world;
  world.config.discover.push_back({"", "", *testing::an_image("m-any").build()});
  InventoryWalks walks(world.parts());
  walks.start("default", world.source, 1s);
  world.owns(1, 10);
  world.run(1);
  EXPECT_EQ(world.listener.inventory.left_out, 0);
  for (int round = 1; round <= 2; ++round) {
    world.owns(100'000 * round + 1, 100'000 * round + 30'000);
    for (int number = 1; number <= 10; ++number)
      world.source.inventory.rows.push_back(owned(number));
    world.fails(Reason::count_mismatch);  // so that nothing is ever proven to be gone
    world.run(1);
  }
  EXPECT_EQ(world.discovery.images().size(), 50'000U);
  EXPECT_EQ(world.listener.inventory.images, 60'010);
  EXPECT_EQ(world.listener.inventory.unwatched, 10'010);
  EXPECT_EQ(world.listener.inventory.left_out, 10'010);
  for (int number = 1; number <= 10; ++number)
    EXPECT_TRUE(world.discovery.watches(image_number(number))) << "who is watched stays";
  EXPECT_EQ(world.sink.count(EventType::images_left_out), 1U);
  EXPECT_EQ(world.sink.count(EventType::image_discovered), 20'010U + 10U * 300U) << "newcomers fill no disk";
  EXPECT_EQ(world.store.events, world.sink.events.size());
}

TEST(InventoryWalks, WhatFitsInNoMoreIsNoCompleteInventory) {
  World world;
  world.owns(1, 100'001);
  InventoryWalks walks(world.parts());
  walks.start("default", world.source, 1s);
  world.run(1);
  ASSERT_TRUE(world.listener.inventory.failure);
  EXPECT_EQ(world.listener.inventory.failure->reason, Reason::too_large);
  EXPECT_FALSE(world.listener.inventory.last_complete);
  EXPECT_EQ(world.listener.inventory.images, 100'001);
  EXPECT_EQ(world.listener.inventory.unwatched, 100'001);
  EXPECT_EQ(world.sink.count(EventType::inventory_incomplete), 1U);
  world.owns(1, 99'990);
  world.run(2);  // the first of them proves what is gone, the second has room for all
  EXPECT_FALSE(world.listener.inventory.failure);
  EXPECT_EQ(world.sink.count(EventType::inventory_recovered), 1U);
}

TEST(InventoryWalks, NamesTenAtMost) {
  World world;
  world.owns({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  world.walk(1);
  EXPECT_EQ(world.listener.inventory.unwatched, 12);
  EXPECT_THAT(world.listener.inventory.some_unwatched, SizeIs(10));
}

TEST(InventoryWalks, TheUnknownNeverMovesACountTowardsFine) {
  World world;
  world.owns({1, 2});
  world.walk(1);
  world.source.inventory.rows.clear();
  world.fails(Reason::forbidden);
  world.walk(10);
  EXPECT_EQ(world.listener.inventory.unwatched, 2);
  EXPECT_EQ(world.listener.inventory.failure->reason, Reason::forbidden);
  EXPECT_EQ(world.listener.inventory.ignored, std::nullopt) << "a 0 whose proof is too old";
  world.source.inventory.complete = true;
  world.owns({1});
  world.walk(1);
  EXPECT_EQ(world.listener.inventory.unwatched, 1) << "proven";
}

TEST(InventoryWalks, NothingIsClaimedBeforeTheFirstProof) {
  World world;
  world.fails(Reason::throttled);
  world.walk(1);
  EXPECT_FALSE(world.listener.inventory.images);
  EXPECT_FALSE(world.listener.inventory.unwatched);
  EXPECT_FALSE(world.listener.inventory.last_complete);
  world.owns({7});
  world.walk(1);
  EXPECT_EQ(world.listener.inventory.unwatched, 1) << "one row of a broken walk is enough to know of it";
}

TEST(InventoryWalks, WarnsOfAnAccountThatOwnsNothing) {
  World world;
  InventoryWalks walks(world.parts());
  walks.start("default", world.source, 1s);
  world.run(3);
  ASSERT_EQ(world.sink.count(EventType::config_warning), 1U);
  EXPECT_THAT(world.sink.events.front().text("reason"),
              ::testing::StartsWith("the account of profile default owns no image at https://"));
  world.owns({1});
  world.run(1);
  world.owns({});
  world.run(1);
  EXPECT_EQ(world.sink.count(EventType::config_warning), 2U);
}

TEST(InventoryWalks, TellsThatItIsBlindWhenThatBeginsAndNowAndThen) {
  World world;
  InventoryWalks walks(world.parts());
  walks.start("default", world.source, 1s);
  world.fails(Reason::forbidden);
  world.run(40);
  EXPECT_EQ(world.sink.count(EventType::inventory_incomplete), 3U);
  EXPECT_EQ(world.sink.events.front().text("reason"), "forbidden");
  EXPECT_EQ(world.sink.events.front().text("profile"), "default");
  world.source.inventory.complete = true;
  world.run(2);
  EXPECT_EQ(world.sink.count(EventType::inventory_recovered), 1U);
  EXPECT_EQ(world.store.events, world.sink.events.size()) << "one event is one line and one row";
}

TEST(InventoryWalks, TellsOfEveryBlindnessAnewAndOfItsEnd) {
  World world;
  world.owns({1});
  InventoryWalks walks(world.parts());
  walks.start("default", world.source, 1s);
  for (const Reason reason : {Reason::forbidden, Reason::forbidden, Reason::throttled}) {
    world.sink.events.clear();
    world.fails(reason);
    world.run(1);
    ASSERT_THAT(world.sink.events, SizeIs(1)) << "it could see before";
    EXPECT_EQ(world.sink.events[0].type, EventType::inventory_incomplete);
    EXPECT_EQ(world.sink.events[0].text("reason"), to_string(reason));
    world.source.inventory.complete = true;
    world.run(1);
    ASSERT_THAT(world.sink.events, SizeIs(2));
    EXPECT_EQ(world.sink.events[1].type, EventType::inventory_recovered);
    EXPECT_EQ(std::get<std::int64_t>(*world.sink.events[1].find("failures")), 1);
  }
  world.fails(Reason::forbidden);
  world.run(1);
  world.fails(Reason::throttled);
  world.run(1);
  EXPECT_EQ(world.sink.events.back().text("reason"), "throttled") << "another reason is news";
  EXPECT_EQ(std::get<std::int64_t>(*world.sink.events.back().find("failures")), 2);
}

TEST(InventoryWalks, TellsTheEvidenceOfAFailureAndNoneThatThereIsNot) {
  World world;
  InventoryWalks walks(world.parts());
  walks.start("default", world.source, 1s);
  world.fails(Reason::timeout);
  world.run(1);
  for (const char* field : {"code", "http_status", "request_id"})
    EXPECT_EQ(world.sink.events.back().find(field), nullptr) << field;
  EXPECT_EQ(world.sink.events.back().text("detail"), "test");
  Failure& why = world.source.inventory.failure;
  why.reason = Reason::forbidden;
  why.code = "Forbidden.RAM";
  why.http_status = 403;
  why.request_id = "3C5D";
  world.run(1);
  const Event& told = world.sink.events.back();
  EXPECT_EQ(told.text("code"), "Forbidden.RAM");
  EXPECT_EQ(told.text("request_id"), "3C5D");
  ASSERT_NE(told.find("http_status"), nullptr);
  EXPECT_EQ(std::get<std::int64_t>(*told.find("http_status")), 403);
}

TEST(InventoryWalks, AnAnswerThatSomebodyKeptIsABlindness) {
  World world;
  world.owns({1});
  world.source.inventory.request_ids = {"A"};
  world.walk(1);
  EXPECT_FALSE(world.listener.inventory.failure);
  InventoryWalks after_a_reload(world.parts());
  after_a_reload.start("default", world.source, 1s);
  world.run(4);
  ASSERT_TRUE(world.listener.inventory.failure);
  EXPECT_EQ(world.listener.inventory.failure->reason, Reason::bad_payload);
  EXPECT_EQ(world.sink.count(EventType::inventory_incomplete), 1U);
  EXPECT_FALSE(after_a_reload.proves("default", image_number(1))) << "the proof grew old";
  world.source.inventory.request_ids = {"B"};
  world.run(1);
  EXPECT_TRUE(after_a_reload.proves("default", image_number(1)));
}

TEST(InventoryWalks, ProvesWhatItListedForThreeIntervals) {
  World world;
  world.owns({1});
  InventoryWalks walks(world.parts());
  EXPECT_FALSE(walks.proves("default", image_number(1)));
  walks.start("default", world.source, 1s);
  world.run(1);
  EXPECT_TRUE(walks.proves("default", image_number(1)));
  EXPECT_FALSE(walks.proves("default", image_number(2)));
  EXPECT_FALSE(walks.proves("other", image_number(1)));
  world.clock.advance(15min);
  EXPECT_TRUE(walks.proves("default", image_number(1)));
  world.clock.advance(1ms);
  EXPECT_FALSE(walks.proves("default", image_number(1)));
}

}  // namespace
}  // namespace sharedrift
