#include "core/event.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace sharedrift {

namespace {

constexpr std::array<EventSpec, kEventTypeCount> kTable{{
    {EventType::drift_opened, "drift_opened", Level::error},
    {EventType::drift_clearing, "drift_clearing", Level::info},
    {EventType::drift_closed, "drift_closed", Level::info},
    {EventType::drift_flapped, "drift_flapped", Level::warn},
    {EventType::listing_incomplete, "listing_incomplete", Level::warn},
    {EventType::listing_failed, "listing_failed", Level::warn},
    {EventType::listing_recovered, "listing_recovered", Level::info},
    {EventType::image_state_changed, "image_state_changed", Level::info},
    {EventType::exception_expired, "exception_expired", Level::warn},
    {EventType::canary_lost, "canary_lost", Level::error},
    {EventType::canary_restored, "canary_restored", Level::info},
    {EventType::mass_change_held, "mass_change_held", Level::warn},
    {EventType::monitoring_gap, "monitoring_gap", Level::warn},
    {EventType::first_run, "first_run", Level::info},
    {EventType::config_reloaded, "config_reloaded", Level::info},
    {EventType::config_rejected, "config_rejected", Level::error},
    {EventType::state_rejected, "state_rejected", Level::error},
    {EventType::started, "started", Level::info},
    {EventType::stopping, "stopping", Level::info},
    {EventType::stopped, "stopped", Level::info},
}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (kTable.at(i).type != static_cast<EventType>(i) || kTable.at(i).name.empty()) return false;
  }
  return true;
}
static_assert(in_order(), "a row for each type, in the order of the types");

}  // namespace

std::span<const EventSpec> event_table() {
  return kTable;
}

const EventSpec& spec(EventType type) {
  return kTable.at(static_cast<std::size_t>(type));
}

std::optional<EventType> parse_event_type(std::string_view name) {
  if (name == "poll_failed") return EventType::listing_failed;  // its name in 0.1.0
  const auto row =
      std::find_if(kTable.begin(), kTable.end(), [name](const EventSpec& s) { return s.name == name; });
  return row == kTable.end() ? std::nullopt : std::optional{row->type};
}

std::string_view to_string(Level level) {
  switch (level) {
    case Level::debug: return "debug";
    case Level::info: return "info";
    case Level::warn: return "warn";
    case Level::error: return "error";
  }
  return "error";
}

const FieldValue* Event::find(std::string_view key) const {
  const auto found =
      std::find_if(fields.begin(), fields.end(), [key](const Field& f) { return f.key == key; });
  return found == fields.end() ? nullptr : &found->value;
}

std::string Event::text(std::string_view key) const {
  const FieldValue* value = find(key);
  return value == nullptr ? std::string{} : to_text(*value);
}

std::string to_text(const FieldValue& value) {
  struct Render {
    std::string operator()(const std::string& v) const { return v; }
    std::string operator()(std::int64_t v) const { return std::to_string(v); }
    std::string operator()(double v) const {
      std::array<char, 32> buffer{};
      const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), v);
      return {buffer.data(), end.ptr};
    }
    std::string operator()(bool v) const { return v ? "true" : "false"; }
    std::string operator()(WallTime v) const { return format_rfc3339(v); }
  };
  return std::visit(Render{}, value);
}

}  // namespace sharedrift
