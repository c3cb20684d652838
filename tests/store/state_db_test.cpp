#include "state_life.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sharedrift {
namespace {

using namespace std::chrono_literals;
using testing::a_record;
using testing::account;
using testing::an_event;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kStart;
using testing::kYear;
using testing::Life;
using testing::ManualClock;
using testing::RecordingSink;
using ::testing::SizeIs;
using testing::TempDir;

TEST(StateDb, RemembersARecordWhole) {
  const TempDir dir;
  const ImageRecord record = a_record("m-1");
  {
    Life life(dir.file("state.db"));
    EXPECT_THAT(life.saved.images, SizeIs(0));
    life.db->save(record, {});
    life.db->set_fleet({{1, 2, 3, 4, 5}, kStart});
  }
  const Life life(dir.file("state.db"));
  ASSERT_THAT(life.saved.images, SizeIs(1));
  const ImageRecord& back = life.saved.images.front();
  EXPECT_EQ(back.drifts, record.drifts)
      << "in the order that records promise, or each start would write all anew";
  EXPECT_EQ(back, record);
  EXPECT_EQ(life.saved.fleet.closes, (std::array<std::uint64_t, 5>{1, 2, 3, 4, 5}));
  EXPECT_EQ(life.saved.fleet.judged_at, kStart);
  EXPECT_TRUE(life.saved.last_alive);
  EXPECT_TRUE(life.db->ok());
}

TEST(StateDb, RemembersSinceWhenAnImageIsNotWatched) {
  const TempDir dir;
  ImageRecord record = a_record("m-1");
  record.unwatched_since = kStart;
  { Life(dir.file("state.db")).db->save(record, {}); }
  const Life life(dir.file("state.db"));
  ASSERT_THAT(life.saved.images, SizeIs(1));
  EXPECT_EQ(life.saved.images.front().unwatched_since, kStart);
  EXPECT_THAT(life.saved.images.front().drifts, SizeIs(2));
}

TEST(StateDb, ForgetsAnImage) {
  const TempDir dir;
  {
    Life life(dir.file("state.db"));
    life.db->save(a_record("m-1"), {});
    life.db->save(a_record("m-2"), {});
    life.db->forget(*ImageId::parse("m-1"));
  }
  const Life life(dir.file("state.db"));
  ASSERT_THAT(life.saved.images, SizeIs(1));
  EXPECT_EQ(life.saved.images.front().id.str(), "m-2");
}

TEST(StateDb, KeepsEventsInOrderAndFindsThem) {
  const TempDir dir;
  Life life(dir.file("state.db"));
  for (int i = 0; i < 5; ++i)
    life.db->add_event(an_event(i % 2 == 0 ? "m-1" : "m-2", kStart + 1s * i));
  ASSERT_TRUE(life.db->flush());
  const auto all = read_events(life.db->path(), {});
  ASSERT_TRUE(all) << all.error();
  ASSERT_THAT(*all, SizeIs(5));
  EXPECT_EQ(all->front().at, kStart);
  EXPECT_EQ(all->front().text("n"), "7");
  EXPECT_EQ(all->front().text("first_run"), "true");
  EXPECT_EQ(all->front().text("first_seen"), format_rfc3339(kStart));
  EXPECT_EQ(all->front().text("account_id"), "15\"\n\xEF\xBF\xBD");
  EXPECT_THAT(*read_events(life.db->path(), {"m-2", {}, 10}), SizeIs(2));
  EXPECT_THAT(*read_events(life.db->path(), {"", kStart + 3s, 10}), SizeIs(2));
  const auto newest = *read_events(life.db->path(), {"", {}, 2});
  ASSERT_THAT(newest, SizeIs(2));
  EXPECT_EQ(newest.back().at, kStart + 4s);
}

TEST(StateDb, OfAnImageItAlsoFindsWhatExplainsItsEvents) {
  const TempDir dir;
  Life life(dir.file("state.db"));
  WallTime at = kStart;
  const auto add = [&life, &at](EventType type, const std::string& image, const std::string& profile) {
    std::vector<Field> fields;
    if (!profile.empty()) fields.push_back({"profile", profile});
    life.db->add_event({type, at, image, std::move(fields)});
    at += 1s;
  };
  add(EventType::config_reloaded, "", "");
  add(EventType::image_state_changed, "m-1", "");
  add(EventType::profile_blind, "", "north");
  add(EventType::profile_blind, "", "south");
  add(EventType::credentials_renewed, "", "north");
  add(EventType::started, "", "");
  add(EventType::image_state_changed, "m-2", "");
  add(EventType::image_state_changed, "m-1", "");
  add(EventType::profile_recovered, "", "north");
  ASSERT_TRUE(life.db->flush());
  const auto found = [&life](const EventQuery& query) {
    std::string names;
    const auto events = read_events(life.db->path(), query);
    for (const Event& event : *events)
      names += std::string{to_string(event.type)} + event.text("profile") + " ";
    return names;
  };
  EXPECT_EQ(found({"m-1", {}, 10}), "image_state_changed image_state_changed ");
  EXPECT_EQ(
      found({"m-1", {}, 10, 10, "north"}),
      "config_reloaded image_state_changed profile_blindnorth image_state_changed profile_recoverednorth ");
  EXPECT_EQ(found({"m-1", {}, 10, 2, "north"}),
            "image_state_changed profile_blindnorth image_state_changed profile_recoverednorth ");
  EXPECT_EQ(found({"m-1", {}, 1, 10, "north"}), "image_state_changed profile_recoverednorth ")
      << "the image's own are cut here";
  EXPECT_THAT(found({"m-1", {}, 10, 10}), ::testing::HasSubstr("profile_blindsouth "));
  EXPECT_EQ(found({"m-3", kStart + 3s, 10, 10, "north"}), "profile_recoverednorth ");
}

TEST(StateDb, DropsEventsBeyondRetention) {
  const TempDir dir;
  Life life(dir.file("state.db"));
  life.db->add_event(an_event("m-1", life.clock.wall() - kYear - 1s));
  life.db->add_event(an_event("m-1", life.clock.wall() - kYear + 1s));
  ASSERT_TRUE(life.db->flush());
  EXPECT_THAT(*read_events(life.db->path(), {}), SizeIs(1));
}

TEST(StateDb, IsPrivate) {
  const TempDir dir;
  Life life(dir.file("state.db"));
  life.db->add_event(an_event("m-1", kStart));
  ASSERT_TRUE(life.db->flush());
  for (const char* suffix : {"", "-wal", ".lock"}) {
    struct stat info {};
    ASSERT_EQ(::stat((life.db->path() + suffix).c_str(), &info), 0) << suffix;
    EXPECT_EQ(info.st_mode & 0777U, 0600U) << suffix;
  }
}

TEST(StateDb, RefusesASecondDaemon) {
  const TempDir dir;
  const Life life(dir.file("state.db"));
  RecordingSink sink;
  ManualClock clock;
  const auto second = StateDb::open(dir.file("state.db"), kYear, sink, clock);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error(), HasSubstr("in use by another"));
}

