#pragma once

#include "core/event.hpp"
#include "core/ids.hpp"

#include <memory>
#include <vector>

namespace sharedrift {

struct ImageView;

/// What a step of the tracker brought.
struct Step {
  struct Change {
    std::shared_ptr<const ImageView> view;  ///< to publish anew; never null
    bool urgent;  ///< more than times and poll counters changed: its record must not be lost
  };
  std::vector<Event> events;
  std::vector<Change> changed;   ///< in the order in which it came; of an image twice, the later counts
  std::vector<ImageId> removed;  ///< no longer watched
};

}  // namespace sharedrift
