#pragma once

#include "ports.hpp"

#include <condition_variable>
#include <mutex>

namespace sharedrift {

/// The machine's clocks. Thread-safe.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] MonoTime mono() const override { return std::chrono::steady_clock::now(); }
  [[nodiscard]] WallTime wall() const override {
    return std::chrono::floor<Millis>(std::chrono::system_clock::now());
  }
  bool sleep_until(MonoTime when, std::stop_token stop) override {
    std::mutex mutex;
    std::condition_variable_any never;
    // cppcheck-suppress localMutex ; nobody shares it: the wait needs one, the stop token does the waking
    std::unique_lock lock(mutex);
    never.wait_until(lock, stop, when, [] { return false; });
    return !stop.stop_requested();
  }
};

}  // namespace sharedrift
