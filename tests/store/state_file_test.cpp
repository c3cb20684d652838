// The file under a state database: old, damaged, foreign, gone.
#include "store/state_file.hpp"

#include "state_life.hpp"
#include "store/sqlite.hpp"
#include "support/fleet.hpp"
#include "support/test_data.hpp"

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using testing::a_record;
using testing::an_event;
using ::testing::HasSubstr;
using testing::kStart;
using testing::Life;
using ::testing::SizeIs;
using testing::TempDir;

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
         "ALTER TABLE images DROP COLUMN unwatched_since;"
         "DROP TABLE discovered; DELETE FROM meta WHERE key IN ('judged_at','stopped');"
         "PRAGMA user_version=1;");
  {
    const Life life(path);
    EXPECT_TRUE(life.db->ok());
    EXPECT_EQ(life.sink.count(EventType::state_rejected), 0U);
    ASSERT_THAT(life.saved.images, SizeIs(1));
    const ImageRecord& back = life.saved.images.front();
    EXPECT_EQ(back.counters, a_record("m-1").counters);
    EXPECT_EQ(back.total_count, 2);
    EXPECT_FALSE(back.last_complete_began);
    EXPECT_THAT(back.drifts, SizeIs(2));
  }
  auto database = sqlite::Database::open(path, sqlite::Database::Mode::read_only);
  EXPECT_EQ(*database->number("PRAGMA user_version"), 5);
  EXPECT_THAT(*read_events(path, {}), SizeIs(1));
}

TEST(StateDb, TakesOverWhatTheVersionBeforeLeft) {
  const TempDir dir;
  const std::string path = dir.file("state.db");
  std::ifstream sql(testing::test_data("state/version-2.sql"));
  doctor(path, {std::istreambuf_iterator<char>(sql), {}});
  const Life life(path);
  EXPECT_TRUE(life.db->ok());
  EXPECT_EQ(life.sink.count(EventType::state_rejected), 0U);
  ASSERT_THAT(life.saved.images, SizeIs(1));
  const ImageRecord& image = life.saved.images.front();
  EXPECT_EQ(image.state, ImageState::unreachable);
  EXPECT_EQ(image.counters, (ImageCounters{12, 4, {2, 0}, {1, 0}, 0}));
  EXPECT_THAT(image.sightings, SizeIs(2));
  ASSERT_THAT(image.drifts, SizeIs(1));
  EXPECT_EQ(image.drifts.front().account.str(), "4242424242424242");
  EXPECT_EQ(life.saved.fleet.closes, (std::array<std::uint64_t, 5>{3, 0, 0, 0, 1}));
  const auto events = read_events(path, {});
  ASSERT_TRUE(events) << events.error();
  ASSERT_THAT(*events, SizeIs(3));
  EXPECT_EQ(events->at(1).type, EventType::drift_opened);
  EXPECT_EQ(events->at(2).type, EventType::listing_failed) << "renamed since";
  EXPECT_EQ(events->at(2).text("detail"), "connection refused");
}

TEST(StateDb, WhatWasTakenOverIsSoundAtTheNextStart) {
  const TempDir dir;
  const std::string path = dir.file("state.db");
  std::ifstream sql(testing::test_data("state/version-2.sql"));
  doctor(path, {std::istreambuf_iterator<char>(sql), {}});
  for (int start = 0; start < 3; ++start) {
    const Life life(path);
    EXPECT_TRUE(life.db->ok()) << start;
    EXPECT_EQ(life.sink.count(EventType::state_rejected), 0U) << start;
    EXPECT_THAT(life.saved.images, SizeIs(1)) << start;
  }
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
        "UPDATE images SET listings=9223372036854775807, opened_unexpected=9223372036854775807, "
        "flaps=9223372036854775807",
        "UPDATE images SET total_count=9223372036854775807, unlisted=-9223372036854775807-1, "
        "shared_accounts=9223372036854775807",
        "UPDATE images SET total_count=-9223372036854775807-1, unused_entries=9223372036854775807",
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
      for (const std::uint64_t count :
           {record.counters.listings, record.counters.opened[0], record.counters.flaps})
        EXPECT_LE(count, 1'000'000'000'000U) << sql;
      for (const std::int64_t accounts :
           {record.total_count, record.unlisted, record.shared_accounts, record.unused_entries}) {
        EXPECT_GE(accounts, -1) << sql;
        EXPECT_LE(accounts, 1LL << 53) << sql;
      }
      for (const Absence& absence : record.absences)
        EXPECT_GE(absence.absences, 0) << sql;
      for (const auto& time : {record.last_complete, record.last_poll}) {
        EXPECT_GE(time.value_or(WallTime{}), WallTime{}) << sql;
        EXPECT_LT(time.value_or(WallTime{}), WallTime{Millis{253'402'300'800'000}}) << sql;
      }
    }
    EXPECT_EQ(drifts, 2U) << sql;
    EXPECT_GE(life.saved.last_alive.value_or(WallTime{}), WallTime{}) << sql;
  }
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

TEST(StateDb, SaysWhatHelpsWhereItsFolderIsMissing) {
  const TempDir dir;
  const Life life(dir.file("none/state.db"));
  ASSERT_EQ(life.sink.count(EventType::state_rejected), 1U);
  EXPECT_THAT(
      life.sink.events.front().text("reason"),
      ::testing::EndsWith("there is no such folder; make it, or name another file with --storage.path"));
  EXPECT_THAT(read_events(life.db->path(), {}, "somebody removed it").error(),
              ::testing::EndsWith("there is no such file; somebody removed it"));
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

TEST(StateDb, ReadingWhatIsNoStateIsAnError) {
  const TempDir dir;
  EXPECT_THAT(read_events(dir.file("absent.db"), {}).error(), HasSubstr("absent.db"));
  write_file(dir.file("junk.db"), std::string(5000, 'j'));
  EXPECT_FALSE(read_events(dir.file("junk.db"), {}));
}

TEST(StateLimits, LeaveRoomForAllWhomTheConfigurationNames) {
  WatchList watch;
  watch.images = {testing::an_image("m-1").allowing({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}).build(),
                  testing::an_image("m-2").allowing({}).build()};
  EXPECT_EQ(StateLimits::of(watch).rows - StateLimits::of({}).rows, 2U * (12 + 10))
      << "a sighting and a drift of each, and of ten where fewer are named";
}

}  // namespace
}  // namespace sharedrift
