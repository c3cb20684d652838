#include "io/state_db.hpp"

#include "io/sqlite.hpp"
#include "support/fakes.hpp"
#include "support/fleet.hpp"
#include "support/temp_dir.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sharedrift {
namespace {

using namespace std::chrono_literals;
using testing::account;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::ManualClock;
using testing::RecordingSink;
using ::testing::SizeIs;
using testing::TempDir;

constexpr Millis kYear = 365 * 24h;
constexpr WallTime kStart = testing::Fleet::kStart;

ImageRecord a_record(const std::string& id) {
  ImageRecord record{*ImageId::parse(id)};
  record.state = ImageState::ok;
  record.last_complete = WallTime{Millis{1000}};
  record.last_attempt = WallTime{Millis{2000}};
  record.shared_accounts = 2;
  record.listing_complete = true;
  record.counters = {10, 3, {2, 1}, {1, 0}, 4};
  record.sightings = {{account(1), std::nullopt, WallTime{Millis{10}}, WallTime{Millis{20}}},
                      {account(9), WallTime{Millis{5}}, WallTime{Millis{11}}, WallTime{Millis{21}}}};
  record.absences = {{account(3), WallTime{Millis{12}}, WallTime{Millis{7}}, 2}};
  record.drifts = {{account(9), DriftKind::unexpected, WallTime{Millis{11}}, true},
                   {account(3), DriftKind::missing, WallTime{Millis{12}}, false}};
  return record;
}

struct Life {
  explicit Life(const std::string& path)
      : db(*std::move(StateDb::open(path, kYear, sink, clock))), saved(db->load()) {}
  ManualClock clock;
  RecordingSink sink;
  std::unique_ptr<StateDb> db;
  SavedState saved;
};

Event an_event(const std::string& image, WallTime at) {
  return {EventType::drift_opened,
          at,
          image,
          {{"account_id", std::string{"15\"\n\xFF"}},
           {"n", std::int64_t{7}},
           {"first_run", true},
           {"first_seen", at}}};
}

TEST(StateDb, RemembersARecordWhole) {
  const TempDir dir;
  const ImageRecord record = a_record("m-1");
  {
    Life life(dir.file("state.db"));
    EXPECT_THAT(life.saved.images, SizeIs(0));
    life.db->save(record, {});
    life.db->set_closes({1, 2, 3, 4, 5});
  }
  const Life life(dir.file("state.db"));
  ASSERT_THAT(life.saved.images, SizeIs(1));
  const ImageRecord& back = life.saved.images.front();
  EXPECT_EQ(back.id, record.id);
  EXPECT_EQ(back.state, record.state);
  EXPECT_EQ(back.last_complete, record.last_complete);
  EXPECT_EQ(back.counters, record.counters);
  ASSERT_THAT(back.sightings, SizeIs(2));
  EXPECT_EQ(back.sightings[0].not_before, std::nullopt);
  EXPECT_EQ(back.sightings[1].account, account(9));
  EXPECT_EQ(back.sightings[1].not_before, WallTime{Millis{5}});
  ASSERT_THAT(back.absences, SizeIs(1));
  EXPECT_EQ(back.absences[0].last_seen, WallTime{Millis{7}});
  ASSERT_THAT(back.drifts, SizeIs(2));
  EXPECT_EQ(life.saved.closes, (std::array<std::uint64_t, 5>{1, 2, 3, 4, 5}));
  EXPECT_TRUE(life.saved.last_alive);
  EXPECT_TRUE(life.db->ok());
}

TEST(StateDb, ForgetsWhatIsNotWatched) {
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

void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

TEST(StateDb, SetsAsideWhatItCannotTrust) {
  const TempDir dir;
  const std::string healthy = dir.file("healthy.db");
  { Life(healthy).db->save(a_record("m-1"), {}); }
  std::ifstream stream(healthy, std::ios::binary);
  std::string torn((std::istreambuf_iterator<char>(stream)), {});
  ASSERT_GT(torn.size(), 8192U);
  for (std::size_t i = 4096; i < torn.size(); i += 7)
    torn[i] = 'x';

  const std::map<std::string, std::function<void(const std::string&)>> faults{
      {"random", [](const std::string& p) { write_file(p, std::string(5000, 'z')); }},
      {"torn", [&torn](const std::string& p) { write_file(p, torn); }},
      {"foreign",
       [](const std::string& p) {
         auto other = sqlite::Database::open(p, sqlite::Database::Mode::read_write);
         ASSERT_TRUE(other->execute("CREATE TABLE t(x); INSERT INTO t VALUES(1)"));
       }},
      {"future",
       [&healthy](const std::string& p) {
         std::filesystem::copy_file(healthy, p);
         auto later = sqlite::Database::open(p, sqlite::Database::Mode::read_write);
         ASSERT_TRUE(later->execute("PRAGMA user_version=99"));
       }},
  };
  for (const auto& [name, make] : faults) {
    const std::string path = dir.file(name + ".db");
    make(path);
    {
      Life life(path);
      EXPECT_FALSE(life.db->ok()) << name;
      EXPECT_EQ(life.sink.count(EventType::state_rejected), 1U) << name;
      EXPECT_THAT(life.saved.images, SizeIs(0)) << name;
      life.db->save(a_record("m-1"), {});
      EXPECT_TRUE(life.db->flush()) << name << ": it goes on with a new file";
      EXPECT_FALSE(life.db->ok()) << name << ": until the next start";
    }
    const Life next(path);
    EXPECT_TRUE(next.db->ok()) << name;
    EXPECT_THAT(next.saved.images, SizeIs(1)) << name;
    std::size_t kept = 0;
    for (const auto& entry : std::filesystem::directory_iterator(dir.path())) {
      kept += entry.path().string().find(name + ".db.rejected-") != std::string::npos ? 1U : 0U;
    }
    EXPECT_GE(kept, 1U) << name << ": the old file is kept for whoever asks";
  }
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

TEST(StateDb, ReadingWhatIsNoStateIsAnError) {
  const TempDir dir;
  EXPECT_THAT(read_events(dir.file("absent.db"), {}).error(), HasSubstr("absent.db"));
  write_file(dir.file("junk.db"), std::string(5000, 'j'));
  EXPECT_FALSE(read_events(dir.file("junk.db"), {}));
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
        record.counters.listings = static_cast<std::uint64_t>(n);
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
    const auto written = static_cast<std::int64_t>(
        life.saved.images.empty() ? 0 : life.saved.images.front().counters.listings);
    EXPECT_GE(written, confirmed);
    EXPECT_EQ(static_cast<std::int64_t>(read_events(path, {})->size()), written)
        << "record and events are one";
  }
}

}  // namespace
}  // namespace sharedrift
