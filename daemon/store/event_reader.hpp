#pragma once

#include "core/event.hpp"
#include "core/result.hpp"
#include "core/time.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace sharedrift {

/// Which of the recorded events: newest last.
struct EventQuery {
  std::string image_id;           ///< empty: of all images and of the daemon
  std::optional<WallTime> since;  ///< events at or after
  std::size_t limit = 1000;       ///< the newest that many
};

/// Reads events from a state database, also one that a daemon is writing. The error is for people.
Result<std::vector<Event>, std::string> read_events(const std::string& path, const EventQuery& query);

}  // namespace sharedrift
