#pragma once

#include "core/non_copyable.hpp"
#include "core/schedule.hpp"
#include "core/timer_queue.hpp"
#include "core/tracker.hpp"
#include "poll/account_limit.hpp"
#include "poll/event_budget.hpp"
#include "poll/repeated_answers.hpp"
#include "ports.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>

namespace sharedrift {

class InventoryWalks;
struct InventoryView;

/// Told what the poll thread did. Called on that thread (and, before it runs, on the thread that starts it).
class PollListener : NonCopyable {
 public:
  virtual ~PollListener() = default;
  // NOLINTBEGIN(performance-unnecessary-value-param): whoever listens takes it over
  virtual void on_view(std::shared_ptr<const ImageView> /*view*/) {}
  /// It is not watched any more; `view` has what was open then.
  virtual void on_unwatched(std::shared_ptr<const ImageView> /*view*/) {}
  // NOLINTEND(performance-unnecessary-value-param)
  virtual void on_poll(const ImageId& /*image*/, const Observation& /*seen*/) {}
  virtual void on_overruns(std::uint64_t /*periods*/) {}
  virtual void on_totals(const Tracker& /*tracker*/) {}  ///< after every step
  /// After every walk of a profile's inventory.
  virtual void on_inventory(const std::string& /*profile*/, const InventoryView& /*view*/) {}
  /// The same inventory, of which another configuration watches other images; `view` has no failure.
  virtual void on_inventory_rewatched(const std::string& /*profile*/, const InventoryView& /*view*/) {}
};

/// Carries a tracker's step to where it is seen: events to the sink, views to the listener, records to the
/// store. One event is one line and one row: those of an image travel with its record, the others alone. Only
/// so many are told as EventBudget allows, and how many were not.
///
/// News is saved at once; times and counters of polls, which change with every listing, by save_all().
class StepPublisher {
 public:
  /// All outlive it.
  StepPublisher(const Clock& clock, EventSink& sink, StateStore& store, PollListener& listener)
      : clock_(clock), sink_(sink), store_(store), listener_(listener) {}
  void publish(const Step& step, const Tracker& tracker);
  /// An event that is no step of the tracker's, within the same budget.
  void tell(const Event& event);
  /// Saves all that was not news.
  void save_all(Tracker& tracker);
  /// The same before the end, and tells how many events were left out since it told so last.
  void finish(Tracker& tracker);

 private:
  void tell_left_out(const EventBudget::LeftOut& events);

  const Clock& clock_;
  EventSink& sink_;
  StateStore& store_;
  PollListener& listener_;
  EventBudget budget_;
};

/// One profile as the poller sees it.
struct PollLane {
  ShareSource* source = nullptr;  ///< not owned
  Millis timeout{};               ///< of one request: a poll gets at least this long
  std::size_t window = 0;         ///< polls under way at a time
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
    TimerQueue& timers;                     ///< the loop's, and its sources'
    std::map<std::string, PollLane> lanes;  ///< by profile; every watched image's profile is in it
    Tracker& tracker;
    Schedule& schedule;
    StepPublisher& publisher;
    PollListener& listener;
    RepeatedAnswers& answers;         ///< outlives the configuration
    InventoryWalks* walks = nullptr;  ///< null: an image whose list is empty is looked up each time
  };
  explicit Poller(Parts parts);

  /// Polls until stop is requested; returns within moments then. What was in flight is dropped and due again.
  void run(const std::stop_token& stop);
  /// Other images are watched: call it after the tracker and the schedule learnt of them, on the poll thread.
  void rewatch() {
    accounts_.count_anew();
    set_timers();
  }
  /// Thread-safe. An event elsewhere may cause a look: the image is polled soon, within the budget, once
  /// between two of its own moments.
  void poll_soon(const ImageId& image);
  /// Thread-safe. Wakes the loop: credentials changed, or somebody wants to know whether it lives.
  void wake() noexcept { parts_.transport.wake(); }
  /// Thread-safe. Grows with every turn of the loop: the watchdog's proof of progress.
  [[nodiscard]] std::uint64_t turns() const { return turns_.load(std::memory_order_relaxed); }

 private:
  struct Lane {
    PollLane settings;
    std::deque<ImageId> due;    ///< wait for a place in the window; in flight for the schedule
    std::size_t under_way = 0;  ///< polls
  };
  [[nodiscard]] bool is_ours(const ImageId& id) const;
  void hurry_asked();
  void break_off();
  void take_due();
  void start_polls(Lane& lane);
  void finish(Lane& lane, const ImageId& image, const Observation& listing);
  void tick();
  void save();
  void set_timers();

  Parts parts_;
  std::map<std::string, Lane> lanes_;
  AccountLimit accounts_;
  TimerQueue::Timer next_due_;
  TimerQueue::Timer next_tick_;
  TimerQueue::Timer next_save_;
  std::atomic<std::uint64_t> turns_{0};
  std::mutex asked_mutex_;
  std::set<ImageId> asked_;  ///< to be polled soon; guarded by asked_mutex_
};

}  // namespace sharedrift
