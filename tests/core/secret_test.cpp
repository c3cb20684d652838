// A secret must not be seen, neither in what is printed nor in memory that is given back.
#include "core/secret.hpp"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>
#include <malloc.h>

namespace {

/// What is given back, as far as new[] and delete[] tell.
struct GivenBack {
  int arrays = 0;  ///< that live
  int unwiped = 0;
};
GivenBack& memory() {
  static GivenBack now;
  return now;
}

void give_back(void* array) noexcept {
  if (array == nullptr) return;
  --memory().arrays;
  const std::string_view text(static_cast<const char*>(array), ::malloc_usable_size(array));
  if (text.find("hunter") != std::string_view::npos) ++memory().unwiped;
  std::free(array);
}

}  // namespace

void* operator new[](std::size_t size) {
  ++memory().arrays;
  if (void* array = std::malloc(size)) return array;
  throw std::bad_alloc();
}
void operator delete[](void* array) noexcept {
  give_back(array);
}
void operator delete[](void* array, std::size_t /*size*/) noexcept {
  give_back(array);
}

namespace sharedrift {
namespace {

TEST(Secret, NeverPrintsItself) {
  const Secret secret("hunter2");
  std::ostringstream out;
  out << secret << Secret();
  EXPECT_EQ(out.str(), "<secret><empty>");
  EXPECT_EQ(secret.reveal(), "hunter2");
}

TEST(Secret, IsEqualByEveryCharacter) {
  EXPECT_TRUE(Secret("hunter2") == Secret("hunter2"));
  for (const char* other : {"", "hunter", "hunter3", "Hunter2", "hunter22"})
    EXPECT_FALSE(Secret("hunter2") == Secret(other)) << other;
  EXPECT_TRUE(Secret() == Secret(""));
}

TEST(Secret, LeavesNothingWhereItWas) {
  const GivenBack before = memory();
  {
    Secret first("hunter2");
    Secret copy = first;
    EXPECT_EQ(copy.reveal(), "hunter2");
    copy = Secret("hunter3");
    EXPECT_EQ(copy.reveal(), "hunter3");
    first = std::move(copy);
    EXPECT_EQ(first.reveal(), "hunter3");
    EXPECT_TRUE(
        copy.empty());  // NOLINT(bugprone-use-after-move,clang-analyzer-cplusplus.Move): that is the point
    const Secret moved = std::move(first);
    EXPECT_EQ(moved.reveal(), "hunter3");
    EXPECT_TRUE(
        first.empty());  // NOLINT(bugprone-use-after-move,clang-analyzer-cplusplus.Move): that is the point
    copy = moved;
    const Secret& same = copy;
    copy = same;
    EXPECT_EQ(copy.reveal(), "hunter3") << "an assignment to itself changes nothing";
  }
  EXPECT_EQ(memory().arrays, before.arrays);
  EXPECT_EQ(memory().unwiped, before.unwiped);
}

TEST(Secret, ATextIsWipedInItsPlace) {
  std::string text(100, 'x');
  const char* place = text.data();
  wipe(text);
  EXPECT_TRUE(text.empty());
  EXPECT_EQ(std::count(place, place + 100, 'x'), 0);
}

}  // namespace
}  // namespace sharedrift
