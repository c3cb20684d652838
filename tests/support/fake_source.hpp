#pragma once

#include "core/inventory.hpp"
#include "core/listing.hpp"
#include "core/timer_queue.hpp"
#include "support/fakes.hpp"

#include <algorithm>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

namespace sharedrift::testing {

/// Answers after a latency, at most `concurrency` at a time, by a script.
class FakeShareSource final : public ShareSource {
 public:
  using Script = std::function<Observation(const ImageId&)>;
  FakeShareSource(ManualClock& clock, TimerQueue& timers, Script script, Millis latency,
                  std::size_t concurrency)
      : clock_(clock),
        timers_(timers),
        script_(std::move(script)),
        latency_(latency),
        concurrency_(concurrency) {}
  void fetch(const ImageId& image, IsOurs /*is_ours*/, MonoTime /*deadline*/, FetchDone done) override {
    waiting_.emplace(image, std::move(done));
    max_waiting = std::max(max_waiting, waiting_.size() + flying_.size());
    start();
  }
  void walk(MonoTime deadline, WalkDone done) override {
    patience = std::chrono::duration_cast<Millis>(deadline - clock_.mono());
    walks_.push_back(timers_.at(clock_.mono() + latency_, [this, done = std::move(done)] {
      ++walks;
      done(inventory);
    }));
  }
  void on_wake() override {}
  /// Polls under way have seen `rows_so_far`.
  void break_off(const Failure& why) override {
    Observation seen;
    seen.accounts = rows_so_far;
    seen.pages = 1;
    seen.failure = why;
    seen.started = clock_.wall();
    while (!rows_so_far.empty() && !flying_.empty()) {
      const FetchDone done = std::move(flying_.front().done);
      flying_.pop();
      done(seen);
    }
  }
  /// Forgets what is under way.
  void drop() {
    waiting_ = {};
    flying_ = {};
    walks_.clear();
  }

  InventoryListing inventory;  ///< what a walk brings
  std::vector<AccountId> rows_so_far;
  std::size_t walks = 0;
  Millis patience{};  ///< how long the last walk may take
  std::vector<ImageId> asked;
  std::size_t max_waiting = 0;

 private:
  struct Flight {
    ImageId image;
    FetchDone done;
    TimerQueue::Timer over;
  };
  void start() {
    while (!waiting_.empty() && flying_.size() < concurrency_) {
      auto& [image, done] = waiting_.front();
      flying_.push({image, std::move(done), timers_.at(clock_.mono() + latency_, [this] { land(); })});
      waiting_.pop();
    }
  }
  void land() {
    const Flight flight = std::move(flying_.front());
    flying_.pop();
    start();
    asked.push_back(flight.image);
    flight.done(script_(flight.image));
  }
  ManualClock& clock_;
  TimerQueue& timers_;
  Script script_;
  Millis latency_;
  std::size_t concurrency_;
  std::queue<std::pair<ImageId, FetchDone>> waiting_;
  std::queue<Flight> flying_;
  std::vector<TimerQueue::Timer> walks_;
};

}  // namespace sharedrift::testing
