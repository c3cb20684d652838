#include "model_depth.hpp"

#include <cstdlib>
#include <string_view>

#include <gtest/gtest.h>

namespace {
int depth = 6;
}  // namespace

int sharedrift::testing::model_depth() {
  return depth;
}

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  for (int i = 1; i < argc; ++i) {
    constexpr std::string_view kDepth = "--depth=";
    const std::string_view argument = argv[i];
    if (argument.starts_with(kDepth)) depth = std::atoi(argument.substr(kDepth.size()).data());
  }
  return RUN_ALL_TESTS();
}
