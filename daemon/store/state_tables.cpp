#include "store/state_tables.hpp"

#include "core/sorted_entries.hpp"
#include "core/text.hpp"
#include "store/state_schema.hpp"
#include "wire/field_json.hpp"

#include <algorithm>
#include <limits>

namespace sharedrift {

using sqlite::Database;
using sqlite::Statement;
using sqlite::Status;

namespace {

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

/// A count that can be gone on from, whatever the row says: a step a second makes no more in 30,000 years.
std::uint64_t as_count(std::int64_t value) {
  return static_cast<std::uint64_t>(std::clamp<std::int64_t>(value, 0, 1'000'000'000'000));
}
/// A number of accounts or entries; -1: none is known.
std::int64_t as_number(std::int64_t value, std::int64_t least = 0) {
  return std::clamp<std::int64_t>(value, least, 1LL << 53);
}

std::string closes_key(CloseReason reason) {
  return "closes." + std::string{to_string(reason)};
}

constexpr Millis kMostWork{20'000};  ///< of reading all of it

}  // namespace

Result<StateTables, sqlite::Error> StateTables::open(const std::string& path, StateLimits limits) {
  SD_TRY(database, Database::open(path, Database::Mode::read_write));
  database.limit_work(kMostWork);
  if (auto ready = prepare_tables(database); !ready) return Err(std::move(ready).error());
  constexpr std::int64_t kMostNumbers = 1LL << 62;  // beyond the last one nothing can be written any more
  SD_TRY(numbers,
         database.number("SELECT max(ifnull((SELECT max(CAST(seq AS INTEGER)) FROM sqlite_sequence),0),"
                         "ifnull((SELECT max(id) FROM events),0))"));
  if (numbers > kMostNumbers) return sqlite::unusable_file("damaged: the numbers of events are used up");
  database.limit_work(std::nullopt);
  return StateTables(std::move(database), limits);
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
    if (auto done = database_.run(sql, image.str()); !done) return done;
  }
  return Unit{};
}

Status StateTables::put(const ImageRecord& record) {
  if (auto done = erase(record.id); !done) return done;
  if (auto done = put_image(record); !done) return done;
  const std::string& image = record.id.str();
  auto loss = record.losses.begin();  // sorted like the sightings
  for (const Sighting& s : record.sightings) {
    const bool lost = loss != record.losses.end() && loss->account == s.account;
    const auto first_missed = lost ? std::optional{loss->first_missed} : std::nullopt;
    auto done = database_.run("INSERT INTO sightings VALUES(?,?,?,?,?,?)", image, s.account.str(),
                              s.not_before, s.first_seen, s.last_seen, first_missed);
    if (!done) return done;
    if (lost) ++loss;
  }
  for (const Absence& a : record.absences) {
    auto done = database_.run("INSERT INTO absences VALUES(?,?,?,?,?)", image, a.account.str(),
                              a.first_missed, a.last_seen, a.absences);
    if (!done) return done;
  }
  for (const Drift& d : record.drifts) {
    auto done = database_.run("INSERT INTO drifts VALUES(?,?,?,?,?)", image, d.account.str(),
                              to_string(d.kind), d.since, d.first_run);
    if (!done) return done;
  }
  return Unit{};
}

Status StateTables::put_image(const ImageRecord& record) {
  const ImageCounters& counters = record.counters;
  return database_.run("INSERT INTO images VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", record.id.str(),
                       to_string(record.state), record.state_since, record.last_complete, record.last_poll,
                       record.listing_complete, record.shared_accounts, record.unused_entries,
                       record.unlisted, counters.listings, counters.failures, counters.opened[0],
                       counters.opened[1], counters.closed[0], counters.closed[1], counters.flaps,
                       record.last_complete_began, record.total_count, record.unwatched_since);
}

Status StateTables::add(const Event& event) {
  return database_.run("INSERT INTO events(at,type,image,fields) VALUES(?,?,?,?)", event.at,
                       to_string(event.type), event.image_id, fields_to_json(event.fields));
}

Status StateTables::put_meta(std::string_view key, std::int64_t value) {
  return database_.run("INSERT INTO meta VALUES(?,?) ON CONFLICT(key) DO UPDATE SET value=excluded.value",
                       key, value);
}

Status StateTables::put_fleet(const FleetRecord& fleet) {
  for (const CloseReason reason : kAllCloseReasons) {
    const auto count = static_cast<std::int64_t>(fleet.closes.at(static_cast<std::size_t>(reason)));
    if (auto done = put_meta(closes_key(reason), count); !done) return done;
  }
  if (!fleet.judged_at) return Unit{};
  return put_meta("judged_at", fleet.judged_at->time_since_epoch().count());
}

Status StateTables::put_discovered(const std::vector<DiscoveredImage>& images) {
  if (auto done = database_.run("DELETE FROM discovered"); !done) return done;
  for (const DiscoveredImage& image : images) {
    auto done = database_.run("INSERT INTO discovered VALUES(?,?,?,?,?,?,?)", image.id.str(), image.profile,
                              image.rule, image.name, image.created, image.since, image.config);
    if (!done) return done;
  }
  return Unit{};
}

Status StateTables::put_stopped(bool stopped) {
  return put_meta("stopped", stopped ? 1 : 0);
}

Status StateTables::put_alive(WallTime now) {
  return put_meta("last_alive", now.time_since_epoch().count());
}

Status StateTables::prune(WallTime before) {
  return database_.run("DELETE FROM events WHERE at < ?", before);
}

Status StateTables::load_all(Images& images, SavedState& saved, bool& stopped) {
  for (const auto& step : {&StateTables::load_images, &StateTables::load_sightings,
                           &StateTables::load_absences, &StateTables::load_drifts}) {
    if (auto done = (this->*step)(images); !done) return done;
  }
  if (auto done = load_discovered(saved); !done) return done;
  return load_meta(saved, stopped);
}

Result<SavedState, sqlite::Error> StateTables::load() {
  Images images;
  SavedState saved;
  bool stopped = true;  // what does not say was written by version 1
  database_.limit_work(kMostWork);
  auto done = load_all(images, saved, stopped);
  database_.limit_work(std::nullopt);
  if (!done) return Err(std::move(done).error());
  saved.images.reserve(images.size());
  for (auto& [id, record] : images) {
    if (!stopped) record.counters.listings = record.counters.failures = 0;
    std::sort(record.drifts.begin(), record.drifts.end(), drift_before);  // their key has the kind as a word
    saved.images.push_back(std::move(record));
  }
  return saved;
}

Status StateTables::take_row() {
  if (++rows_ <= limits_.rows) return Unit{};
  return sqlite::unusable_file("too large: more than " + std::to_string(limits_.rows) + " rows");
}

Result<StateTables::Images::iterator, sqlite::Error> StateTables::add_image(Images& images, ImageId id) {
  if (images.size() >= limits_.images)
    return sqlite::unusable_file("too large: more than " + std::to_string(limits_.images) + " images");
  const std::string name = id.str();
  return images.emplace_hint(images.end(), name, ImageRecord{std::move(id)});
}

Status StateTables::load_images(Images& images) {
  return database_.each("SELECT * FROM images", [this, &images](const Statement& row) -> Status {
    auto id = ImageId::parse(row.text(0));
    if (!id) return take_row();  // not written by us, and about nothing that can be watched
    SD_TRY(added, add_image(images, std::move(*id)));
    ImageRecord& record = added->second;
    record.state = parse_image_state(row.text(1)).value_or(ImageState::never_read);
    record.state_since = moment(row, 2);
    record.last_complete = moment(row, 3);
    record.last_poll = moment(row, 4);
    record.listing_complete = row.integer(5) != 0;
    record.shared_accounts = as_number(row.integer(6), -1);
    record.unused_entries = as_number(row.integer(7));
    record.unlisted = as_number(row.integer(8));
    record.counters.listings = as_count(row.integer(9));
    record.counters.failures = as_count(row.integer(10));
    record.counters.opened = {as_count(row.integer(11)), as_count(row.integer(12))};
    record.counters.closed = {as_count(row.integer(13)), as_count(row.integer(14))};
    record.counters.flaps = as_count(row.integer(15));
    record.last_complete_began = moment(row, 16);
    record.total_count = as_number(row.integer(17), -1);
    record.unwatched_since = moment(row, 18);
    return Unit{};
  });
}

/// Reads the rows that are about an account of an image, in the order of their keys, so that the vectors are
/// sorted as the records promise: `add` is called for each that names both. A row whose image is not there is
/// still knowledge: the image gets a record.
template <class Add>
Status StateTables::load_details(std::string_view sql, Images& images, Add add) {
  auto image = images.end();  // that of the row before
  return database_.each(sql, [&](const Statement& row) -> Status {
    if (auto room = take_row(); !room) return room;
    const std::string_view name = row.text(0);
    if (image == images.end() || image->first != name) image = images.find(name);
    if (image == images.end()) {
      auto id = ImageId::parse(name);
      if (!id) return Unit{};
      SD_TRY(added, add_image(images, std::move(*id)));
      image = added;
    }
    if (const auto account = AccountId::parse(row.text(1))) add(image->second, *account, row);
    return Unit{};
  });
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
        const bool missing = row.text(2) == to_string(DriftKind::missing);
        record.drifts.push_back({account, missing ? DriftKind::missing : DriftKind::unexpected,
                                 moment_or_epoch(row, 3), row.integer(4) != 0});
      });
}

Status StateTables::load_discovered(SavedState& saved) {
  return database_.each("SELECT * FROM discovered", [this, &saved](const Statement& row) -> Status {
    constexpr std::size_t kLongestText = 400;
    auto id = ImageId::parse(row.text(0));
    if (id) {
      saved.discovered.push_back({std::move(*id), clean(row.text(1), kLongestText),
                                  clean(row.text(2), kLongestText), clean(row.text(3), kLongestText),
                                  moment(row, 4), moment_or_epoch(row, 5), clean(row.text(6), kLongestText)});
    }
    return take_row();
  });
}

Status StateTables::load_meta(SavedState& saved, bool& stopped) {
  return database_.each("SELECT key, value FROM meta", [&](const Statement& row) -> Status {
    const std::string_view key = row.text(0);
    if (key == "last_alive") saved.last_alive = moment(row, 1);
    if (key == "judged_at") saved.fleet.judged_at = moment(row, 1);
    if (key == "stopped") stopped = row.integer(1) == 1;
    for (const CloseReason reason : kAllCloseReasons) {
      if (key == closes_key(reason))
        saved.fleet.closes.at(static_cast<std::size_t>(reason)) = as_count(row.integer(1));
    }
    return take_row();
  });
}

}  // namespace sharedrift