// Prometheus takes a counter that is a little less than before for one that began anew: an increase of all of
// it.
TEST(StateDb, CountersGoOnOnlyWhereNoneOfTheirStepsCanBeMissing) {
  const TempDir dir;
  const std::string path = dir.file("state.db");
  { Life(path).db->save(a_record("m-1"), {}); }
  const std::string killed = dir.file("killed.db");
  {
    const Life life(path);
    EXPECT_EQ(life.saved.images.front().counters, a_record("m-1").counters) << "stopped cleanly";
    std::filesystem::copy_file(path, killed);
    std::filesystem::copy_file(path + "-wal", killed + "-wal");
  }
  const Life after(killed);
  ImageCounters expected = a_record("m-1").counters;
  expected.listings = expected.failures = 0;
  EXPECT_EQ(after.saved.images.front().counters, expected);
  EXPECT_TRUE(after.db->ok());
}

TEST(StateDb, RetentionMayChangeWhileItRuns) {
  const TempDir dir;
  Life life(dir.file("state.db"));
  life.db->add_event(an_event("m-1", life.clock.wall() - 48h));
  ASSERT_TRUE(life.db->flush());
  EXPECT_THAT(*read_events(life.db->path(), {}), SizeIs(1));
  life.db->set_retention(24h);
  life.db->add_event(an_event("m-1", life.clock.wall()));
  ASSERT_TRUE(life.db->flush());
  EXPECT_THAT(*read_events(life.db->path(), {}), SizeIs(1));
}

