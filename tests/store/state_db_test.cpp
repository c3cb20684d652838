#include "store/state_db.hpp"

#include "store/event_reader.hpp"
#include "store/sqlite.hpp"
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
  record.last_complete_began = WallTime{Millis{900}};
  record.state_since = WallTime{Millis{800}};
  record.shared_accounts = 2;
  record.unused_entries = 6;
  record.unlisted = 3;
  record.total_count = 5;
  record.had_accounts = true;
  record.listing_complete = true;
  record.counters = {10, 3, {2, 1}, {1, 0}, 4};
  record.sightings = {{account(1), std::nullopt, WallTime{Millis{10}}, WallTime{Millis{20}}},
                      {account(9), WallTime{Millis{5}}, WallTime{Millis{11}}, WallTime{Millis{21}}}};
  record.losses = {{account(1), WallTime{Millis{25}}}, {account(9), WallTime{Millis{30}}}};
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
    life.db->set_fleet({{1, 2, 3, 4, 5}, kStart});
  }
  const Life life(dir.file("state.db"));
  ASSERT_THAT(life.saved.images, SizeIs(1));
  const ImageRecord& back = life.saved.images.front();
  EXPECT_EQ(back.id, record.id);
  EXPECT_EQ(back.state, record.state);
  EXPECT_EQ(back.state_since, record.state_since);
  EXPECT_EQ(back.last_complete, record.last_complete);
  EXPECT_EQ(back.last_complete_began, record.last_complete_began);
  EXPECT_EQ(back.last_attempt, record.last_attempt);
  EXPECT_EQ(back.listing_complete, record.listing_complete);
  EXPECT_EQ(back.shared_accounts, record.shared_accounts);
  EXPECT_EQ(back.unused_entries, record.unused_entries);
  EXPECT_EQ(back.unlisted, record.unlisted);
  EXPECT_EQ(back.total_count, record.total_count);
  EXPECT_EQ(back.had_accounts, record.had_accounts);
  EXPECT_EQ(back.counters, record.counters);
  ASSERT_THAT(back.sightings, SizeIs(2));
  EXPECT_EQ(back.sightings[0].not_before, std::nullopt);
  EXPECT_EQ(back.sightings[1].account, account(9));
  EXPECT_EQ(back.sightings[1].not_before, WallTime{Millis{5}});
  EXPECT_EQ(back.sightings[1].first_seen, WallTime{Millis{11}});
  EXPECT_EQ(back.sightings[1].last_seen, WallTime{Millis{21}});
  ASSERT_THAT(back.losses, SizeIs(2));
  EXPECT_EQ(back.losses[0].first_missed, WallTime{Millis{25}});
  EXPECT_EQ(back.losses[1].account, account(9));
  EXPECT_EQ(back.losses[1].first_missed, WallTime{Millis{30}});
  ASSERT_THAT(back.absences, SizeIs(1));
  EXPECT_EQ(back.absences[0].first_missed, WallTime{Millis{12}});
  EXPECT_EQ(back.absences[0].last_seen, WallTime{Millis{7}});
  EXPECT_EQ(back.absences[0].absences, 2);
  ASSERT_THAT(back.drifts, SizeIs(2));
  const Drift& missing = back.drifts[0].kind == DriftKind::missing ? back.drifts[0] : back.drifts[1];
  const Drift& unexpected = back.drifts[0].kind == DriftKind::missing ? back.drifts[1] : back.drifts[0];
  EXPECT_EQ(missing.since, WallTime{Millis{12}});
  EXPECT_FALSE(missing.first_run);
  EXPECT_EQ(unexpected.account, account(9));
  EXPECT_TRUE(unexpected.first_run);
  EXPECT_EQ(life.saved.fleet.closes, (std::array<std::uint64_t, 5>{1, 2, 3, 4, 5}));
  EXPECT_EQ(life.saved.fleet.judged_at, kStart);
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

void doctor(const std::string& path, const std::string& sql) {
  auto database = sqlite::Database::open(path, sqlite::Database::Mode::read_write);
  const auto done = database->execute(sql.c_str());
  ASSERT_TRUE(done) << done.error().text;
}

