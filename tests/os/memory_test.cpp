#include "os/process.hpp"
#include "support/process_status.hpp"
#include "support/sanitized.hpp"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace sharedrift {
namespace {

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
