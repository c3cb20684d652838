#pragma once

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

namespace sharedrift::testing {

/// The bytes of a file; a file that cannot be read fails the test.
inline std::string read_file(const std::filesystem::path& file) {
  const std::ifstream in(file, std::ios::binary);
  EXPECT_TRUE(in) << file;
  // Not istreambuf_iterator: g++ 12 warns of null pointers inside it when it optimises.
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

}  // namespace sharedrift::testing
