#include "store/state_tables.hpp"

#include "core/text.hpp"
#include "wire/field_json.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

namespace sharedrift {

using sqlite::Database;
using sqlite::Statement;
using sqlite::Status;

namespace {

/// What each version added, from an empty file on. Released ones never change; a new one goes to the end.
constexpr std::array<const char*, StateTables::kVersion> kMigrations{R"(
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
)"};

/// A time that can be reckoned with: none before 1970 or after 9999, whatever the row says.
std::optional<WallTime> moment(const Statement& row, int column) {
  constexpr std::int64_t kEndOfTime = 253'402'300'799'999;
  const auto time = row.time(column);
  const bool usable =
      time && time->time_since_epoch().count() >= 0 && time->time_since_epoch().count() <= kEndOfTime;
  return usable ? time : std::nullopt;
}
WallTime moment_or_epoch(const Statement& row, int column) {
  return moment(row, column).value_or(WallTime{});
}

std::int64_t as_integer(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}
std::uint64_t as_count(std::int64_t value) {
  return value < 0 ? 0 : static_cast<std::uint64_t>(value);
}

StateTables::OpenError unusable(std::string text) {
  return {std::move(text), true};
}
/// Damage that SQLite itself names is the file's, and so is a table or column that is not there; anything
/// else (full, locked, no rights) is not.
StateTables::OpenError from(const sqlite::Error& error) {
  const int primary = error.code & 0xFF;
  const bool damaged = primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB || primary == SQLITE_ERROR;
  return {damaged ? "damaged: " + error.text : error.text, damaged};
}

Result<Unit, StateTables::OpenError> prepare_file(Database& database) {
  // Each step reads or writes the file, so damage shows here.
  auto application = database.number("PRAGMA application_id");
  auto version = database.number("PRAGMA user_version");
  auto tables = database.number("SELECT count(*) FROM sqlite_master");
  if (!application) return Err(from(application.error()));
  if (!version) return Err(from(version.error()));
  if (!tables) return Err(from(tables.error()));
  const bool fresh = *tables == 0 && *version == 0;
  if (!fresh && *application == StateTables::kApplicationId && *version < 1)
    return Err(unusable("damaged: it has tables and no version"));
  if (!fresh && *application != StateTables::kApplicationId)
    return Err(unusable("foreign: not a database of ours"));
  if (*version > StateTables::kVersion) {
    return Err(unusable("future: written by a later release (version " + std::to_string(*version) + ")"));
  }
  auto check = database.word("PRAGMA quick_check(1)");
  if (!check) return Err(from(check.error()));
  if (*check != "ok") return Err(unusable("damaged: " + clean(*check)));
  for (const char* pragma :
       {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA cache_size=-256"}) {
    auto done = database.execute(pragma);
    if (!done) return Err(from(done.error()));
  }
  if (*version == StateTables::kVersion) return Unit{};
  std::string migration =
      "BEGIN IMMEDIATE; PRAGMA application_id=" + std::to_string(StateTables::kApplicationId) + ";";
  for (auto next = static_cast<std::size_t>(*version); next < kMigrations.size(); ++next)
    migration += kMigrations.at(next);
  migration += "PRAGMA user_version=" + std::to_string(StateTables::kVersion) + "; COMMIT;";
  auto migrated = database.execute(migration.c_str());
  if (!migrated) return Err(from(migrated.error()));
  return Unit{};
}

}  // namespace

Result<StateTables, StateTables::OpenError> StateTables::open(const std::string& path) {
  auto database = Database::open(path, Database::Mode::read_write);
  if (!database) return Err(from(database.error()));
  auto prepared = prepare_file(*database);
  if (!prepared) return Err(std::move(prepared).error());
  return StateTables(std::move(*database));
}

Status StateTables::transaction(const std::function<Status()>& work) {
  auto begun = database_.execute("BEGIN IMMEDIATE");
  if (!begun) return begun;
  auto done = work();
  if (done) done = database_.execute("COMMIT");
  if (!done) static_cast<void>(database_.execute("ROLLBACK"));  // the first error is the one to tell
  return done;
}

Status StateTables::erase(const ImageId& image) {
  for (const char* sql : {"DELETE FROM images WHERE id=?", "DELETE FROM sightings WHERE image=?",
                          "DELETE FROM absences WHERE image=?", "DELETE FROM drifts WHERE image=?"}) {
    SD_TRY(statement, database_.cached(sql));
    auto done = statement->bind(0, image.str()).run();
    if (!done) return done;
  }
  return Unit{};
}

Status StateTables::put(const ImageRecord& record) {
  auto erased = erase(record.id);
  if (!erased) return erased;
  auto stored = put_image(record);
  if (!stored) return stored;
  const std::string& image = record.id.str();
  SD_TRY(sighting, database_.cached("INSERT INTO sightings VALUES(?,?,?,?,?,?)"));
  auto loss = record.losses.begin();  // sorted like the sightings
  for (const Sighting& s : record.sightings) {
    const bool lost = loss != record.losses.end() && loss->account == s.account;
    auto done = sighting->bind(0, image)
                    .bind(1, s.account.str())
                    .bind(2, s.not_before)
                    .bind(3, s.first_seen)
                    .bind(4, s.last_seen)
                    .bind(5, lost ? std::optional<WallTime>{loss->first_missed} : std::nullopt)
                    .run();
    if (!done) return done;
    if (lost) ++loss;
  }
  SD_TRY(absence, database_.cached("INSERT INTO absences VALUES(?,?,?,?,?)"));
  for (const Absence& a : record.absences) {
    auto done = absence->bind(0, image)
                    .bind(1, a.account.str())
                    .bind(2, a.first_missed)
                    .bind(3, a.last_seen)
                    .bind(4, std::int64_t{a.absences})
                    .run();
    if (!done) return done;
  }
  SD_TRY(drift, database_.cached("INSERT INTO drifts VALUES(?,?,?,?,?)"));
  for (const Drift& d : record.drifts) {
    auto done = drift->bind(0, image)
                    .bind(1, d.account.str())
                    .bind(2, to_string(d.kind))
                    .bind(3, d.since)
                    .bind(4, std::int64_t{d.first_run ? 1 : 0})
                    .run();
    if (!done) return done;
  }
  return Unit{};
}

Status StateTables::put_image(const ImageRecord& record) {
  SD_TRY(statement, database_.cached("INSERT INTO images VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"));
  const ImageCounters& counters = record.counters;
  return statement->bind(0, record.id.str())
      .bind(1, to_string(record.state))
      .bind(2, record.state_since)
      .bind(3, record.last_complete)
      .bind(4, record.last_attempt)
      .bind(5, std::int64_t{record.listing_complete ? 1 : 0})
      .bind(6, record.shared_accounts)
      .bind(7, record.unused_entries)
      .bind(8, record.unlisted)
      .bind(9, as_integer(counters.listings))
      .bind(10, as_integer(counters.failures))
      .bind(11, as_integer(counters.opened[0]))
      .bind(12, as_integer(counters.opened[1]))
      .bind(13, as_integer(counters.closed[0]))
      .bind(14, as_integer(counters.closed[1]))
      .bind(15, as_integer(counters.flaps))
      .bind(16, record.last_complete_began)
      .bind(17, record.total_count)
      .bind(18, std::int64_t{record.had_accounts ? 1 : 0})
      .run();
}

Status StateTables::add(const Event& event) {
  SD_TRY(statement, database_.cached("INSERT INTO events(at,type,image,fields) VALUES(?,?,?,?)"));
  return statement->bind(0, event.at)
      .bind(1, to_string(event.type))
      .bind(2, event.image_id)
      .bind(3, fields_to_json(event.fields))
      .run();
}

Status StateTables::put_meta(std::string_view key, std::int64_t value) {
  SD_TRY(statement, database_.cached(
                        "INSERT INTO meta VALUES(?,?) ON CONFLICT(key) DO UPDATE SET value=excluded.value"));
  return statement->bind(0, key).bind(1, value).run();
}

Status StateTables::put_fleet(const FleetRecord& fleet) {
  for (const CloseReason reason : kAllCloseReasons) {
    const std::string key = "closes." + std::string{to_string(reason)};
    auto done = put_meta(key, as_integer(fleet.closes.at(static_cast<std::size_t>(reason))));
    if (!done) return done;
  }
  if (!fleet.judged_at) return Unit{};
  return put_meta("judged_at", fleet.judged_at->time_since_epoch().count());
}

Status StateTables::put_stopped(bool stopped) {
  return put_meta("stopped", stopped ? 1 : 0);
}

Status StateTables::put_alive(WallTime now) {
  return put_meta("last_alive", now.time_since_epoch().count());
}

Status StateTables::prune(WallTime before) {
  SD_TRY(statement, database_.cached("DELETE FROM events WHERE at < ?"));
  return statement->bind(0, before).run();
}

Result<SavedState, StateTables::OpenError> StateTables::load() {
  Images images;
  for (const auto& step : {&StateTables::load_images, &StateTables::load_sightings,
                           &StateTables::load_absences, &StateTables::load_drifts}) {
    auto done = (this->*step)(images);
    if (!done) return Err(from(done.error()));
  }
  SavedState saved;
  saved.images.reserve(images.size());
  for (auto& [id, record] : images)
    saved.images.push_back(std::move(record));
  bool stopped = true;  // what does not say was written by version 1
  auto done = load_meta(saved, stopped);
  if (!done) return Err(from(done.error()));
  for (ImageRecord& record : saved.images) {
    if (!stopped) record.counters.listings = record.counters.failures = 0;
  }
  return saved;
}

Status StateTables::load_images(Images& images) {
  SD_TRY(rows, database_.prepare("SELECT * FROM images"));
  while (true) {
    SD_TRY(row, rows.step());
    if (!row) return Unit{};
    auto id = ImageId::parse(rows.view(0));
    if (!id) continue;  // not written by us, and about nothing that can be watched
    ImageRecord record{std::move(*id)};
    record.state = parse_image_state(rows.view(1)).value_or(ImageState::never_read);
    record.state_since = moment(rows, 2);
    record.last_complete = moment(rows, 3);
    record.last_attempt = moment(rows, 4);
    record.listing_complete = rows.integer(5) != 0;
    record.shared_accounts = rows.integer(6);
    record.unused_entries = rows.integer(7);
    record.unlisted = rows.integer(8);
    record.counters.listings = as_count(rows.integer(9));
    record.counters.failures = as_count(rows.integer(10));
    record.counters.opened = {as_count(rows.integer(11)), as_count(rows.integer(12))};
    record.counters.closed = {as_count(rows.integer(13)), as_count(rows.integer(14))};
    record.counters.flaps = as_count(rows.integer(15));
    record.last_complete_began = moment(rows, 16);
    record.total_count = rows.integer(17);
    record.had_accounts = rows.integer(18) != 0;
    const std::string name = record.id.str();
    images.emplace_hint(images.end(), name, std::move(record));
  }
}

/// Reads the rows that are about an account of an image: `add` is called for each that names both. A row
/// whose image is not there is still knowledge: the image gets a record. Rows come in the order of their
/// keys, so the vectors are sorted as the records promise, and the image of a row is the last one's or comes
/// later.
Status StateTables::load_details(std::string_view sql, Images& images, const AddDetail& add) {
  SD_TRY(rows, database_.prepare(sql));
  auto image = images.begin();
  while (true) {
    SD_TRY(row, rows.step());
    if (!row) return Unit{};
    const std::string_view name = rows.view(0);
    while (image != images.end() && image->first < name)
      ++image;
    if (image == images.end() || image->first != name) {
      auto id = ImageId::parse(name);
      if (!id) continue;
      image = images.emplace_hint(image, name, ImageRecord{std::move(*id)});
    }
    const auto account = AccountId::parse(rows.view(1));
    if (account) add(image->second, *account, rows);
  }
}

Status StateTables::load_sightings(Images& images) {
  return load_details("SELECT * FROM sightings ORDER BY image, account", images,
                      [](ImageRecord& record, const AccountId& account, const Statement& row) {
                        constexpr std::int64_t kMostAtOnce = 1000;
                        if (record.sightings.empty()) {  // as many as there will be, as a rule
                          record.sightings.reserve(static_cast<std::size_t>(
                              std::clamp<std::int64_t>(record.shared_accounts, 1, kMostAtOnce)));
                        }
                        record.sightings.push_back(
                            {account, moment(row, 2), moment_or_epoch(row, 3), moment_or_epoch(row, 4)});
                        if (const auto first_missed = moment(row, 5))
                          record.losses.push_back({account, *first_missed});
                      });
}

Status StateTables::load_absences(Images& images) {
  return load_details("SELECT * FROM absences ORDER BY image, account", images,
                      [](ImageRecord& record, const AccountId& account, const Statement& row) {
                        constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
                        const auto absences = std::clamp<std::int64_t>(row.integer(4), 0, kMost);
                        record.absences.push_back({account, moment_or_epoch(row, 2), moment(row, 3),
                                                   static_cast<std::int32_t>(absences)});
                      });
}

Status StateTables::load_drifts(Images& images) {
  return load_details(
      "SELECT * FROM drifts ORDER BY image, kind, account", images,
      [](ImageRecord& record, const AccountId& account, const Statement& row) {
        const bool missing = row.view(2) == to_string(DriftKind::missing);
        record.drifts.push_back({account, missing ? DriftKind::missing : DriftKind::unexpected,
                                 moment_or_epoch(row, 3), row.integer(4) != 0});
      });
}

Status StateTables::load_meta(SavedState& saved, bool& stopped) {
  SD_TRY(rows, database_.prepare("SELECT key, value FROM meta"));
  while (true) {
    SD_TRY(row, rows.step());
    if (!row) return Unit{};
    const std::string key = rows.text(0);
    if (key == "last_alive") saved.last_alive = moment(rows, 1);
    if (key == "judged_at") saved.fleet.judged_at = moment(rows, 1);
    if (key == "stopped") stopped = rows.integer(1) == 1;
    for (const CloseReason reason : kAllCloseReasons) {
      if (key == "closes." + std::string{to_string(reason)}) {
        saved.fleet.closes.at(static_cast<std::size_t>(reason)) = as_count(rows.integer(1));
      }
    }
  }
}

}  // namespace sharedrift
