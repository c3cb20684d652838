#include "config/yaml_reader.hpp"

#include <string>

#include <gtest/gtest.h>

namespace sharedrift {
namespace {

TEST(Nearest, OfTwoNamesThatAreEquallyNearTheFirstIsProposed) {
  EXPECT_EQ(nearest("alowed", {"allowed", "alowedx"}), "allowed");
  EXPECT_EQ(nearest("alowedx", {"far", "allowedx", "alowed"}), "allowedx");
  EXPECT_EQ(nearest("ab", {"a", "abc"}), "abc")
      << "one that would be new from its first letter is no proposal";
  EXPECT_EQ(nearest("xyz", {"allowed"}), "");
  const std::string longest(64, 'x');
  EXPECT_EQ(nearest(longest, {longest.substr(1)}), longest.substr(1));
  EXPECT_EQ(nearest(longest + "x", {longest}), "") << "a longer one costs too much to compare";
}

TEST(Nearest, ALongerWordMayBeFurtherFromWhatWasMeant) {
  struct Row {
    const char* word;
    const char* near;
    const char* far;
  };
  for (const Row& row :
       {Row{"abc", "abX", "aXY"}, Row{"abcd", "abXY", "aXYZ"}, Row{"abcdefgh", "abcdefXY", "abcdeXYZ"},
        Row{"abcdefghi", "abcdefXYZ", "abcdeWXYZ"}}) {
    EXPECT_EQ(nearest(row.word, {row.near}), row.near);
    EXPECT_EQ(nearest(row.word, {row.far}), "") << row.far;
  }
}

}  // namespace
}  // namespace sharedrift
