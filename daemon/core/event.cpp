#include "core/event.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace sharedrift {

std::string_view to_string(EventType type) {
  switch (type) {
    case EventType::drift_opened: return "drift_opened";
    case EventType::drift_clearing: return "drift_clearing";
    case EventType::drift_closed: return "drift_closed";
    case EventType::drift_flapped: return "drift_flapped";
    case EventType::listing_incomplete: return "listing_incomplete";
    case EventType::listing_recovered: return "listing_recovered";
    case EventType::image_state_changed: return "image_state_changed";
    case EventType::mass_change_held: return "mass_change_held";
    case EventType::monitoring_gap: return "monitoring_gap";
    case EventType::first_run: return "first_run";
    case EventType::exception_expired: return "exception_expired";
    case EventType::config_reloaded: return "config_reloaded";
    case EventType::config_rejected: return "config_rejected";
    case EventType::state_rejected: return "state_rejected";
    case EventType::canary_lost: return "canary_lost";
    case EventType::canary_restored: return "canary_restored";
    case EventType::poll_failed: return "poll_failed";
    case EventType::started: return "started";
    case EventType::stopping: return "stopping";
    case EventType::stopped: return "stopped";
  }
  return "unknown";
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

Level level_of(EventType type) {
  switch (type) {
    case EventType::drift_opened:
    case EventType::config_rejected:
    case EventType::state_rejected:
    case EventType::canary_lost: return Level::error;
    case EventType::drift_flapped:
    case EventType::listing_incomplete:
    case EventType::mass_change_held:
    case EventType::monitoring_gap:
    case EventType::exception_expired:
    case EventType::poll_failed: return Level::warn;
    case EventType::drift_clearing:
    case EventType::drift_closed:
    case EventType::listing_recovered:
    case EventType::image_state_changed:
    case EventType::first_run:
    case EventType::config_reloaded:
    case EventType::canary_restored:
    case EventType::started:
    case EventType::stopping:
    case EventType::stopped: return Level::info;
  }
  return Level::error;
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
