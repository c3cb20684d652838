#include "os/memory.hpp"

#include <cstddef>

#include <malloc.h>

namespace sharedrift {

namespace {

constexpr int kArenas = 2;
/// From this size on an allocation is mapped by itself: what of it is never written is no memory.
constexpr int kMappedBlock = 1 << 20;
constexpr int kFreeAtTop = 2 << 20;
/// malloc_trim() reads every free block there is: for less than this it costs more than it brings.
constexpr std::size_t kWorthTheWalk = 1U << 20U;

}  // namespace

void keep_heap_small() {
  ::mallopt(M_ARENA_MAX, kArenas);
  ::mallopt(M_MMAP_THRESHOLD, kMappedBlock);
  ::mallopt(M_TRIM_THRESHOLD, kFreeAtTop);
}

void release_free_heap() {
  if (::mallinfo2().fordblks > kWorthTheWalk) ::malloc_trim(0);
}

}  // namespace sharedrift
