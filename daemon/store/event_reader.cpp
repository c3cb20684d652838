#include "store/event_reader.hpp"

#include "core/text.hpp"
#include "store/state_schema.hpp"
#include "wire/field_json.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace sharedrift {

namespace {

using sqlite::Database;

/// The image's own events, and what explains them. Credentials that are renewed as always explain nothing.
constexpr std::string_view kOfImage = R"(
WITH own AS (
  SELECT id, at, type, image, fields FROM events WHERE image = ?3 AND at >= ?1 ORDER BY id DESC LIMIT ?2)
SELECT at, type, image, fields FROM (
  SELECT * FROM own UNION ALL SELECT * FROM (
    SELECT id, at, type, image, fields FROM events
    WHERE image = '' AND at >= ?1 AND ?4 > 0
      AND type IN ('profile_blind', 'profile_recovered', 'inventory_incomplete', 'inventory_recovered',
        'credentials_changed', 'credentials_warning', 'credentials_recovered', 'config_reloaded', 'config_rejected',
        'mass_change_held', 'events_left_out', 'images_left_out', 'monitoring_gap')
      AND id >= (SELECT CASE WHEN count(*) = ?2 THEN min(id) ELSE 0 END FROM own)
      AND (?5 = '' OR CASE WHEN json_valid(fields) THEN coalesce(json_extract(fields, '$.profile'), ?5) END = ?5)
    ORDER BY id DESC LIMIT ?4))
ORDER BY id DESC)";

/// Through a connection of its own.
Result<std::vector<Event>, sqlite::Error> read(const std::string& path, Database::Mode mode,
                                               const EventQuery& query) {
  SD_TRY(database, Database::open(path, mode));
  SD_TRY(application, database.number("PRAGMA application_id"));
  if (application != kStateApplicationId) return Err(sqlite::Error{SQLITE_NOTADB, ""});
  constexpr Millis kMostWork{10'000};
  constexpr std::size_t kMostBytes = 16U << 20U;
  database.limit_work(kMostWork);
  std::vector<Event> events;
  std::size_t bytes = 0;
  const auto keep = [&](const sqlite::Statement& row) -> sqlite::Status {
    const std::string_view fields = row.text(3);
    bytes += fields.size() + row.text(2).size();
    if (bytes > kMostBytes) return Err(sqlite::Error{SQLITE_TOOBIG, "too large: ask for fewer events"});
    const auto type = parse_event_type(row.text(1));
    if (!type) return Unit{};  // of a later release
    events.push_back({*type, WallTime{Millis{row.integer(0)}}, std::string{row.text(2)},
                      fields_from_json(std::string{fields})});
    return Unit{};
  };
  const WallTime since = query.since.value_or(WallTime{});
  auto done = query.image_id.empty()
                  ? database.each(
                        "SELECT at, type, image, fields FROM events WHERE at >= ?1 ORDER BY id DESC LIMIT ?2",
                        keep, since, query.limit)
                  : database.each(kOfImage, keep, since, query.limit, query.image_id, query.explaining,
                                  query.profile);
  if (!done) return Err(std::move(done).error());
  std::reverse(events.begin(), events.end());
  return events;
}

/// Why the file cannot be opened, and what helps; empty: that is not it.
std::string file_trouble(const std::string& path, std::string_view why_absent) {
  struct stat status {};
  const bool there = ::stat(path.c_str(), &status) == 0;
  if (there && !S_ISREG(status.st_mode)) return "it is not a file";
  if (there && ::access(path.c_str(), R_OK) == 0) return {};
  switch (errno) {
    case ENOENT:
    case ENOTDIR: return "there is no such file; " + std::string{why_absent};
    case EACCES:
    case EPERM: return "permission denied; run this as root or as the user of the daemon";
    default: return std::strerror(errno);
  }
}

std::string database_trouble(const sqlite::Error& error) {
  constexpr int kPrimary = 0xff;  // of an extended result code
  switch (error.code & kPrimary) {
    case SQLITE_NOTADB: return "it is not a state database of share-drift-exporter; see --storage.path";
    case SQLITE_CORRUPT: return error.text + "; the daemon sets it aside when it starts the next time";
    case SQLITE_BUSY: return "another program has locked it; try again";
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
      return "its directory cannot be written, which a database in use needs (" + error.text +
             "); run this as root or as the user of the daemon, or read a copy";
    default: return error.text;
  }
}

/// Closed by who wrote it, and on a read-only mount, where SQLite cannot make the files that it shares with
/// writers.
bool is_at_rest(const std::string& path) {
  struct statvfs mount {};
  struct stat log {};
  const bool read_only = ::statvfs(path.c_str(), &mount) == 0 && (mount.f_flag & ST_RDONLY) != 0;
  return read_only && (::stat((path + "-wal").c_str(), &log) != 0 || log.st_size == 0);
}

}  // namespace

Result<std::vector<Event>, std::string> read_events(const std::string& path, const EventQuery& query,
                                                    std::string_view why_absent) {
  const auto refuse = [&path](const std::string& why) {
    return Err("cannot read " + clean(path) + ": " + why);
  };
  if (const std::string trouble = file_trouble(path, why_absent); !trouble.empty()) return refuse(trouble);
  const auto mode = is_at_rest(path) ? Database::Mode::immutable : Database::Mode::read_only;
  auto events = read(path, mode, query);
  if (!events) return refuse(database_trouble(events.error()));
  return std::move(*events);
}

}  // namespace sharedrift
