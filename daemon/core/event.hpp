#pragma once

#include "core/enumerators.hpp"
#include "core/time.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace sharedrift {

enum class Level { debug, info, warn, error };
inline constexpr auto kAllLevels = kEnumerators<Level::error>.first;
inline std::string_view to_string(Level level) {
  return enumerator_name<Level::error>(level);
}

/// What the program tells. One event is one log line and, while the state database can be written, one row in
/// it.
enum class EventType {
  // of images
  drift_opened,
  drift_clearing,
  drift_closed,
  drift_flapped,
  listing_incomplete,
  listing_failed,
  listing_recovered,
  image_state_changed,
  exception_expired,
  canary_lost,
  canary_restored,
  // of the fleet
  profile_blind,
  profile_recovered,
  mass_change_held,
  events_left_out,
  monitoring_gap,
  first_run,
  // of a profile's account
  image_discovered,
  image_renamed,
  image_policy_changed,
  image_left,
  images_left_out,
  inventory_incomplete,
  inventory_recovered,
  // of the daemon
  config_reloaded,
  config_rejected,
  config_untrusted,
  config_warning,
  web_config_reloaded,
  web_config_rejected,
  credentials_changed,
  credentials_renewed,
  credentials_warning,
  credentials_recovered,
  state_rejected,
  log_lines_dropped,
  internal_error,
  connections_refused,
  listening,
  started,
  stopping,
  stopped,
};
inline std::string_view to_string(EventType type) {
  return enumerator_name<EventType::stopped>(type);
}

/// What follows for an event from what it is about.
enum class EventKind {
  drift,    ///< an account of an image; bounded (poll/event_budget)
  listing,  ///< what polls of an image bring; bounded, and an outage of a profile says it once for all images
  inventory,   ///< an image came, left or got another name; bounded
  background,  ///< not an image, and shown among the events of images that it explains (store/event_reader)
  other,
};

struct EventSpec {
  EventType type;
  EventKind kind;
  Level level;  ///< of its log line: decided here and nowhere else
  /// Its sentence, with what message_of() puts in for `{...}` and `[...]`.
  std::string_view message;
};
/// The one table of types, in the order of EventType: log, database and tests follow it.
std::span<const EventSpec> event_table();
const EventSpec& spec(EventType type);
/// Knows the names that earlier releases wrote, too. None for a name of a later release.
std::optional<EventType> parse_event_type(std::string_view name);

using FieldValue = std::variant<std::string, std::int64_t, double, bool, WallTime>;
struct Field {
  std::string key;
  FieldValue value;
};

/// Keys are snake_case and unique. Strings were cleaned where they came in; whoever renders escapes them all
/// the same.
struct Event {
  EventType type;
  WallTime at;
  std::string image_id;  ///< empty: not about an image
  std::vector<Field> fields;

  void add(std::string key, FieldValue value) { fields.push_back({std::move(key), std::move(value)}); }
  [[nodiscard]] const FieldValue* find(std::string_view key) const;
  /// The field as text, or "" where it is absent.
  [[nodiscard]] std::string text(std::string_view key) const;
};

std::string to_text(const FieldValue& value);

/// What happened, to what, and what to do about it, in one sentence for people, by the type's pattern:
///   {key}             the field; `image` and `account` are shown with their names where they have one
///   {key:noun}        a number of things: `1 image`, `2 images`
///   [text]            left out where the event lacks a field that is named in it
///   [key=value|text]  left out where the field says something else
std::string message_of(const Event& event);

/// The whole of what log, history and JSON API say of an event: ts, level, event, msg, image_id where it is
/// about an image, then its own fields.
std::vector<Field> record_of(const Event& event);

}  // namespace sharedrift
