#include "core/discovery.hpp"

#include "support/fleet.hpp"
#include "support/image_server.hpp"

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

constexpr WallTime kNow = testing::Fleet::kStart;

DiscoverRule rule(const std::string& name, int allows, const std::string& profile = "") {
  return {name, profile, *testing::an_image("m-any").allowing({allows}).build()};
}

/// A profile's account and what is discovered in it.
struct World {
  explicit World(std::vector<DiscoverRule> rules) {
    setup.rules = std::move(rules);
    setup.profiles = {"default", "eu"};
    setup.config = "one";
    setup.gone_for = 15min;
    adopt();
  }
  std::vector<Event> adopt() { return discovery.adopt(setup, clock.wall()); }
  /// A proven walk that lists these images, with their names.
  std::vector<Event> walk(const std::vector<std::pair<int, std::string>>& images,
                          const std::string& profile = "default") {
    clock.advance(5min);
    InventoryListing listing;
    listing.complete = true;
    for (const auto& [number, name] : images)
      listing.rows.push_back(owned(number, name));
    OwnedImages& known = inventories[profile];
    const auto news = known.take(listing, clock.now(), {5min, 1, 100});
    return discovery.take(profile, known, news, clock.wall());
  }
  /// Of the image's rule; empty if it is not discovered.
  [[nodiscard]] std::string rule_of(int number) const {
    for (const DiscoveredImage& image : discovery.images()) {
      if (image.id == image_number(number)) return image.rule;
    }
    return "";
  }
  testing::ManualClock clock{kNow};
  Discovery::Setup setup;
  Discovery discovery;
  std::map<std::string, OwnedImages> inventories;
};

std::vector<EventType> types(const std::vector<Event>& events) {
  std::vector<EventType> out;
  for (const Event& event : events)
    out.push_back(event.type);
  return out;
}

TEST(Glob, FitsAsPeopleExpect) {
  for (const auto& [pattern, text] : std::vector<std::pair<std::string, std::string>>{{"", ""},
                                                                                      {"*", ""},
                                                                                      {"*", "any"},
                                                                                      {"edge-*", "edge-"},
                                                                                      {"edge-*", "edge-base"},
                                                                                      {"*-prod", "a-prod"},
                                                                                      {"a*b*c", "a-b-b-c"},
                                                                                      {"a?c", "abc"},
                                                                                      {"**", "x"},
                                                                                      {"a*a", "aa"},
                                                                                      {"镜?", "镜像"},
                                                                                      {"*?x", "镜像x"},
                                                                                      {"*ab", "aab"}})
    EXPECT_TRUE(glob_fits(pattern, text)) << pattern << " " << text;
  for (const auto& [pattern, text] :
       std::vector<std::pair<std::string, std::string>>{{"", "a"},
                                                        {"edge-*", "edge"},
                                                        {"edge-*", "an edge-base"},
                                                        {"a?c", "ac"},
                                                        {"??", "镜"},
                                                        {"a*a", "a"},
                                                        {"*-prod", "a-prod-2"},
                                                        {"Edge", "edge"},
                                                        {"a.c", "abc"}})
    EXPECT_FALSE(glob_fits(pattern, text)) << pattern << " " << text;
}

TEST(Discovery, TheFirstRuleThatFitsCounts) {
  World world({rule("edge-*", 1), rule("*-eu", 2, "eu"), rule("", 3)});
  world.walk({{1, "edge-eu"}, {2, "other-eu"}});
  world.walk({{3, "other-eu"}}, "eu");
  EXPECT_EQ(world.rule_of(1), "edge-*");
  EXPECT_EQ(world.rule_of(2), "*") << "the rule before it is of another profile";
  EXPECT_EQ(world.rule_of(3), "*-eu of profile eu");
  const auto policies = world.discovery.policies();
  ASSERT_THAT(policies, SizeIs(3));
  EXPECT_EQ(policies[0]->id, image_number(1));
  EXPECT_EQ(policies[0]->name, "edge-eu");
  EXPECT_EQ(policies[0]->profile, "default");
  EXPECT_EQ(policies[0]->allowed, testing::accounts({1}));
  EXPECT_TRUE(policies[0]->discovered);
  EXPECT_EQ(policies[2]->profile, "eu");
}

TEST(Discovery, ANameThatIsTheIdFitsRulesAndIsNotTold) {
  World world({rule("m-*", 1)});
  const std::string id = image_number(1).str();
  const auto events = world.walk({{1, id}});
  EXPECT_EQ(world.rule_of(1), "m-*");
  ASSERT_THAT(types(events), ElementsAre(EventType::image_discovered));
  EXPECT_EQ(events.front().find("image_name"), nullptr);
}

