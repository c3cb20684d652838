#pragma once

#include "core/schedule.hpp"
#include "core/tracker.hpp"
#include "ports.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace sharedrift {

/// Told what the poll thread did. Called on that thread (and, before it runs, on the thread that starts it).
class PollListener {
 public:
  PollListener() = default;
  PollListener(const PollListener&) = delete;
  PollListener& operator=(const PollListener&) = delete;
  virtual ~PollListener() = default;
  virtual void on_view(std::shared_ptr<const ImageView> view) = 0;
  virtual void on_removed(const ImageId& image) = 0;
  virtual void on_attempt(const ImageId& image, const Observation& seen) = 0;
  virtual void on_overruns(std::uint64_t periods) = 0;
  virtual void on_totals(const Tracker& tracker) = 0;  ///< after every step
};

/// Carries a tracker's step to where it is seen: events to the sink, views to the listener, records to the
/// store. One event is one line and one row: those of an image travel with its record, the others alone.
///
/// News is saved at once. Times and attempt counters, which change with every listing, are saved within half
/// a minute.
class StepPublisher {
 public:
  StepPublisher(EventSink& sink, StateStore& store, PollListener& listener)
      : sink_(sink), store_(store), listener_(listener) {}
  void publish(const Step& step, const Tracker& tracker, Instant now);
  /// Saves what is due of that which was not news; call at next_save() or later.
  void save_due(Tracker& tracker, MonoTime now);
  /// Saves all of it, as before an end.
  void save_all(Tracker& tracker);
  [[nodiscard]] MonoTime next_save() const { return next_save_; }

 private:
  EventSink& sink_;
  StateStore& store_;
  PollListener& listener_;
  MonoTime next_save_ = MonoTime::max();
};

/// One profile as the poller sees it.
struct PollLane {
  ShareSource* source = nullptr;  ///< not owned
  Millis timeout{};               ///< of one request: an attempt gets at least this long
  std::size_t window = 0;         ///< attempts handed to the source at a time
};

/// The poll loop: takes due images from the schedule, has them listed, and feeds the tracker. All of tracking
/// happens on the one thread that calls run(); the tracker and the schedule outlive the poller and are
/// touched by nobody else meanwhile. A poller lives as long as one configuration is in force.
class Poller {
 public:
  struct Parts {
    const Clock& clock;
    Random& random;
    HttpTransport& transport;
    std::map<std::string, PollLane> lanes;  ///< by profile; every watched image's profile is in it
    Tracker& tracker;
    Schedule& schedule;
    StepPublisher& publisher;
    PollListener& listener;
  };
  explicit Poller(Parts parts);

  /// Polls until stop is requested; returns within moments then. What was in flight is dropped and due again.
  void run(const std::stop_token& stop);
  /// Thread-safe. Wakes the loop: credentials changed, or somebody wants to know whether it lives.
  void wake() noexcept { parts_.transport.wake(); }
  /// Thread-safe. Grows with every turn of the loop: the watchdog's proof of progress.
  [[nodiscard]] std::uint64_t turns() const { return turns_.load(std::memory_order_relaxed); }

 private:
  struct Lane {
    PollLane settings;
    std::deque<const ImageTracker*> ready;  ///< due, and in flight for the schedule already
    std::size_t flying = 0;
  };
  void turn();
  void feed(Lane& lane, Instant now);
  void finish(Lane& lane, const ImageId& image, const Observation& seen);
  [[nodiscard]] MonoTime next_wake() const;

  Parts parts_;
  std::map<std::string, Lane> lanes_;
  std::atomic<std::uint64_t> turns_{0};
};

}  // namespace sharedrift
