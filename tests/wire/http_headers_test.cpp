#include "wire/http_headers.hpp"

#include <gtest/gtest.h>

namespace sharedrift {
namespace {

TEST(HttpHeaders, FindTheFirstOfANameWhateverItsCase) {
  HttpHeaders headers{{"Date", "today"}, {"x-empty", ""}};
  headers.add("DATE", "tomorrow");
  EXPECT_EQ(headers.find("date"), "today");
  EXPECT_EQ(headers.find("X-Empty"), "");
  EXPECT_EQ(headers.find("dat"), std::nullopt);
  EXPECT_EQ(headers.size(), 3U);
}

}  // namespace
}  // namespace sharedrift