TEST(StateDb, GoesOnWithoutADiskAndCatchesUp) {
  const TempDir dir;
  const std::string blocked = dir.file("not-there");
  Life life(blocked + "/state.db");
  EXPECT_FALSE(life.db->ok());
  EXPECT_EQ(life.sink.count(EventType::state_rejected), 1U);
  life.db->save(a_record("m-1"), {an_event("m-1", kStart)});
  EXPECT_FALSE(life.db->flush());
  EXPECT_EQ(life.sink.count(EventType::state_rejected), 1U) << "told once, the gauge tells the rest";
  std::filesystem::create_directory(blocked);
  EXPECT_TRUE(life.db->flush());
  EXPECT_TRUE(life.db->ok());
  EXPECT_THAT(*read_events(life.db->path(), {}), SizeIs(1)) << "nothing was lost";
}

// A child writes numbered events and reports each flush; it is killed at a random moment. What it reported is
// there.
TEST(StateDb, SurvivesKillAtAnyMoment) {
  const TempDir dir;
  testing::SeededRandom random(42);
  for (int round = 0; round < 25; ++round) {
    const std::string path = dir.file("kill-" + std::to_string(round) + ".db");
    std::array<int, 2> report{};
    ASSERT_EQ(::pipe(report.data()), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      Life life(path);
      for (std::int64_t n = 1;; ++n) {
        ImageRecord record = a_record("m-1");
        record.counters.flaps = static_cast<std::uint64_t>(n);
        life.db->save(record, {an_event("m-1", kStart + Millis{n})});
        if (life.db->flush() && ::write(report[1], &n, sizeof n) != sizeof n) ::_exit(1);
      }
    }
    ::close(report[1]);
    std::int64_t confirmed = 0;
    std::int64_t n = 0;
    const auto wanted = static_cast<std::int64_t>(random.next() % 20);
    while (confirmed < wanted && ::read(report[0], &n, sizeof n) == sizeof n)
      confirmed = n;
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    while (::read(report[0], &n, sizeof n) == sizeof n)
      confirmed = n;
    ::close(report[0]);
    const Life life(path);
    EXPECT_TRUE(life.db->ok());
    const auto written =
        static_cast<std::int64_t>(life.saved.images.empty() ? 0 : life.saved.images.front().counters.flaps);
    EXPECT_GE(written, confirmed);
    EXPECT_EQ(static_cast<std::int64_t>(read_events(path, {})->size()), written)
        << "record and events are one";
  }
}

TEST(StateDb, RemembersWhatWasDiscovered) {
  const TempDir dir;
  const std::string path = dir.file("state.db");
  const std::vector<DiscoveredImage> discovered{
      {*ImageId::parse("m-1"), "default", "edge-*", "odd \"name\"", WallTime{Millis{500}}, kStart, "one"},
      {*ImageId::parse("m-2"), "eu", "*", "", std::nullopt, kStart, "one"}};
  {
    const Life life(path);
    EXPECT_THAT(life.saved.discovered, IsEmpty());
    life.db->set_discovered({discovered[0]});
    life.db->set_discovered(discovered);
  }
  {
    const Life life(path);
    EXPECT_EQ(life.saved.discovered, discovered);
    life.db->set_discovered({});
  }
  EXPECT_THAT(Life(path).saved.discovered, IsEmpty());
}

}  // namespace
}  // namespace sharedrift
