// From an inventory to a watched image, over walks, restarts and reloads.
#include "poll/engine.hpp"

#include "recording.hpp"
#include "support/fake_source.hpp"
#include "support/fleet.hpp"
#include "support/image_server.hpp"
#include "support/recording_sink.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using namespace std::chrono_literals;
using testing::image_number;
using ::testing::IsEmpty;
using testing::owned;
using ::testing::SizeIs;

/// Stops the loop from within when a test has seen enough: the test's thread looks only at what stands still.
class Watcher final : public PollListener {
 public:
  void on_view(std::shared_ptr<const ImageView> view) override { views[view->policy->id] = std::move(view); }
  void on_unwatched(std::shared_ptr<const ImageView> view) override {
    views.erase(view->policy->id);
    unwatched[view->policy->id] = std::move(view);
  }
  void on_poll(const ImageId& /*image*/, const Observation& /*seen*/) override { look(); }
  void on_overruns(std::uint64_t /*periods*/) override {}
  void on_totals(const Tracker& /*tracker*/) override {}
  void on_inventory(const std::string& /*profile*/, const InventoryView& view) override {
    inventory = view;
    ++walks;
    look();
  }
  void wait() {
    std::unique_lock lock(mutex);
    reached.wait_for(lock, 60s, [this] { return seen; });
    ASSERT_TRUE(seen);
  }
  std::map<ImageId, std::shared_ptr<const ImageView>> views;
  std::map<ImageId, std::shared_ptr<const ImageView>> unwatched;
  InventoryView inventory;
  std::size_t walks = 0;
  std::function<bool()> until;
  std::mutex mutex;
  std::condition_variable reached;
  bool seen = false;

 private:
  void look() {
    const std::scoped_lock lock(mutex);
    if (seen || !until || !until()) return;
    seen = true;
    reached.notify_all();
  }
};

class OneSource final : public ShareSources {
 public:
  explicit OneSource(ShareSource& source) : source_(source) {}
  std::map<std::string, PollLane> lanes() override { return {{"default", {&source_, 1s, 64}}}; }

 private:
  ShareSource& source_;
};

struct World {
  World() {
    auto made = std::make_shared<Config>();
    made->profiles.push_back({"default"});
    made->poll.interval = made->inventory.interval = 5min;
    made->poll.confirm_clears = 1;
    made->discover.push_back({"", "", *testing::an_image("m-any").allowing({1}).build()});
    made->sha256 = "0123456789abcdef";
    config = std::move(made);
    source.inventory.complete = true;
    source.inventory.rows = {owned(1, "first")};
  }
  /// Lets the engine turn until `enough`, then stops it.
  void run(Engine& engine, std::function<bool()> enough) {
    watcher.seen = false;
    watcher.until = std::move(enough);
    engine.start();
    watcher.wait();
    engine.stop();
    source.drop();
  }
  Engine engine(Shard shard = {}) {
    return Engine(
        {clock, random, transport, timers, store, sink, watcher,
         [this](const Config&, std::unique_ptr<ShareSources>) { return std::make_unique<OneSource>(source); },
         [](const std::string& bug) { ADD_FAILURE() << bug; }},
        shard);
  }
  testing::ManualClock clock;
  testing::SeededRandom random;
  testing::ScriptedTransport transport{
      clock, [](const HttpRequest&, std::size_t) -> testing::ScriptedTransport::Reply {
        throw std::logic_error("not used");
      }};
  TimerQueue timers;
  testing::FakeShareSource source{
      clock, timers,
      [this](const ImageId& image) {
        if (answer.complete) return answer;
        return image == image_number(2) ? testing::listed({1, 9}) : testing::listed({1});
      },
      10ms, 4};
  std::shared_ptr<const Config> config;
  testing::RecordingSink sink;
  testing::RecordingStore store{clock};
  Watcher watcher;
  Observation answer;  ///< of each image, where it is complete
};

TEST(Engine, ANewImageIsWatchedAtOnce) {
  World world;
  Engine engine = world.engine();
  engine.restore(world.config);
  EXPECT_THAT(world.watcher.views, IsEmpty());
  std::optional<MonoTime> created;
  std::optional<MonoTime> seen;  // the fake clock runs on until the engine has stopped
  world.run(engine, [&] {
    const auto& views = world.watcher.views;
    if (!created && views.contains(image_number(1)) && views.at(image_number(1))->last_complete) {
      created = world.clock.mono();
      world.source.inventory.rows.push_back(owned(2, "second"));
    }
    const bool found = views.contains(image_number(2)) && views.at(image_number(2))->unexpected_accounts == 1;
    if (found && !seen) seen = world.clock.mono();
    return found;
  });
  EXPECT_LE(*seen - *created, 5min + 1s) << "one interval and one poll";
  EXPECT_EQ(world.sink.count(EventType::image_discovered), 2U);
  EXPECT_EQ(world.watcher.inventory.unwatched, 0);
  ASSERT_THAT(world.store.discovered, SizeIs(2));
  EXPECT_EQ(world.store.discovered[1].name, "second");
}

