#include "store/event_reader.hpp"

#include "core/text.hpp"
#include "store/state_schema.hpp"
#include "wire/field_json.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <utility>

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace sharedrift {

namespace {

using sqlite::Database;

// Which rows are wanted is asked without what they hold: one that is too large must not hide the others.
constexpr std::string_view kOfAll = "SELECT id FROM events WHERE at >= ?1 ORDER BY id DESC LIMIT ?2";
constexpr std::string_view kOfImage =
    "SELECT id FROM events WHERE image = ?3 AND at >= ?1 ORDER BY id DESC LIMIT ?2";
/// What explains those of an image. Credentials that are renewed as always explain nothing.
const std::string& explaining() {
  static const std::string query = [] {
    std::string types;
    for (const EventSpec& row : event_table()) {
      if (row.kind == EventKind::background)
        types.append(types.empty() ? "'" : ", '").append(to_string(row.type)).append("'");
    }
    return "SELECT id FROM events WHERE image = '' AND at >= ?1 AND id >= ?2 AND type IN (" + types +
           ") ORDER BY id DESC LIMIT ?3";
  }();
  return query;
}
/// Of those so many are looked at: most may be of other profiles.
constexpr std::int64_t kMostLookedAt = 20'000;

/// Longer fields are of nobody's making: the event is shown without them.
constexpr std::size_t kMostOfOne = 64U << 10U;
constexpr std::size_t kMostOfAnswer = 16U << 20U;

/// The events of one answer, by their number, and what they take.
class Found {
 public:
  explicit Found(Database& database) : database_(database) {}

  /// Takes the event in, if it is of `profile` or names none; an empty one is any. True if it did.
  Result<bool, sqlite::Error> add(std::int64_t id, const std::string& profile) {
    std::optional<Event> event;
    std::size_t bytes = 0;
    const auto keep = [&](const sqlite::Statement& row, std::string_view fields) {
      const auto type = parse_event_type(row.text(1));
      if (!type) return;  // of a later release
      event = Event{*type, WallTime{Millis{row.integer(0)}}, std::string{row.text(2)}, {}};
      if (fields.size() <= kMostOfOne) {
        event->fields = fields_from_json(std::string{fields});
      } else {
        event->add("left_out", "fields that are too large to show");
      }
      bytes = std::min(fields.size(), kMostOfOne) + event->image_id.size();
    };
    auto done = database_.each(
        "SELECT at, type, image, fields FROM events WHERE id = ?",
        [&keep](const sqlite::Statement& row) { keep(row, row.text(3)); }, id);
    if (!done && done.error().code == SQLITE_TOOBIG) {
      const std::string too_large(kMostOfOne + 1, ' ');
      done = database_.each(
          "SELECT at, type, image FROM events WHERE id = ?",
          [&](const sqlite::Statement& row) { keep(row, too_large); }, id);
      if (!done && done.error().code == SQLITE_TOOBIG) return false;  // nor does it have a type or an image
    }
    if (!done) return Err(std::move(done).error());
    if (!event) return false;
    const std::string of = event->text("profile");
    if (!profile.empty() && !of.empty() && of != profile) return false;
    bytes_ += bytes;
    if (bytes_ > kMostOfAnswer) return Err(sqlite::Error{SQLITE_TOOBIG, "too large: ask for fewer events"});
    events_.emplace(id, std::move(*event));
    return true;
  }
  [[nodiscard]] std::vector<Event> take() {
    std::vector<Event> events;
    events.reserve(events_.size());
    for (auto& [id, event] : events_)
      events.push_back(std::move(event));
    return events;
  }

 private:
  Database& database_;
  std::map<std::int64_t, Event> events_;
  std::size_t bytes_ = 0;
};

/// Through a connection of its own.
Result<std::vector<Event>, sqlite::Error> read(const std::string& path, Database::Mode mode,
                                               const EventQuery& query) {
  SD_TRY(database, Database::open(path, mode));
  SD_TRY(application, database.number("PRAGMA application_id"));
  if (application != kStateApplicationId) return Err(sqlite::Error{SQLITE_NOTADB, ""});
  constexpr Millis kMostWork{10'000};
  database.limit_work(kMostWork);
  // One moment of the file for all statements: a daemon may be writing it.
  if (auto begun = database.execute("BEGIN"); !begun) return Err(std::move(begun).error());
  Found found(database);
  std::size_t own = 0;
  std::int64_t oldest = 0;
  const auto add = [&](const sqlite::Statement& row) -> sqlite::Status {
    ++own;
    oldest = row.integer(0);
    SD_TRY(added, found.add(oldest, ""));
    static_cast<void>(added);
    return Unit{};
  };
  const WallTime since = query.since.value_or(WallTime{});
  auto done = query.image_id.empty() ? database.each(kOfAll, add, since, query.limit)
                                     : database.each(kOfImage, add, since, query.limit, query.image_id);
  if (!done) return Err(std::move(done).error());
  if (query.image_id.empty() || query.explaining == 0) return found.take();
  constexpr int kEnough = SQLITE_DONE;
  std::size_t left = query.explaining;
  done = database.each(
      explaining(),
      [&](const sqlite::Statement& row) -> sqlite::Status {
        SD_TRY(added, found.add(row.integer(0), query.profile));
        if (added && --left == 0) return Err(sqlite::Error{kEnough, ""});
        return Unit{};
      },
      since, own == query.limit ? oldest : 0, kMostLookedAt);
  if (!done && done.error().code != kEnough) return Err(std::move(done).error());
  return found.take();
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
