#pragma once

namespace sharedrift {

/// Sets how glibc's allocator keeps what was freed, for the process and for good: one burst of large answers,
/// from the API or to clients, must not be the size of the process for ever. Call it before any thread
/// exists.
void keep_heap_small();

/// Gives freed memory back to the kernel, if there is enough of it to be worth the walk over the heap.
/// Thread-safe; other threads that allocate wait meanwhile.
void release_free_heap();

}  // namespace sharedrift
