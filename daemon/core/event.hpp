#pragma once

#include "core/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace sharedrift {

/// One event is one log line and, while the state database can be written, one row in it.
enum class EventType {
  drift_opened,
  drift_clearing,
  drift_closed,
  drift_flapped,
  listing_incomplete,
  listing_recovered,
  image_state_changed,
  mass_change_held,
  monitoring_gap,
  first_run,
  exception_expired,
  config_reloaded,
  config_rejected,
  state_rejected,
  canary_lost,
  canary_restored,
  poll_failed,
  started,
  stopping,
  stopped,
};
std::string_view to_string(EventType type);

enum class Level { debug, info, warn, error };
std::string_view to_string(Level level);
/// The level an event is logged at: decided here and nowhere else.
Level level_of(EventType type);

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

}  // namespace sharedrift
