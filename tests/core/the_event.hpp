#pragma once

#include "support/fleet.hpp"

#include <algorithm>
#include <cstddef>

#include <gtest/gtest.h>

namespace sharedrift::testing {

/// The event of that type, the first of `count`; a test fails where there are more or fewer.
inline Event the_event(const Step& step, EventType type, std::size_t count = 1) {
  EXPECT_EQ(Fleet::count(step, type), count) << to_string(type);
  const auto found = std::find_if(step.events.begin(), step.events.end(),
                                  [type](const Event& event) { return event.type == type; });
  return found == step.events.end() ? Event{} : *found;
}

}  // namespace sharedrift::testing
