#pragma once

#include <cstddef>
#include <initializer_list>
#include <string_view>

namespace sharedrift {

/// Sets how glibc's allocator keeps what was freed, for the process and for good: one burst of large answers,
/// from the API or to clients, must not be the size of the process for ever. Call it before any thread
/// exists.
void keep_heap_small();

/// Gives freed memory back to the kernel, if there is enough of it to be worth the walk over the heap.
/// Thread-safe; other threads that allocate wait meanwhile.
void release_free_heap();

/// Takes the pages of code and constants that the start has touched out of this process's resident set. They
/// stay in the kernel's page cache: what is needed again is mapped again by a minor fault. Worth it
/// when what only a start needs (the dynamic linker's work, the configuration's parser) is over. Thread-safe.
void release_start_pages();

/// The same for the shared libraries whose file names begin with one of `names`: those that are used for a
/// moment now and then. What is always needed would only be mapped again, at up to 20 us for each fault.
void release_pages_of(std::initializer_list<std::string_view> names);

}  // namespace sharedrift
