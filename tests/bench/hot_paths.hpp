#pragma once

#include <functional>
#include <string>
#include <vector>

namespace sharedrift {

/// What the daemon does most, each ready to be walked alone: micro.cpp takes the time of a step, count.cpp
/// has valgrind count its instructions.
struct HotPath {
  using Step = std::function<void()>;  ///< throws std::runtime_error if its result is wrong
  std::string name;                    ///< `what/size`
  int counted_steps = 0;               ///< where instructions are counted; 0: they are not
  std::function<Step()> prepare;
};

std::vector<HotPath> hot_paths();

}  // namespace sharedrift
