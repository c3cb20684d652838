// One line for one cause: what is told when all images of a profile fail together, and when they do not.
#include "core/event.hpp"
#include "support/fleet.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using namespace std::chrono_literals;
using testing::an_image;
using ::testing::ElementsAre;
using testing::failed;
using testing::Fleet;
using ::testing::IsEmpty;
using testing::listed;
using enum EventType;

std::vector<std::string> told(const std::vector<Event>& events) {
  std::vector<std::string> out;
  for (const Event& event : events)
    out.push_back(std::string{to_string(event.type)} + (event.image_id.empty() ? "" : " " + event.image_id));
  return out;
}
std::vector<std::string> told(const Step& step) {
  return told(step.events);
}

class ProfileOutageTest : public ::testing::Test {
 protected:
  ProfileOutageTest() { fleet.apply_all(listed({1})); }
  std::vector<std::string> fail(const std::string& image, Reason reason = Reason::timeout) {
    return told(fleet.apply(image, failed(reason)));
  }
  Fleet fleet{{an_image("m-1").allowing({1}), an_image("m-2").allowing({1}), an_image("m-3").allowing({1})}};
};

TEST_F(ProfileOutageTest, WhenAllFailAlikeTheFirstIsToldAndThenTheProfile) {
  EXPECT_THAT(fail("m-1"), ElementsAre("image_state_changed m-1", "listing_failed m-1"));
  fleet.advance(1min);
  EXPECT_THAT(fail("m-2"), IsEmpty());
  fleet.advance(1min);
  const Step step = fleet.apply("m-3", failed(Reason::timeout));
  ASSERT_THAT(told(step), ElementsAre("profile_blind"));
  EXPECT_EQ(step.events[0].text("profile"), "default");
  EXPECT_EQ(step.events[0].text("images"), "3");
  EXPECT_EQ(step.events[0].text("reason"), "timeout");
  EXPECT_EQ(step.events[0].text("seconds"), "120");
  fleet.advance(3min);
  EXPECT_THAT(told(fleet.apply_all(failed(Reason::connect))), IsEmpty()) << "a cause has several faces";
  for (const char* image : {"m-1", "m-2", "m-3"})
    EXPECT_EQ(fleet.view(image)->state, ImageState::unreachable) << "what is measured does not wait";
}

TEST_F(ProfileOutageTest, TwoImagesAreAProfileToo) {
  fleet.reconfigure({an_image("m-1").allowing({1}), an_image("m-2").allowing({1})});
  fail("m-1");
  EXPECT_THAT(fail("m-2"), ElementsAre("profile_blind"));
}

TEST_F(ProfileOutageTest, TheFirstCompleteListingEndsItForAll) {
  fleet.apply_all(failed(Reason::timeout));
  fleet.advance(10min);
  const Step step = fleet.apply("m-2", listed({1}));
  ASSERT_THAT(told(step), ElementsAre("profile_recovered"));
  EXPECT_EQ(step.events[0].text("seconds"), "600");
  EXPECT_EQ(step.events[0].text("images"), "3");
  EXPECT_THAT(told(fleet.apply("m-1", listed({1}))), IsEmpty());
  EXPECT_THAT(told(fleet.apply("m-3", listed({1}))), IsEmpty());
  EXPECT_THAT(fail("m-3"), ElementsAre("image_state_changed m-3", "listing_failed m-3")) << "new trouble";
}

TEST_F(ProfileOutageTest, WhoStaysBlindAfterwardsIsTold) {
  fleet.apply_all(failed(Reason::timeout));
  fleet.apply("m-2", listed({1}));
  EXPECT_THAT(fail("m-3"), ElementsAre("listing_failed m-3")) << "it was quiet, and is its own trouble now";
  fleet.apply("m-2", listed({1}));
  EXPECT_THAT(told(fleet.apply("m-3", listed({1}))),
              ElementsAre("listing_recovered m-3", "image_state_changed m-3"));
}

TEST_F(ProfileOutageTest, WhoStaysBlindIsToldThoughOtherNewsCameOfIt) {
  fleet.apply_all(failed(Reason::timeout));
  fleet.apply("m-2", listed({1}));
  EXPECT_THAT(told(fleet.apply("m-3", testing::broken({9}, Reason::timeout))),
              ElementsAre("drift_opened m-3", "image_state_changed m-3", "listing_incomplete m-3"));
}

TEST_F(ProfileOutageTest, WhereOneCanBeListedTheOthersAreToldOneByOne) {
  fail("m-1");
  EXPECT_THAT(fail("m-2"), IsEmpty());
  const Step step = fleet.apply("m-3", listed({1}));
  ASSERT_THAT(told(step), ElementsAre("listing_failed m-2"));
  EXPECT_EQ(step.events[0].text("reason"), "timeout");
  EXPECT_THAT(fail("m-1"), IsEmpty()) << "it goes on, and is told at every 20th";
}

