#pragma once

#include "core/listing.hpp"
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
  FakeShareSource(ManualClock& clock, Script script, Millis latency, std::size_t concurrency)
      : clock_(clock), script_(std::move(script)), latency_(latency), concurrency_(concurrency) {}
  void fetch(const ImageId& image, bool /*had_accounts*/, MonoTime /*deadline*/, FetchDone done) override {
    waiting_.emplace(image, std::move(done));
    max_waiting = std::max(max_waiting, waiting_.size() + flying_.size());
  }
  void pump(Instant now) override {
    while (!flying_.empty() && flying_.front().when <= now.mono) {
      Flight flight = std::move(flying_.front());
      flying_.pop();
      asked.push_back(flight.image);
      flight.done(script_(flight.image));
    }
    while (!waiting_.empty() && flying_.size() < concurrency_) {
      flying_.push({clock_.mono() + latency_, waiting_.front().first, std::move(waiting_.front().second)});
      waiting_.pop();
    }
  }
  [[nodiscard]] MonoTime next_wake() const override {
    return flying_.empty() ? MonoTime::max() : flying_.front().when;
  }

  std::vector<ImageId> asked;
  std::size_t max_waiting = 0;

 private:
  struct Flight {
    MonoTime when;
    ImageId image;
    FetchDone done;
  };
  ManualClock& clock_;
  Script script_;
  Millis latency_;
  std::size_t concurrency_;
  std::queue<std::pair<ImageId, FetchDone>> waiting_;
  std::queue<Flight> flying_;
};

}  // namespace sharedrift::testing
