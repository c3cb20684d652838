#include "os/signals.hpp"

#include <chrono>
#include <ctime>

namespace sharedrift {

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

}  // namespace sharedrift
