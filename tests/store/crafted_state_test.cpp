// A state database from somebody hostile.
#include "state_life.hpp"
#include "store/sqlite.hpp"

#include <array>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sharedrift {
namespace {

using testing::a_record;
using testing::an_event;
using ::testing::HasSubstr;
using testing::kStart;
using testing::kYear;
using testing::Life;
using testing::ManualClock;
using testing::RecordingSink;
using ::testing::SizeIs;
using testing::TempDir;

/// Without any of the daemon's caution.
void craft(const std::string& path, const std::string& sql) {
  sqlite3* handle = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &handle), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(handle, ("PRAGMA synchronous=OFF;" + sql).c_str(), nullptr, nullptr, nullptr),
            SQLITE_OK)
      << sqlite3_errmsg(handle);
  sqlite3_close(handle);
}

std::string numbers_to(int last) {
  return "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<" + std::to_string(last) +
         ") ";
}
constexpr const char* kEndless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) ";

double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

/// Each craft, and what the reason must say of it.
const std::map<std::string, std::pair<std::string, std::string>>& crafts() {
  static const std::map<std::string, std::pair<std::string, std::string>> kCrafts{
      {"endless-view",
       {"DROP TABLE sightings; CREATE VIEW sightings AS " + std::string(kEndless) +
            "SELECT 'm-'||i, i, 0, 0, 0, NULL FROM n;",
        "view sightings"}},
      {"endless-view-of-images",
       {"ALTER TABLE images RENAME TO old; CREATE VIEW images AS " + std::string(kEndless) +
            "SELECT old.* FROM n, old;",
        "foreign"}},
      {"trigger-that-keeps-nothing",
       {"CREATE TRIGGER t BEFORE INSERT ON sightings BEGIN SELECT RAISE(IGNORE); END;", "trigger t"}},
      {"trigger-that-deletes",
       {"CREATE TRIGGER t AFTER INSERT ON drifts BEGIN DELETE FROM drifts; END;", "trigger t"}},
      {"table-more", {"CREATE TABLE more(x);", "table more"}},
      {"virtual-table", {"CREATE VIRTUAL TABLE v USING fts4(x);", "foreign"}},
      {"index-more", {"CREATE INDEX i ON sightings(abs(first_seen));", "index i"}},
      {"index-less", {"DROP INDEX events_at;", "missing"}},
      {"table-less", {"DROP TABLE absences;", "missing"}},
      {"column-more", {"ALTER TABLE drifts ADD COLUMN x;", "table drifts"}},
      {"constraint",
       {"DROP TABLE drifts; CREATE TABLE drifts(image TEXT NOT NULL, account TEXT NOT NULL, kind TEXT NOT "
        "NULL, since "
        "INTEGER NOT NULL, first_run INTEGER NOT NULL CHECK(first_run > 7), PRIMARY KEY(image, kind, "
        "account)) WITHOUT "
        "ROWID;",
        "table drifts"}},
      {"many-tables",
       {"PRAGMA writable_schema=ON; " + numbers_to(20'000) +
            "INSERT INTO sqlite_master SELECT 'table','t'||i,'t'||i,2,'CREATE TABLE t'||i||'(a,b,c,d,e)' "
            "FROM n;",
        ""}},
      {"large-name", {"INSERT INTO meta VALUES(printf('%.*c', 20000000, 'x'), 1);", "too big"}},
      {"many-sightings",
       {numbers_to(600'000) + "INSERT INTO sightings SELECT 'm-1', 100000000+i, 0, 0, 0, NULL FROM n;",
        "too large: more than 550000 rows"}},
      {"many-images",
       {numbers_to(170'000) + "INSERT INTO sightings SELECT 'm-'||i, i, 0, 0, 0, NULL FROM n;",
        "too large: more than 150000 images"}},
      {"numbers-used-up", {"UPDATE sqlite_sequence SET seq=9223372036854775807;", "used up"}},
      {"numbers-used-up-in-words",
       {"DELETE FROM sqlite_sequence; INSERT INTO sqlite_sequence VALUES('events', 5);"
        "INSERT INTO sqlite_sequence VALUES('events', '9223372036854775807');",
        "used up"}},
      {"last-number-taken",
       {"INSERT INTO events VALUES(9223372036854775807, 0, 'started', '', '{}');"
        "DELETE FROM sqlite_sequence;",
        "used up"}},
      {"many-words", {numbers_to(600'000) + "INSERT INTO meta SELECT 'm-'||i, i FROM n;", "too large"}},
  };
  return kCrafts;
}

class CraftedStateFile : public ::testing::TestWithParam<std::string> {};

TEST_P(CraftedStateFile, IsSetAsideLoudlyAndCostsLittle) {
  const TempDir dir;
  const std::string path = dir.file("state.db");
  { Life(path).db->save(a_record("m-1"), {an_event("m-1", kStart)}); }
  const auto& [sql, word] = crafts().at(GetParam());
  craft(path, sql);
  const double begun = cpu_seconds();
  Life life(path);
  EXPECT_LT(cpu_seconds() - begun, 15);
  EXPECT_LE(sqlite3_memory_highwater(0), 64 << 20);
  EXPECT_FALSE(life.db->ok());
  ASSERT_THAT(life.sink.events, SizeIs(1));
  EXPECT_EQ(life.sink.events.front().type, EventType::state_rejected);
  EXPECT_THAT(life.sink.events.front().text("reason"), HasSubstr(word));
  EXPECT_THAT(life.sink.events.front().text("moved_to"), HasSubstr(".rejected-"));
  EXPECT_THAT(life.saved.images, SizeIs(0));
  life.db->save(a_record("m-2"), {});
  EXPECT_TRUE(life.db->flush()) << "it goes on with a new file";
}

INSTANTIATE_TEST_SUITE_P(Every, CraftedStateFile, ::testing::ValuesIn([] {
                           std::vector<std::string> names;
                           for (const auto& [name, craft] : crafts())
                             names.push_back(name);
                           return names;
                         }()),
                         [](const auto& tested) {
                           std::string name = tested.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

// Who reads the history of a crafted file, perhaps as root, is not kept for ever either.
TEST(CraftedHistory, IsRefused) {
  const TempDir dir;
  const std::string path = dir.file("state.db");
  { Life(path).db->add_event(an_event("m-1", kStart)); }
  craft(path, "DROP TABLE events; CREATE VIEW events AS " + std::string(kEndless) +
                  "SELECT i AS id, i AS at, 'drift_opened' AS type, 'm' AS image, '{}' AS fields FROM n;");
  const auto events = read_events(path, {});
  ASSERT_FALSE(events);
  EXPECT_THAT(events.error(), HasSubstr(path));
}

TEST(CraftedHistory, IsBounded) {
  const TempDir dir;
  const std::string path = dir.file("state.db");
  { Life(path).db->add_event(an_event("m-1", kStart)); }
  craft(path, numbers_to(10'000) +
                  "INSERT INTO events(at,type,image,fields) SELECT i, 'drift_opened', 'm', "
                  "printf('{\"a\":\"%.*c\"}', 20000, 'x') FROM n;");
  const auto events = read_events(path, {"", {}, 10'000});
  ASSERT_FALSE(events);
  EXPECT_THAT(events.error(), HasSubstr("too large"));
}

TEST(CraftedHistory, WhatOtherProfilesSaidTakesNoRoom) {
  const TempDir dir;
  const std::string path = dir.file("state.db");
  { Life(path).db->add_event(an_event("m-1", kStart)); }
  craft(path, numbers_to(1'000) +
                  "INSERT INTO events(at,type,image,fields) SELECT i, 'profile_blind', '', "
                  "printf('{\"profile\":\"other\",\"a\":\"%.*c\"}', 20000, 'x') FROM n;");
  const auto events = read_events(path, {"m-1", {}, 100, 100, "default"});
  ASSERT_TRUE(events) << events.error();
  EXPECT_THAT(*events, SizeIs(1));
}

TEST(CraftedHistory, ShowsTheOthersBesideOneThatIsTooLarge) {
  const TempDir dir;
  const std::string path = dir.file("state.db");
  { Life(path).db->add_event(an_event("m-1", kStart)); }
  const auto add = [](const std::string& type, const std::string& image, const std::string& bytes) {
    return "INSERT INTO events(at,type,image,fields) VALUES(7," + type + "," + image +
           ",printf('{\"a\":\"%.*c\"}', " + bytes + ", 'x'));";
  };
  const std::string huge = "printf('%.*c', 4000000, 'x')";
  craft(path, add("'drift_opened'", "'m-1'", "4000000") + add("'drift_opened'", "'m-1'", "100000") +
                  add("'config_rejected'", "''", "4000000") + add(huge, "'m-1'", "1") +
                  add("'drift_opened'", huge, "1"));
  const auto all = read_events(path, {});
  ASSERT_TRUE(all) << all.error();
  ASSERT_THAT(*all, SizeIs(4)) << "those that have a type and an image";
  EXPECT_EQ((*all)[0].find("left_out"), nullptr);
  for (std::size_t i = 1; i < 4; ++i)
    EXPECT_THAT((*all)[i].text("left_out"), HasSubstr("too large"));
  const auto of_image = read_events(path, {"m-1", {}, 100, 100, "default"});
  ASSERT_TRUE(of_image) << of_image.error();
  EXPECT_THAT(*of_image, SizeIs(4));
}

TEST(CraftedState, LinksAreNotFollowed) {
  const TempDir dir;
  const std::string elsewhere = dir.file("elsewhere");
  std::ofstream(elsewhere) << "of somebody else";
  ASSERT_EQ(::chmod(elsewhere.c_str(), 0644), 0);
  const std::string path = dir.file("state.db");
  ASSERT_EQ(::symlink(elsewhere.c_str(), path.c_str()), 0);
  {
    Life life(path);
    EXPECT_FALSE(life.db->ok());
    ASSERT_EQ(life.sink.count(EventType::state_rejected), 1U);
    EXPECT_THAT(life.sink.events.front().text("reason"), HasSubstr("symbolic link"));
    life.db->save(a_record("m-1"), {});
    EXPECT_FALSE(life.db->flush());
  }
  struct stat info {};
  ASSERT_EQ(::stat(elsewhere.c_str(), &info), 0);
  EXPECT_EQ(info.st_size, 16);
  EXPECT_EQ(info.st_mode & 0777U, 0644U);

  const std::string other = dir.file("other.db");
  ASSERT_EQ(::symlink(elsewhere.c_str(), (other + ".lock").c_str()), 0);
  RecordingSink sink;
  const ManualClock clock;
  const auto refused = StateDb::open(other, kYear, sink, clock);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error(), HasSubstr("symbolic link"));
}

TEST(CraftedState, HardLinksAreNotWritten) {
  for (const char* suffix : {"", "-wal", "-shm", "-journal", ".lock"}) {
    const TempDir dir;
    const std::string elsewhere = dir.file("elsewhere");
    std::ofstream(elsewhere) << "of somebody else";
    ASSERT_EQ(::chmod(elsewhere.c_str(), 0644), 0);
    const std::string path = dir.file("state.db");
    ASSERT_EQ(::link(elsewhere.c_str(), (path + suffix).c_str()), 0);
    RecordingSink sink;
    const ManualClock clock;
    if (auto db = StateDb::open(path, kYear, sink, clock)) {
      (*db)->load();
      EXPECT_FALSE((*db)->ok()) << suffix;
      ASSERT_EQ(sink.count(EventType::state_rejected), 1U) << suffix;
      EXPECT_THAT(sink.events.front().text("reason"), HasSubstr("hard link")) << suffix;
      (*db)->save(a_record("m-1"), {});
      EXPECT_FALSE((*db)->flush()) << suffix;
    } else {
      EXPECT_THAT(db.error(), HasSubstr("hard link"));
      EXPECT_STREQ(suffix, ".lock");
    }
    struct stat info {};
    ASSERT_EQ(::stat(elsewhere.c_str(), &info), 0);
    EXPECT_EQ(info.st_size, 16) << suffix;
    EXPECT_EQ(info.st_mode & 0777U, 0644U) << suffix;
    EXPECT_EQ(info.st_nlink, 2U) << suffix << ": it is not moved aside either";
  }
}

TEST(CraftedState, WhatAnotherUserPutThereIsNotUsed) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  const TempDir dir;
  const std::string path = dir.file("state.db");
  std::ofstream{path};
  ASSERT_EQ(::chown(path.c_str(), 65534, 65534), 0);
  const Life life(path);
  EXPECT_FALSE(life.db->ok());
  EXPECT_THAT(life.sink.events.front().text("reason"), HasSubstr("belongs to another user"));
}

TEST(CraftedState, AFifoOrAGiantHoldsNobodyUp) {
  const TempDir dir;
  const std::string fifo = dir.file("fifo.db");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const Life held(fifo);
  EXPECT_FALSE(held.db->ok());
  const std::string giant = dir.file("giant.db");
  std::ofstream{giant};
  ASSERT_EQ(::truncate(giant.c_str(), 5LL << 30), 0);
  const Life life(giant);
  EXPECT_FALSE(life.db->ok());
  EXPECT_THAT(life.sink.events.front().text("reason"), HasSubstr("too large"));
}

}  // namespace
}  // namespace sharedrift
