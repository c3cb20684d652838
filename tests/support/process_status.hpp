#pragma once

#include <cstddef>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace sharedrift::testing {

/// A number of this process from /proc/self/status by the name of its line, sizes in KiB.
inline std::size_t process_status(std::string_view name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name) && line[name.size()] == ':') return std::stoul(line.substr(name.size() + 1));
  }
  throw std::runtime_error("/proc/self/status has no " + std::string(name));
}

}  // namespace sharedrift::testing
