#pragma once

#include "config/config_loader.hpp"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

namespace sharedrift {

/// What is wrong with it, a line each.
inline std::string told(const ConfigResult& config) {
  std::string out;
  if (!config) {
    for (const Diagnostic& d : config.error())
      out += to_string(d) + "\n";
  }
  return out;
}

/// All but the hash of the bytes.
inline void expect_same(const Config& a, const Config& b, const std::string& yaml) {
  EXPECT_EQ(a.profiles, b.profiles) << yaml;
  EXPECT_EQ(a.poll, b.poll) << yaml;
  EXPECT_EQ(a.account_names, b.account_names) << yaml;
  EXPECT_EQ(a.inventory, b.inventory) << yaml;
  EXPECT_EQ(a.discover, b.discover) << yaml;
  EXPECT_EQ(a.ignored, b.ignored) << yaml;
  EXPECT_TRUE(std::equal(a.images.begin(), a.images.end(), b.images.begin(), b.images.end(),
                         [](const auto& x, const auto& y) { return *x == *y; }))
      << yaml;
}

}  // namespace sharedrift