TEST(Discovery, InventedImagesFillTheRoomOnceAndPushNobodyOut) {
  World world({rule("", 3)});
  world.setup.most = 3;
  world.adopt();
  world.walk({{1, "a"}, {2, "b"}});
  EXPECT_THAT(types(world.walk({{1, "a"}, {2, "b"}, {3, "c"}, {4, "d"}, {5, "e"}})),
              ElementsAre(EventType::image_discovered, EventType::images_left_out));
  EXPECT_EQ(world.discovery.left_out("default"), 2U);
  EXPECT_EQ(world.rule_of(1), "*");
  EXPECT_EQ(world.rule_of(4), "");
  const auto again = world.walk({{1, "a"}, {2, "b"}, {3, "c"}, {6, "f"}, {7, "g"}, {8, "h"}});
  EXPECT_THAT(again, IsEmpty()) << "once, not per image and not per walk";
  EXPECT_EQ(world.discovery.left_out("default"), 3U);
  EXPECT_EQ(world.discovery.left_out("eu"), 0U);
  world.walk({{1, "a"}, {2, "b"}}, "default");
  world.clock.advance(15min);
  EXPECT_THAT(types(world.walk({{1, "a"}, {2, "b"}, {9, "i"}})),
              ElementsAre(EventType::image_left, EventType::image_discovered))
      << "what left on proof makes room";
  EXPECT_EQ(world.discovery.left_out("default"), 0U);
  const auto anew = world.walk({{1, "a"}, {2, "b"}, {9, "i"}, {90, "j"}});
  ASSERT_THAT(types(anew), ElementsAre(EventType::images_left_out));
  EXPECT_EQ(std::get<std::int64_t>(*anew[0].find("images")), 1);
  EXPECT_EQ(std::get<std::int64_t>(*anew[0].find("discovered")), 3);
}

TEST(Discovery, WhatNoRuleFitsNeedsNoRoom) {
  World world({rule("edge-*", 3)});
  world.setup.most = 1;
  world.adopt();
  world.walk({{1, "edge-a"}, {2, "b"}});
  EXPECT_EQ(world.discovery.left_out("default"), 0U);
}

TEST(Discovery, AnEntryOfItsOwnWins) {
  World world({rule("", 3)});
  world.setup.configured = {image_number(1)};
  world.adopt();
  world.walk({{1, "a"}, {2, "b"}});
  EXPECT_EQ(world.rule_of(1), "");
  EXPECT_TRUE(world.discovery.watches(image_number(1)));
  EXPECT_EQ(world.rule_of(2), "*");
  world.setup.configured.insert(image_number(2));
  world.setup.config = "two";
  EXPECT_THAT(world.adopt(), IsEmpty());
  EXPECT_EQ(world.rule_of(2), "");
  EXPECT_TRUE(world.discovery.watches(image_number(2)));
}

TEST(Discovery, IgnoringIsForWhatNothingNames) {
  World world({rule("edge-*", 1), rule("", 3)});
  world.setup.ignored = {image_number(1), image_number(2)};
  world.adopt();
  world.walk({{1, "edge-base"}, {2, "a public demo"}, {3, "another"}});
  EXPECT_EQ(world.rule_of(1), "edge-*") << "a rule names it";
  EXPECT_EQ(world.rule_of(2), "") << "a rule for everything names nothing";
  EXPECT_EQ(world.rule_of(3), "*");
}

TEST(Discovery, AnImageThatIsRenamedAndOneThatComesAreTwoChanges) {
  World world({rule("", 1)});
  world.walk({{1, "a"}});
  const std::uint64_t before = world.discovery.version();
  world.walk({{1, "b"}, {2, "c"}});
  EXPECT_EQ(world.discovery.version(), before + 2) << "who compares versions misses neither";
}

TEST(Discovery, ARenameIsNoWayOut) {
  World world({rule("strict-*", 1), rule("lax-*", 2)});
  EXPECT_THAT(types(world.walk({{1, "strict-a"}})), ElementsAre(EventType::image_discovered));
  const auto renamed = world.walk({{1, "lax-a"}});
  ASSERT_THAT(types(renamed), ElementsAre(EventType::image_renamed));
  EXPECT_EQ(renamed[0].text("from"), "strict-a");
  EXPECT_EQ(renamed[0].text("image_name"), "lax-a");
  EXPECT_EQ(world.rule_of(1), "strict-*");
  EXPECT_EQ(world.discovery.policies()[0]->name, "lax-a");

  World after({rule("strict-*", 1), rule("lax-*", 2)});
  after.discovery.restore(world.discovery.images());
  EXPECT_THAT(after.adopt(), IsEmpty()) << "the same configuration";
  EXPECT_EQ(after.rule_of(1), "strict-*");

  after.setup.config = "two";
  const auto moved = after.adopt();
  ASSERT_THAT(types(moved), ElementsAre(EventType::image_policy_changed));
  EXPECT_EQ(moved[0].text("from"), "strict-*");
  EXPECT_EQ(moved[0].text("to"), "lax-*");
  EXPECT_EQ(after.rule_of(1), "lax-*");
}

