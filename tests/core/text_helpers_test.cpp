#include "core/text.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace sharedrift {
namespace {

TEST(Text, JoinsTextsThatAreEmptyToo) {
  const auto join = [](const std::vector<std::string>& texts) { return joined(texts, ","); };
  EXPECT_EQ(join({}), "");
  EXPECT_EQ(join({"a"}), "a");
  EXPECT_EQ(join({"a", "b", "c"}), "a,b,c");
  EXPECT_EQ(join({"", "a"}), ",a");
  EXPECT_EQ(join({"a", "", "b"}), "a,,b");
  EXPECT_EQ(join({"", ""}), ",");
}

}  // namespace
}  // namespace sharedrift
