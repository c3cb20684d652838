#pragma once

#include "support/test_data.hpp"

#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

namespace sharedrift::testing {

/// Compares with tests/data/golden/NAME. When they differ, what came out is left in gtest's directory for
/// temporary files, to be looked at and, if it is right, to be copied over the golden file.
inline void expect_golden(const std::string& name, const std::string& actual) {
  std::ifstream file(test_data("golden") / name, std::ios::binary);
  const std::string expected{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (actual == expected) return;
  const std::string left = ::testing::TempDir() + name + ".actual";
  std::ofstream(left, std::ios::binary) << actual;
  EXPECT_EQ(actual, expected) << "golden/" << name << " differs; what came out is in " << left;
}

}  // namespace sharedrift::testing