TEST(Discovery, ARestartWithAnotherConfigurationIsALoad) {
  World world({rule("a-*", 1)});
  world.walk({{1, "a-1"}, {2, "b-2"}});
  World after({rule("a-*", 1), rule("b-*", 2)});
  after.setup.config = "two";
  after.discovery.restore(world.discovery.images());
  EXPECT_THAT(after.adopt(), IsEmpty()) << "its rule is there and fits";
  EXPECT_EQ(after.rule_of(1), "a-*");
  World without({rule("b-*", 2)});
  without.setup.config = "three";
  without.discovery.restore(world.discovery.images());
  without.adopt();
  EXPECT_THAT(without.discovery.images(), IsEmpty());
}

TEST(Discovery, WithoutTheInventoryWhatWasDiscoveredStays) {
  World world({rule("", 1)});
  world.walk({{1, "a"}});
  OwnedImages& known = world.inventories["default"];
  InventoryListing forbidden;
  forbidden.failure = make_failure(Reason::forbidden, "test");
  for (int i = 0; i < 100; ++i) {
    world.clock.advance(1h);
    const auto news = known.take(forbidden, world.clock.now(), {5min, 1, 100});
    EXPECT_THAT(world.discovery.take("default", known, news, world.clock.wall()), IsEmpty());
  }
  EXPECT_EQ(world.rule_of(1), "*");
}

TEST(Discovery, WhatLeftIsKeptForAWhile) {
  World world({rule("", 1)});
  world.walk({{1, "a"}, {2, "b"}});
  EXPECT_THAT(world.walk({{1, "a"}}), IsEmpty());
  EXPECT_EQ(world.rule_of(2), "*") << "it is shown as gone";
  world.walk({{1, "a"}});
  world.walk({{1, "a"}});
  const auto left = world.walk({{1, "a"}});
  ASSERT_THAT(types(left), ElementsAre(EventType::image_left));
  EXPECT_EQ(left[0].image_id, "m-2");
  EXPECT_EQ(world.rule_of(2), "");
  EXPECT_THAT(types(world.walk({{1, "a"}, {2, "b"}})), ElementsAre(EventType::image_discovered));
}

TEST(Discovery, WhatComesBackInTimeNeverLeft) {
  World world({rule("", 1)});
  world.walk({{1, "a"}});
  world.walk({});
  world.walk({{1, "a"}});
  for (int i = 0; i < 3; ++i)
    EXPECT_THAT(world.walk({}), IsEmpty());
  EXPECT_THAT(types(world.walk({})), ElementsAre(EventType::image_left));
}

TEST(Discovery, AProfileThatGoesTakesItsImagesWithIt) {
  World world({rule("", 1)});
  world.walk({{1, "a"}}, "eu");
  world.setup.profiles = {"default"};
  world.setup.config = "two";
  world.adopt();
  EXPECT_EQ(world.rule_of(1), "");
}

TEST(Discovery, TellsSinceWhenANewImageCanHaveBeenShared) {
  World world({rule("", 1)});
  InventoryListing listing;
  listing.complete = true;
  listing.rows = {owned(1, "a"), owned(2, "b")};
  listing.rows[0].created = kNow - 1h;
  listing.rows[1].created = kNow + 100h;
  OwnedImages& known = world.inventories["default"];
  const auto news = known.take(listing, world.clock.now(), {5min, 1, 100});
  const auto events = world.discovery.take("default", known, news, world.clock.wall());
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(events[0].text("created"), format_rfc3339(kNow - 1h));
  EXPECT_EQ(events[1].text("created"), "") << "not to be believed";
}

TEST(Discovery, TheFirstDriftOfADiscoveredImageSaysSo) {
  for (const WallTime created : {kNow - 1h, kNow, kNow + 1s}) {
    auto policy = std::make_shared<ImagePolicy>(*testing::an_image("m-1").allowing({1}).build());
    policy->discovered = true;
    policy->created = created;
    WatchList watch;
    watch.images = {policy};
    Step start;
    Tracker tracker(watch, SavedState{}, {MonoTime{1h}, kNow}, start);
    Observation seen = testing::listed({1, 9});
    seen.started = kNow;
    const Step step = tracker.apply(policy->id, seen, {MonoTime{1h}, kNow});
    const auto opened = std::find_if(step.events.begin(), step.events.end(),
                                     [](const Event& e) { return e.type == EventType::drift_opened; });
    ASSERT_NE(opened, step.events.end());
    EXPECT_EQ(opened->text("discovered"), "true");
    if (created > kNow) {
      EXPECT_EQ(opened->find("not_before"), nullptr) << "shared before it was made: not to be believed";
      continue;
    }
    EXPECT_EQ(opened->text("not_before"), format_rfc3339(created)) << "nobody can share it before that";
    EXPECT_THAT(message_of(*opened),
                ::testing::HasSubstr("can have been shared since " + format_rfc3339(created)));
  }
}

}  // namespace
}  // namespace sharedrift