TEST_F(ProfileOutageTest, WhoCanBeListedAgainIsOwedNothing) {
  fail("m-1");
  fail("m-2");
  const std::vector<std::string> lines = told(fleet.apply("m-2", listed({1})));
  EXPECT_THAT(lines, ElementsAre("listing_recovered m-2", "image_state_changed m-2"));
  EXPECT_THAT(told(fleet.apply("m-3", listed({1}))), IsEmpty());
}

TEST_F(ProfileOutageTest, NobodyWaitsLongerThanACycle) {
  fail("m-1");
  fail("m-2");
  EXPECT_LE(fleet.tracker().next_deadline() - fleet.now().mono, 6min + 15s);
  fleet.advance(6min + 14s);
  EXPECT_THAT(told(fleet.tick()), IsEmpty());
  fleet.advance(1s);
  const Step step = fleet.tick();
  ASSERT_THAT(told(step), ElementsAre("profile_blind")) << "nothing of the profile could be listed";
  EXPECT_EQ(step.events[0].text("images"), "2");
  EXPECT_EQ(step.events[0].text("images_watched"), "3");
}

TEST_F(ProfileOutageTest, ALoneFailureIsNoOutage) {
  EXPECT_THAT(fail("m-1"), ElementsAre("image_state_changed m-1", "listing_failed m-1"));
  fleet.advance(10min);
  EXPECT_THAT(told(fleet.tick()), IsEmpty());
  Fleet one({an_image("m-1").allowing({1})});
  one.apply_all(failed(Reason::timeout));
  EXPECT_EQ(one.tracker().next_deadline(), one.now().mono + 6min + 15s);
  one.advance(7min);
  EXPECT_THAT(told(one.tick()), IsEmpty());
}

TEST_F(ProfileOutageTest, AnotherTroubleIsToldAgain) {
  fail("m-1");
  fail("m-2");
  EXPECT_THAT(fail("m-3", Reason::forbidden),
              ElementsAre("image_state_changed m-3", "listing_failed m-3", "listing_failed m-2"));
  fail("m-1", Reason::forbidden);
  EXPECT_THAT(fail("m-2", Reason::forbidden), ElementsAre("profile_blind"));
  EXPECT_THAT(fail("m-1"), IsEmpty());
  EXPECT_THAT(fail("m-2"), IsEmpty());
  const Step step = fleet.apply("m-3", failed(Reason::timeout));
  ASSERT_THAT(told(step), ElementsAre("profile_blind")) << "all of them fail for another reason now";
  EXPECT_EQ(step.events[0].text("reason"), "timeout");
}

TEST_F(ProfileOutageTest, ItIsToldAgainWhileItGoesOn) {
  std::vector<std::string> all;
  for (int pass = 1; pass <= 41; ++pass) {
    fleet.advance(5min);
    for (const std::string& line : told(fleet.apply_all(failed(Reason::timeout))))
      all.push_back(std::to_string(pass) + ": " + line);
  }
  EXPECT_THAT(all, ElementsAre("1: image_state_changed m-1", "1: listing_failed m-1", "1: profile_blind",
                               "21: profile_blind", "41: profile_blind"));
}

TEST_F(ProfileOutageTest, AnImageThatIsGoneIsToldForItself) {
  fail("m-1");
  fail("m-2");
  auto gone = failed(Reason::image_gone);
  gone.gone = true;
  EXPECT_THAT(told(fleet.apply("m-3", gone)), ElementsAre("image_state_changed m-3", "listing_failed m-3"));
}

TEST_F(ProfileOutageTest, DriftIsNoPartOfIt) {
  fleet.apply_all(failed(Reason::timeout));
  EXPECT_THAT(told(fleet.apply("m-2", testing::broken({9}, Reason::timeout))),
              ElementsAre("drift_opened m-2"));
}

TEST_F(ProfileOutageTest, AReloadKeepsWhatIsStillWatched) {
  fleet.apply_all(failed(Reason::timeout));
  fleet.reconfigure({an_image("m-2").allowing({1}), an_image("m-4").allowing({1})});
  EXPECT_THAT(fail("m-4"), IsEmpty()) << "the profile is blind, and that was told";
  const Step step = fleet.apply("m-2", listed({1}));
  ASSERT_THAT(told(step), ElementsAre("profile_recovered"));
  EXPECT_EQ(step.events[0].text("images"), "2");
  fleet.reconfigure({an_image("m-5").allowing({1})});
  EXPECT_THAT(fail("m-5"), ElementsAre("image_state_changed m-5", "listing_failed m-5"));
}

TEST(ProfileOutage, WithoutAnyListingAtTheStartOneLineTellsOfAll) {
  Fleet fleet({an_image("m-1"), an_image("m-2"), an_image("m-3")});
  EXPECT_THAT(told(fleet.apply_all(failed(Reason::credentials))),
              ElementsAre("image_state_changed m-1", "listing_failed m-1", "profile_blind"));
}

}  // namespace
}  // namespace sharedrift
