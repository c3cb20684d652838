#include "os/process.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <utility>

#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <unistd.h>

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

sigset_t signal_set(std::initializer_list<int> numbers) {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : numbers)
    sigaddset(&set, number);
  return set;
}

int wait_for_signal(const sigset_t& signals, Millis limit) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limit);
  const timespec timeout{seconds.count(), static_cast<long>((limit - seconds).count()) * 1'000'000};
  return sigtimedwait(&signals, nullptr, &timeout);
}

bool take_standard_descriptors() {
  constexpr std::array kStandard{STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
  return std::all_of(kStandard.begin(), kStandard.end(), [](int fd) {
    if (::fcntl(fd, F_GETFD) != -1) return true;
    const int wrong_way = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;
    return ::open("/dev/null", wrong_way) == fd;  // the lowest free one is taken, and that is fd
  });
}

EarlyEnd::EarlyEnd(std::function<void()> last_word)
    : waiting_([last_word = std::move(last_word)] {
        const sigset_t signals = signal_set({SIGTERM, SIGINT, SIGUSR1});
        int number = 0;
        if (::sigwait(&signals, &number) != 0 || number == SIGUSR1) return;
        last_word();
        ::_exit(0);
      }) {}

EarlyEnd::~EarlyEnd() {
  ::pthread_kill(waiting_.native_handle(), SIGUSR1);
}

}  // namespace sharedrift
