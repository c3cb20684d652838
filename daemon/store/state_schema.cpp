#include "store/state_schema.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace sharedrift {

namespace {

using sqlite::Database;
using sqlite::Statement;
using sqlite::Status;

/// What each version added, from an empty file on. Released ones never change; a new one goes to the end.
constexpr std::array<const char*, kStateVersion> kMigrations{R"(
CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE images(
  id TEXT PRIMARY KEY, state TEXT NOT NULL, state_since INTEGER, last_complete INTEGER, last_attempt INTEGER,
  listing_complete INTEGER NOT NULL, shared_accounts INTEGER NOT NULL, unused_entries INTEGER NOT NULL,
  unlisted INTEGER NOT NULL, listings INTEGER NOT NULL, failures INTEGER NOT NULL,
  opened_unexpected INTEGER NOT NULL, opened_missing INTEGER NOT NULL,
  closed_unexpected INTEGER NOT NULL, closed_missing INTEGER NOT NULL, flaps INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE sightings(
  image TEXT NOT NULL, account TEXT NOT NULL, not_before INTEGER, first_seen INTEGER NOT NULL,
  last_seen INTEGER NOT NULL, first_missed INTEGER, PRIMARY KEY(image, account)) WITHOUT ROWID;
CREATE TABLE absences(
  image TEXT NOT NULL, account TEXT NOT NULL, first_missed INTEGER NOT NULL, last_seen INTEGER,
  absences INTEGER NOT NULL, PRIMARY KEY(image, account)) WITHOUT ROWID;
CREATE TABLE drifts(
  image TEXT NOT NULL, account TEXT NOT NULL, kind TEXT NOT NULL, since INTEGER NOT NULL, first_run INTEGER NOT NULL,
  PRIMARY KEY(image, kind, account)) WITHOUT ROWID;
CREATE TABLE events(
  id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, type TEXT NOT NULL, image TEXT NOT NULL,
  fields TEXT NOT NULL);
CREATE INDEX events_at ON events(at);
CREATE INDEX events_image ON events(image, id);
)",
                                                             R"(
ALTER TABLE images ADD COLUMN last_complete_began INTEGER;
ALTER TABLE images ADD COLUMN total_count INTEGER NOT NULL DEFAULT -1;
ALTER TABLE images ADD COLUMN had_accounts INTEGER NOT NULL DEFAULT 0;
UPDATE images SET total_count=shared_accounts, had_accounts=shared_accounts>0;
)",
                                                             R"(
ALTER TABLE images DROP COLUMN had_accounts;
)",
                                                             R"(
CREATE TABLE discovered(
  image TEXT PRIMARY KEY, profile TEXT NOT NULL, rule TEXT NOT NULL, name TEXT NOT NULL, created INTEGER,
  since INTEGER NOT NULL, config TEXT NOT NULL) WITHOUT ROWID;
)",
                                                             R"(
ALTER TABLE images ADD COLUMN unwatched_since INTEGER;
)"};

/// Releases and SQLite's ALTER TABLE break lines in different places.
std::string without_needless_blanks(std::string_view sql) {
  constexpr std::string_view kBlanks = " \t\r\n";
  constexpr std::string_view kNeedNone = "(),";
  std::string out;
  bool blank = false;
  for (const char c : sql) {
    if (kBlanks.find(c) != std::string_view::npos) {
      blank = true;
      continue;
    }
    const bool separates = !out.empty() && kNeedNone.find(c) == std::string_view::npos &&
                           kNeedNone.find(out.back()) == std::string_view::npos;
    if (std::exchange(blank, false) && separates) out += ' ';
    out += c;
  }
  return out;
}

/// Type, name and SQL of everything in it.
Result<std::set<std::string>, sqlite::Error> objects_of(Database& database) {
  constexpr std::size_t kMost = 100;
  std::set<std::string> found;
  auto done =
      database.each("SELECT type, name, sql FROM sqlite_master", [&found](const Statement& row) -> Status {
        if (found.size() == kMost) return sqlite::unusable_file("foreign: it has too many tables");
        found.insert(std::string(row.text(0)) + " " + std::string(row.text(1)) + " " +
                     without_needless_blanks(row.text(2)));
        return Unit{};
      });
  if (!done) return Err(std::move(done).error());
  return found;
}

/// Whether the tables and indexes are those that `migrations` make of an empty file, each written as they
/// write it but for blanks, and nothing else is there: no view, no trigger, no constraint of somebody else's.
/// Nothing of the file is run.
Status check_schema(Database& database, std::span<const char* const> migrations) {
  SD_TRY(model, Database::open(":memory:", Database::Mode::read_write));
  for (const char* migration : migrations) {
    if (auto done = model.execute(migration); !done) return done;
  }
  SD_TRY(ours, objects_of(model));
  SD_TRY(theirs, objects_of(database));
  const auto foreign = [&ours = ours](const std::string& object) { return !ours.contains(object); };
  const auto odd = std::find_if(theirs.begin(), theirs.end(), foreign);
  if (odd != theirs.end()) return sqlite::unusable_file("foreign: it has the " + clean(*odd, 100));
  if (theirs != ours) return sqlite::unusable_file("damaged: a table or an index is missing");
  return Unit{};
}

}  // namespace

Status prepare_tables(Database& database) {
  // Each step reads or writes the file, so damage shows here.
  if (auto set = database.execute("PRAGMA cell_size_check=ON"); !set) return set;
  SD_TRY(application, database.number("PRAGMA application_id"));
  SD_TRY(version, database.number("PRAGMA user_version"));
  SD_TRY(tables, database.number("SELECT count(*) FROM sqlite_master"));
  const bool fresh = tables == 0 && version == 0;
  if (!fresh && application != kStateApplicationId)
    return sqlite::unusable_file("foreign: not a database of ours");
  if (!fresh && version < 1) return sqlite::unusable_file("damaged: it has tables and no version");
  if (version > kStateVersion) {
    return sqlite::unusable_file("future: written by a later release (version " + std::to_string(version) +
                                 ")");
  }
  const auto known = std::span(kMigrations).first(fresh ? 0 : static_cast<std::size_t>(version));
  if (auto same = check_schema(database, known); !same) return same;
  SD_TRY(check, database.word("PRAGMA quick_check(1)"));
  if (check != "ok") return sqlite::unusable_file("damaged: " + clean(check));
  std::string sql = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-256;";
  if (version == kStateVersion) return database.execute(sql);
  sql += "BEGIN IMMEDIATE; PRAGMA application_id=" + std::to_string(kStateApplicationId) + ";";
  for (auto next = static_cast<std::size_t>(version); next < kMigrations.size(); ++next)
    sql += kMigrations.at(next);
  sql += "PRAGMA user_version=" + std::to_string(kStateVersion) + "; COMMIT;";
  return database.execute(sql);
}

}  // namespace sharedrift
