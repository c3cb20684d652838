#pragma once

#include "core/event.hpp"
#include "ports.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace sharedrift::testing {

/// Keeps what it is told.
class RecordingSink final : public EventSink {
 public:
  void on_event(const Event& event) noexcept override { events.push_back(event); }
  [[nodiscard]] std::size_t count(EventType type) const {
    return static_cast<std::size_t>(
        std::count_if(events.begin(), events.end(), [type](const Event& e) { return e.type == type; }));
  }
  std::vector<Event> events;
};

}  // namespace sharedrift::testing
