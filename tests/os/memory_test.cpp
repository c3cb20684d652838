#include "os/memory.hpp"

#include "support/process_status.hpp"
#include "support/sanitized.hpp"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sqlite3.h>

namespace sharedrift {
namespace {

int written = 1;
const std::string kBuiltAtTheStart = "built at the start";

TEST(Memory, PagesOfTheStartAreMappedAgainWhenTheyAreNeeded) {
  written = 2;
  const std::size_t before = testing::process_status("RssFile");
  release_start_pages();
  EXPECT_LT(testing::process_status("RssFile"), before) << "pages of code have left";
  EXPECT_EQ(written, 2) << "what was written has not";
  EXPECT_EQ(kBuiltAtTheStart, "built at the start");
  EXPECT_GT(std::stod("1.5"), 1.0) << "and code comes back";
}

TEST(Memory, PagesOfOneLibraryAreMappedAgainWhenTheyAreNeeded) {
  const auto query = [] { return sqlite3_complete("select 1;"); };
  ASSERT_EQ(query(), 1);
  release_pages_of({"libnobody"});  // what it needs itself is mapped from here on
  const std::size_t before = testing::process_status("RssFile");
  release_pages_of({"libnobody"});
  EXPECT_GE(testing::process_status("RssFile"), before) << "nothing of others has left";
  release_pages_of({"libnobody", "libsqlite3"});
  EXPECT_LT(testing::process_status("RssFile"), before);
  EXPECT_EQ(query(), 1);
}

TEST(Memory, AHeapOfHolesGoesBackToTheKernel) {
  if (testing::kSanitized) GTEST_SKIP() << "a sanitizer has an allocator of its own";
  std::vector<std::unique_ptr<std::string>> blocks(64U << 10U);
  for (auto& block : blocks)
    block = std::make_unique<std::string>(1000, 'x');
  const auto last = std::move(blocks.back());  // glibc gives back the top by itself, and this one holds it
  blocks.clear();
  const std::size_t before = testing::process_status("RssAnon");
  release_free_heap();
  EXPECT_LT(testing::process_status("RssAnon") + (32U << 10U), before);
}

}  // namespace
}  // namespace sharedrift