TEST(Engine, WhichAnswersCameIsKnownAfterAReload) {
  World world;
  world.answer = testing::listed({1});
  world.answer.request_ids = {"A"};
  Engine engine = world.engine();
  engine.restore(world.config);
  const auto shown = [&world]() -> const ImageView* {
    const auto view = world.watcher.views.find(image_number(1));
    return view == world.watcher.views.end() ? nullptr : view->second.get();
  };
  world.run(engine, [&] { return shown() != nullptr && shown()->last_complete; });
  const auto proven = shown()->last_complete;
  for (int reload = 0; reload < 3; ++reload) {
    const auto polled = shown()->last_poll;
    world.watcher.seen = false;
    world.watcher.until = [&] { return shown()->last_poll != polled; };
    engine.reload(world.config);
    world.watcher.wait();
    engine.stop();
    world.source.drop();
    EXPECT_TRUE(shown()->last_failure);
    EXPECT_EQ(shown()->last_complete, proven);
  }
}

TEST(Engine, WhatWasDiscoveredIsWatchedBeforeAnyWalkOfTheNextLife) {
  World world;
  {
    Engine engine = world.engine();
    engine.restore(world.config);
    world.run(engine, [&world] { return world.watcher.views.contains(image_number(1)); });
  }
  world.store.saved.discovered = world.store.discovered;
  world.watcher.views.clear();
  Engine after = world.engine();
  after.restore(world.config);
  EXPECT_TRUE(world.watcher.views.contains(image_number(1)));
  world.source.inventory.complete = false;
  world.source.inventory.rows.clear();
  world.watcher.walks = 0;
  world.run(after, [&world] { return world.watcher.walks == 5; });
  EXPECT_TRUE(world.watcher.views.contains(image_number(1))) << "nobody could tell";
}

TEST(Engine, AnImageThatLeftIsKeptForAWhileAndThenGoes) {
  World world;
  Engine engine = world.engine();
  engine.restore(world.config);
  world.run(engine, [&world] { return world.watcher.views.contains(image_number(1)); });
  world.source.inventory.rows.clear();
  const MonoTime start = world.clock.mono();
  world.run(engine, [&world] { return world.sink.count(EventType::image_left) == 1; });
  EXPECT_FALSE(world.watcher.views.contains(image_number(1)));
  EXPECT_GE(world.clock.mono() - start, 15min);
  EXPECT_THAT(world.store.discovered, IsEmpty());
}

TEST(Engine, AnImageThatLeavesTheConfigAndComesBackGoesOnWithAKillBetween) {
  World world;
  world.source.inventory.rows = {owned(2, "second")};
  auto without = std::make_shared<Config>(*world.config);
  without->discover.clear();
  without->sha256 = "fedcba9876543210";
  const ImageId leaking = image_number(2);
  const auto open = [&](const auto& views) {
    const auto view = views.find(leaking);
    return view != views.end() && view->second->unexpected_accounts == 1;
  };
  {
    Engine engine = world.engine();
    engine.restore(world.config);
    world.run(engine, [&] { return open(world.watcher.views); });
    engine.reload(without);
    engine.stop();
    world.source.drop();
  }
  EXPECT_FALSE(world.watcher.views.contains(leaking));
  EXPECT_TRUE(open(world.watcher.unwatched));
  const WallTime since = world.watcher.unwatched.at(leaking)->drifts.front().since;
  for (const auto& [id, record] : world.store.records)
    world.store.saved.images.push_back(record);
  world.watcher.unwatched.clear();
  Engine after = world.engine();
  after.restore(without);
  EXPECT_TRUE(open(world.watcher.unwatched)) << "it is still to be seen";
  world.source.inventory.complete = true;
  world.run(after, [&world] { return world.watcher.walks > 0; });
  after.reload(world.config);
  after.stop();
  EXPECT_TRUE(open(world.watcher.views)) << "before any poll";
  EXPECT_EQ(world.watcher.views.at(leaking)->drifts.front().since, since);
  EXPECT_EQ(world.store.records.at(leaking).unwatched_since, std::nullopt);
}

