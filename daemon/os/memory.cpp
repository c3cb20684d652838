#include "os/memory.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

namespace sharedrift {

namespace {

constexpr int kArenas = 2;
/// From this size on an allocation is mapped by itself: what of it is never written is no memory.
constexpr int kMappedBlock = 1 << 20;
constexpr int kFreeAtTop = 2 << 20;
/// malloc_trim() reads every free block there is: for less than this it costs more than it brings.
constexpr std::size_t kWorthTheWalk = 1U << 20U;

using Names = std::initializer_list<std::string_view>;

bool is_one_of(std::string_view path, const Names& names) {
  const std::string_view file = path.substr(path.rfind('/') + 1);
  return std::any_of(names.begin(), names.end(), [file](auto name) { return file.starts_with(name); });
}

/// `names`: a Names, or null for every object.
int release_segments(dl_phdr_info* object, std::size_t /*size*/, void* names) {
  if (names != nullptr && !is_one_of(object->dlpi_name, *static_cast<const Names*>(names))) return 0;
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const auto& segment = object->dlpi_phdr[i];
    // What can be written is this process's own, and would be lost. Relocated constants are in such a
    // segment.
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
    const std::uintptr_t begin = (object->dlpi_addr + segment.p_vaddr) / page * page;
    const std::uintptr_t end = object->dlpi_addr + segment.p_vaddr + segment.p_filesz;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the linker tells addresses as numbers
    ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
  }
  return 0;
}

}  // namespace

void keep_heap_small() {
  ::mallopt(M_ARENA_MAX, kArenas);
  ::mallopt(M_MMAP_THRESHOLD, kMappedBlock);
  ::mallopt(M_TRIM_THRESHOLD, kFreeAtTop);
}

void release_free_heap() {
  if (::mallinfo2().fordblks > kWorthTheWalk) ::malloc_trim(0);
}

void release_start_pages() {
  ::dl_iterate_phdr(&release_segments, nullptr);
}

void release_pages_of(std::initializer_list<std::string_view> names) {
  ::dl_iterate_phdr(&release_segments, &names);
}

}  // namespace sharedrift
