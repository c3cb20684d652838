// Walks the hot paths a fixed number of steps, for tests/bench/count.py: `count_bench` prints a line `NAME
// STEPS ALLOCATIONS` for each in the order in which they are walked.
#include "bench/hot_paths.hpp"

#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <new>

namespace {
std::uint64_t allocations = 0;
}

void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc{};
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t /*size*/) noexcept {
  std::free(memory);
}

/// callgrind counts what happens in here and no more, and writes it down at the end of each call: see
/// count.py.
extern "C" [[gnu::noinline]] void walk_counted(const sharedrift::HotPath::Step* step, int steps) {
  for (int i = 0; i < steps; ++i)
    (*step)();
}

int main() try {
  for (const sharedrift::HotPath& path : sharedrift::hot_paths()) {
    if (path.counted_steps == 0) continue;
    const auto step = path.prepare();
    step();  // what is made once and kept
    allocations = 0;
    walk_counted(&step, path.counted_steps);
    std::cout << path.name << ' ' << path.counted_steps << ' ' << allocations << '\n';
  }
  return 0;
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
