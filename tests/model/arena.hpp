#pragma once

#include <cstddef>
#include <vector>

/// Memory that can be copied and put back as a whole. What was built in it is then as it was when the copy
/// was made, whatever has happened to it since. A tracker is taken back to a state so, in which many steps
/// are tried. There is one arena. What is built in it may point out of it only to what never changes. Not
/// thread-safe.
namespace sharedrift::testing::arena {

/// As long as one lives, `new` takes from the arena. What is still in it when it is cleared is not destroyed.
class Inside {
 public:
  Inside();
  ~Inside();
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
};

using Copy = std::vector<std::byte>;
void clear();
void copy_to(Copy& copy);
void put_back(const Copy& copy);

}  // namespace sharedrift::testing::arena