TEST(Engine, WhatComesBackInTheReloadThatWouldForgetItStaysSaved) {
  World world;
  world.source.inventory.rows = {owned(2, "second")};
  const ImageId leaking = image_number(2);
  auto without = std::make_shared<Config>(*world.config);
  without->discover.clear();
  without->sha256 = "fedcba9876543210";
  Engine engine = world.engine();
  engine.restore(world.config);
  world.run(engine, [&] {
    const auto view = world.watcher.views.find(leaking);
    return view != world.watcher.views.end() && view->second->unexpected_accounts == 1;
  });
  engine.reload(without);
  engine.stop();
  world.source.drop();
  world.clock.advance(without->poll.state_retention + 1h);
  world.source.inventory.complete = false;  // so that nobody sees it anew
  world.source.inventory.rows.clear();
  engine.reload(world.config);
  engine.stop();
  ASSERT_TRUE(world.store.records.contains(leaking));
  EXPECT_THAT(world.store.records.at(leaking).drifts, SizeIs(1));
}

TEST(Engine, ShardsShareWhatIsDiscovered) {
  std::size_t watched = 0;
  for (int index = 0; index < 3; ++index) {
    World world;
    world.source.inventory.rows.clear();
    for (int i = 0; i < 100; ++i)
      world.source.inventory.rows.push_back(owned(i));
    std::sort(world.source.inventory.rows.begin(), world.source.inventory.rows.end(),
              [](const auto& a, const auto& b) { return a.id < b.id; });
    Engine engine = world.engine({index, 3});
    engine.restore(world.config);
    world.run(engine, [&world] { return world.watcher.walks == 1; });
    watched += world.watcher.views.size();
    EXPECT_EQ(world.watcher.inventory.unwatched, 0) << "every shard counts the same";
    EXPECT_EQ(world.watcher.inventory.images, 100);
  }
  EXPECT_EQ(watched, 100U);
}

std::set<ImageId> watched_by(const Watcher& watcher) {
  std::set<ImageId> ids;
  for (const auto& [id, view] : watcher.views)
    ids.insert(id);
  return ids;
}

/// Three lives of one shard: discovery, a restart while nobody can walk, a reload. What it watches after the
/// first one is what it watches after each.
void live_on(World& world, Shard shard, std::set<ImageId>& watched) {
  {
    Engine engine = world.engine(shard);
    engine.restore(world.config);
    world.run(engine, [&world] { return world.watcher.walks == 1; });
  }
  watched = watched_by(world.watcher);
  EXPECT_EQ(world.watcher.inventory.unwatched, 0);
  world.store.saved.discovered = world.store.discovered;
  world.watcher.views.clear();
  world.source.inventory.complete = false;
  world.source.inventory.rows.erase(world.source.inventory.rows.begin() + 17,
                                    world.source.inventory.rows.end());
  Engine engine = world.engine(shard);
  engine.restore(world.config);
  EXPECT_EQ(watched_by(world.watcher), watched) << "from the state alone";
  world.run(engine, [&world] { return world.watcher.walks == 3; });
  EXPECT_EQ(watched_by(world.watcher), watched) << "walks that break off take nothing away";
  auto other = std::make_shared<Config>(*world.config);
  other->discover.front().name = "*";
  other->sha256 = "fedcba9876543210";
  engine.reload(other);
  engine.stop();
  world.source.drop();
  EXPECT_EQ(watched_by(world.watcher), watched) << "a reload";
}

TEST(Engine, TenThousandDiscoveredImagesAreWatchedByOneShardEachThroughRestartsAndReloads) {
  constexpr int kImages = 10'000;
  std::vector<InventoryRow> rows;
  for (int i = 0; i < kImages; ++i)
    rows.push_back(owned(i));
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  for (const int shards : {1, 3, 7}) {
    std::set<ImageId> all;
    std::size_t sum = 0;
    for (int index = 0; index < shards; ++index) {
      SCOPED_TRACE("shard " + std::to_string(index) + " of " + std::to_string(shards));
      World world;
      world.source.inventory.rows = rows;
      std::set<ImageId> watched;
      live_on(world, {index, shards}, watched);
      EXPECT_GT(2 * static_cast<int>(watched.size()) * shards, kImages) << "shared about evenly";
      sum += watched.size();
      all.merge(watched);
    }
    EXPECT_EQ(sum, all.size()) << "none is watched twice";
    EXPECT_EQ(all.size(), std::size_t{kImages}) << "the union is the inventory";
  }
}

}  // namespace
}  // namespace sharedrift
