#pragma once

#include "core/event.hpp"
#include "core/result.hpp"
#include "core/time.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sharedrift {

/// Which of the recorded events: newest last.
struct EventQuery {
  std::string image_id;           ///< empty: of all images and of the daemon
  std::optional<WallTime> since;  ///< events at or after
  std::size_t limit = 1000;       ///< the newest that many
  /// With an image: as well so many of the newest that explain its own and name no image, of its profile and
  /// of the daemon (why nobody could see, which key or configuration came), no older than its own where those
  /// are cut.
  std::size_t explaining = 0;
  std::string profile{};  ///< the image's, for what explains; empty: of any profile
};

/// Reads events from a state database, also one that a daemon is writing. The error is for people;
/// `why_absent` is what it says where there is no such file.
Result<std::vector<Event>, std::string> read_events(
    const std::string& path, const EventQuery& query,
    std::string_view why_absent = "the daemon has not run yet, or its --storage.path is another one");

}  // namespace sharedrift
