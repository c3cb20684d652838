#pragma once

#include "core/non_copyable.hpp"
#include "core/time.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

namespace sharedrift {

/// What a loop is to do later, in order of time; what is set for the same moment, in the order in which it
/// was set. The loop waits until next() and calls run_due(). Pure: time is an argument. Not thread-safe.
class TimerQueue : NonCopyable {
  using Key = std::pair<MonoTime, std::uint64_t>;  ///< when, and the how manieth timer it is

 public:
  /// Keeps a callback set; when it goes or is replaced, the callback is not called any more. It must not
  /// outlive the queue.
  class Timer {
   public:
    Timer() = default;
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;
    Timer(Timer&& other) noexcept
        : queue_(std::exchange(other.queue_, nullptr)), key_(std::move(other.key_)) {}
    Timer& operator=(Timer&& other) noexcept {
      cancel();
      queue_ = std::exchange(other.queue_, nullptr);
      key_ = std::move(other.key_);
      return *this;
    }
    ~Timer() { cancel(); }
    void cancel() noexcept {
      if (queue_ != nullptr) queue_->callbacks_.erase(key_);
      queue_ = nullptr;
    }
    /// When the callback is to be called; MonoTime::max() if there is none, or it was called.
    [[nodiscard]] MonoTime when() const {
      return queue_ != nullptr && queue_->callbacks_.contains(key_) ? key_.first : MonoTime::max();
    }

   private:
    friend class TimerQueue;
    Timer(TimerQueue& queue, Key key) : queue_(&queue), key_(std::move(key)) {}
    TimerQueue* queue_ = nullptr;
    Key key_;
  };

  /// Has `callback` called by run_due() at `when` or later, once. MonoTime::max(): never.
  [[nodiscard]] Timer at(MonoTime when, std::function<void()> callback);
  /// When the first callback is due; MonoTime::max() if there is none.
  [[nodiscard]] MonoTime next() const;
  /// Calls back all that is due at `now`, also what callbacks set for `now` or earlier.
  void run_due(MonoTime now);

 private:
  std::map<Key, std::function<void()>> callbacks_;
  std::uint64_t set_ = 0;  ///< timers, ever
};

}  // namespace sharedrift