TEST(StateDb, MigratesWhatAnEarlierReleaseWrote) {
  const TempDir dir;
  const std::string path = dir.file("state.db");
  { Life(path).db->save(a_record("m-1"), {an_event("m-1", kStart)}); }
  // Back to what version 1 was.
  doctor(path,
         "ALTER TABLE images DROP COLUMN last_complete_began; ALTER TABLE images DROP COLUMN total_count;"
         "ALTER TABLE images DROP COLUMN had_accounts; DELETE FROM meta WHERE key IN ('judged_at','stopped');"
         "PRAGMA user_version=1;");
  {
    const Life life(path);
    EXPECT_TRUE(life.db->ok());
    EXPECT_EQ(life.sink.count(EventType::state_rejected), 0U);
    ASSERT_THAT(life.saved.images, SizeIs(1));
    const ImageRecord& back = life.saved.images.front();
    EXPECT_EQ(back.counters, a_record("m-1").counters);
    EXPECT_EQ(back.total_count, 2);
    EXPECT_TRUE(back.had_accounts);
    EXPECT_FALSE(back.last_complete_began);
    EXPECT_THAT(back.drifts, SizeIs(2));
  }
  auto database = sqlite::Database::open(path, sqlite::Database::Mode::read_only);
  EXPECT_EQ(*database->number("PRAGMA user_version"), 2);
  EXPECT_THAT(*read_events(path, {}), SizeIs(1));
}

// Whatever stands in a column: what is left is read, and no row makes another one vanish.
TEST(StateDb, ADoctoredRowTakesNoOtherWithIt) {
  const TempDir dir;
  const std::string healthy = dir.file("healthy.db");
  { Life(healthy).db->save(a_record("m-1"), {}); }
  int number = 0;
  for (const char* sql :
       {"UPDATE images SET state='fine'", "DELETE FROM images", "UPDATE images SET id='m-other'",
        "UPDATE images SET last_complete=-9223372036854775807, last_attempt=9223372036854775807",
        "UPDATE sightings SET first_seen=-9223372036854775807, last_seen=9223372036854775807",
        "UPDATE drifts SET since=-9223372036854775807", "UPDATE images SET shared_accounts=-7",
        "UPDATE absences SET absences=-9223372036854775807", "UPDATE images SET listings=-1, failures='x'",
        "UPDATE meta SET value=-9223372036854775807", "INSERT INTO meta VALUES('last_alive', -5)",
        "DELETE FROM sightings", "DELETE FROM absences", "UPDATE drifts SET kind=x'00ff'"}) {
    const std::string path = dir.file(std::to_string(++number) + ".db");
    std::filesystem::copy_file(healthy, path);
    if (std::string_view{sql}.starts_with("INSERT")) doctor(path, "DELETE FROM meta");
    doctor(path, sql);
    const Life life(path);
    std::size_t drifts = 0;
    for (const ImageRecord& record : life.saved.images) {
      drifts += record.drifts.size();
      for (const Absence& absence : record.absences)
        EXPECT_GE(absence.absences, 0) << sql;
      for (const auto& time : {record.last_complete, record.last_attempt}) {
        EXPECT_GE(time.value_or(WallTime{}), WallTime{}) << sql;
        EXPECT_LT(time.value_or(WallTime{}), WallTime{Millis{253'402'300'800'000}}) << sql;
      }
    }
    EXPECT_EQ(drifts, 2U) << sql;
    EXPECT_GE(life.saved.last_alive.value_or(WallTime{}), WallTime{}) << sql;
  }
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

TEST(StateDb, SaysThatTheLastDatabaseIsMissing) {
  const TempDir dir;
  const std::string path = dir.file("state.db");
  {
    const Life first(path);
    EXPECT_TRUE(first.db->ok()) << "at the very first start there is nothing to miss";
    EXPECT_EQ(first.sink.count(EventType::state_rejected), 0U);
  }
  for (const char* suffix : {"", "-wal", "-shm"})
    std::filesystem::remove(path + suffix);
  {
    Life second(path);
    EXPECT_FALSE(second.db->ok());
    ASSERT_EQ(second.sink.count(EventType::state_rejected), 1U);
    EXPECT_THAT(second.sink.events.front().text("reason"), HasSubstr("missing"));
    second.db->save(a_record("m-1"), {});
    EXPECT_TRUE(second.db->flush()) << "it goes on with a new one";
  }
  const Life third(path);
  EXPECT_TRUE(third.db->ok());
  EXPECT_THAT(third.saved.images, SizeIs(1));
}

TEST(StateDb, NoticesThatItsFileWasTakenAway) {
  const TempDir dir;
  const std::string path = dir.file("state.db");
  {
    Life life(path);
    life.db->save(a_record("m-1"), {});
    ASSERT_TRUE(life.db->flush());
    for (const char* suffix : {"", "-wal", "-shm"})
      std::filesystem::remove(path + suffix);
    life.db->save(a_record("m-2"), {});
    EXPECT_TRUE(life.db->flush());
    EXPECT_FALSE(life.db->ok());
    EXPECT_EQ(life.sink.count(EventType::state_rejected), 1U);
  }
  const Life next(path);
  ASSERT_THAT(next.saved.images, SizeIs(1)) << "what came after it is on disk";
  EXPECT_EQ(next.saved.images.front().id.str(), "m-2");
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

}  // namespace
}  // namespace sharedrift
