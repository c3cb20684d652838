#include "store/event_reader.hpp"

#include "core/text.hpp"
#include "store/state_tables.hpp"
#include "wire/field_json.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace sharedrift {

namespace {

using sqlite::Database;

/// Through a read-only connection of its own.
Result<std::vector<Event>, sqlite::Error> read(const std::string& path, const EventQuery& query) {
  SD_TRY(database, Database::open(path, Database::Mode::read_only));
  SD_TRY(application, database.number("PRAGMA application_id"));
  if (application != StateTables::kApplicationId)
    return Err(sqlite::Error{SQLITE_NOTADB, "not a state database of share-drift-exporter"});
  SD_TRY(rows, database.prepare(
                   "SELECT at, type, image, fields FROM events WHERE (?1 = '' OR image = ?1) AND at >= ?2 "
                   "ORDER BY id DESC LIMIT ?3"));
  rows.bind(0, query.image_id)
      .bind(1, query.since.value_or(WallTime{}).time_since_epoch().count())
      .bind(2, static_cast<std::int64_t>(query.limit));
  std::vector<Event> events;
  while (true) {
    SD_TRY(row, rows.step());
    if (!row) break;
    const auto type = parse_event_type(rows.text(1));
    if (!type) continue;  // of a later release
    events.push_back(
        {*type, WallTime{Millis{rows.integer(0)}}, rows.text(2), fields_from_json(rows.text(3))});
  }
  std::reverse(events.begin(), events.end());
  return events;
}

}  // namespace

Result<std::vector<Event>, std::string> read_events(const std::string& path, const EventQuery& query) {
  auto events = read(path, query);
  if (!events) return Err("cannot read " + clean(path) + ": " + events.error().text);
  return std::move(*events);
}

}  // namespace sharedrift
