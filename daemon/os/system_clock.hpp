#pragma once

#include "ports.hpp"

#include <algorithm>
#include <condition_variable>
#include <ctime>
#include <mutex>
#include <utility>

namespace sharedrift {

/// The time since the machine was started, the time that it slept included: knowledge ages while it sleeps.
inline MonoTime boot_now() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return MonoTime{std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec}};
}

/// Tells that the machine slept: waits go by a clock that stands still meanwhile. Not thread-safe.
class MachineSleep {
 public:
  /// Since the last call, or since this was made.
  bool ended() {
    const auto before = std::exchange(asleep_, so_far());
    return asleep_ - before > std::chrono::seconds{1};
  }

 private:
  static MonoTime::duration so_far() { return boot_now() - std::chrono::steady_clock::now(); }
  MonoTime::duration asleep_ = so_far();
};

/// The machine's clocks. Thread-safe.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] MonoTime mono() const override { return boot_now(); }
  [[nodiscard]] WallTime wall() const override {
    return std::chrono::floor<Millis>(std::chrono::system_clock::now());
  }
  /// Waits are not shortened while the machine sleeps: 30 s after it woke they are seen to be over at the
  /// latest.
  bool sleep_until(MonoTime when, std::stop_token stop) override {
    std::mutex mutex;
    std::condition_variable_any never;
    // cppcheck-suppress localMutex ; nobody shares it: the wait needs one, the stop token does the waking
    std::unique_lock lock(mutex);
    while (!stop.stop_requested() && mono() < when) {
      const auto left = std::min<MonoTime::duration>(when - mono(), std::chrono::seconds{30});
      never.wait_for(lock, stop, left, [] { return false; });
    }
    return !stop.stop_requested();
  }
};

}  // namespace sharedrift
