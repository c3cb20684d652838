#include "arena.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <new>

namespace sharedrift::testing::arena {

namespace {

constexpr std::size_t kAlign = 16;
constexpr std::size_t kSize = 4 << 20;

/// Before each block. What is given back is kept for the next of its class: a power of two, or 16 times it.
struct Block {
  alignas(kAlign) std::size_t kind;
  Block* next;
};

/// At the beginning of the arena, so that it is copied with it.
struct Books {
  std::size_t used;
  std::array<Block*, 128> given_back;
};

alignas(kAlign) std::array<std::byte, kSize> memory;
int inside = 0;
constexpr std::size_t kSmall = 64;  ///< classes of 16 bytes more each

Books& books() {
  return *reinterpret_cast<Books*>(memory.data());
}

void* take(std::size_t size) {
  std::size_t kind = size / kAlign;
  std::size_t whole = (kind + 1) * kAlign;
  if (kind >= kSmall) {
    whole = std::bit_ceil(size);
    kind = kSmall + static_cast<std::size_t>(std::countr_zero(whole));
  }
  Block*& free = books().given_back.at(kind);
  Block* block = free;
  if (block != nullptr) {
    free = block->next;
  } else {
    if (books().used + sizeof(Block) + whole > kSize) std::abort();
    block = new (memory.data() + books().used) Block{kind, nullptr};
    books().used += sizeof(Block) + whole;
  }
  return block + 1;
}

bool holds(const void* place) {
  return place >= memory.data() && place < memory.data() + kSize;
}

void give_back(void* place) {
  Block* block = static_cast<Block*>(place) - 1;
  Block*& free = books().given_back.at(block->kind);
  block->next = free;
  free = block;
}

}  // namespace

Inside::Inside() {
  ++inside;
}
Inside::~Inside() {
  --inside;
}

void clear() {
  books() = {};
  books().used = (sizeof(Books) + kAlign - 1) / kAlign * kAlign;
}
void copy_to(Copy& copy) {
  copy.assign(memory.begin(), memory.begin() + static_cast<std::ptrdiff_t>(books().used));
}
void put_back(const Copy& copy) {
  std::copy(copy.begin(), copy.end(), memory.begin());
}

}  // namespace sharedrift::testing::arena

namespace arena = sharedrift::testing::arena;

void* operator new(std::size_t size) {
  void* place = arena::inside > 0 ? arena::take(size) : std::malloc(std::max<std::size_t>(size, 1));
  if (place == nullptr) throw std::bad_alloc();
  return place;
}
void operator delete(void* place) noexcept {
  if (arena::holds(place)) {
    arena::give_back(place);
  } else {
    std::free(place);
  }
}
void operator delete(void* place, std::size_t) noexcept {
  operator delete(place);
}
