#include "app/one_shot.hpp"

#include "app/report.hpp"
#include "support/fake_source.hpp"
#include "support/fleet.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using namespace std::chrono_literals;
using testing::an_image;
using testing::failed;
using testing::FakeShareSource;
using testing::listed;

struct World {
  explicit World(FakeShareSource::Script script) : source(clock, timers, std::move(script), 10ms, 4) {
    for (int i = 0; i < 20; ++i) {
      watch.images.push_back(an_image("m-" + std::to_string(i)).allowing({1}).requiring({2}).build());
    }
    watch.interval = 5min;
  }
  Verdict verdict() { return count_verdicts({poll(), {}, "", clock.wall()}).worst(); }
  std::vector<std::shared_ptr<const ImageView>> poll() {
    return poll_once(watch,
                     {config,
                      clock,
                      random,
                      transport,
                      timers,
                      {{"default", {&source, 1s, 8}}},
                      [this](std::size_t done, std::size_t) { progress.push_back(done); }},
                     {});
  }
  Config config;
  testing::ManualClock clock;
  testing::SeededRandom random;
  testing::ScriptedTransport transport{
      clock, [](const HttpRequest&, std::size_t) -> testing::ScriptedTransport::Reply {
        throw std::logic_error("not used");
      }};
  TimerQueue timers;
  FakeShareSource source;
  WatchList watch;
  std::vector<std::size_t> progress;
};

TEST(OneShot, PollsEveryImageOnceAndKeepsTheirOrder) {
  World world([](const ImageId&) { return listed({1, 2}); });
  const auto views = world.poll();
  ASSERT_EQ(views.size(), 20U);
  EXPECT_EQ(views[7]->policy->id.str(), "m-7");
  EXPECT_EQ(world.source.asked.size(), 20U);
  EXPECT_EQ(world.progress.back(), 20U);
}

TEST(OneShot, ALongPollIsNotStaleAtItsEnd) {
  World world([](const ImageId&) { return listed({1, 2}); });
  world.watch.images[3] = an_image("m-3").allowing({1}).requiring({2}).stale_after(1ms).build();
  EXPECT_EQ(world.verdict(), Verdict::in_sync);
}

TEST(OneShot, OneCompleteListingProvesAMissingAccount) {
  World world([](const ImageId& image) { return image.str() == "m-3" ? listed({1}) : listed({1, 2}); });
  EXPECT_EQ(world.verdict(), Verdict::missing);
}

TEST(OneShot, AFailureIsNotInSync) {
  World world([](const ImageId& image) {
    return image.str() == "m-3" ? failed(Reason::timeout) : listed({1, 2});
  });
  EXPECT_EQ(world.verdict(), Verdict::unknown);
}

TEST(OneShot, SelectsOnlyWhatIsWatched) {
  World world([](const ImageId&) { return listed({}); });
  EXPECT_EQ(selected(world.watch, {*ImageId::parse("m-3")})->images.size(), 1U);
  EXPECT_EQ(selected(world.watch, {})->images.size(), 20U);
  EXPECT_EQ(selected(world.watch, {*ImageId::parse("m-99")}).error(), "--image m-99 is not in the config");
}

}  // namespace
}  // namespace sharedrift
