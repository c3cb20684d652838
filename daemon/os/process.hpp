#pragma once

#include "core/time.hpp"

#include <csignal>
#include <functional>
#include <initializer_list>
#include <thread>

namespace sharedrift {

/// Sets how glibc's allocator keeps what was freed, for the process and for good: one burst of large answers,
/// from the API or to clients, must not be the size of the process for ever. Call it before any thread
/// exists.
void keep_heap_small();

/// Gives freed memory back to the kernel, if there is enough of it to be worth the walk over the heap.
/// Thread-safe; other threads that allocate wait meanwhile.
void release_free_heap();

/// The set of these signal numbers, which are the system's.
sigset_t signal_set(std::initializer_list<int> numbers);

/// One of `signals`, which every thread must have blocked, or -1 when none came within `limit`.
int wait_for_signal(const sigset_t& signals, Millis limit);

/// Takes those of the descriptors 0 to 2 that are closed, so that no file or socket opened later becomes the
/// standard input, the report or the log. Reads from such a 0 and writes to such a 1 or 2 still fail, as they
/// did before: a report that nobody can read must not count as written. False if /dev/null cannot be opened.
/// Call it before anything else.
bool take_standard_descriptors();

/// As long as it exists, SIGTERM and SIGINT end the process at once, with status 0: `last_word` is said
/// first, on a thread of its own. For a start that takes long, before there is anything to save. Both signals
/// and SIGUSR1 must be blocked.
class EarlyEnd {
 public:
  explicit EarlyEnd(std::function<void()> last_word);
  EarlyEnd(const EarlyEnd&) = delete;
  EarlyEnd& operator=(const EarlyEnd&) = delete;
  ~EarlyEnd();

 private:
  std::jthread waiting_;
};

}  // namespace sharedrift
