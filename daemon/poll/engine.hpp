#pragma once

#include "config/config.hpp"
#include "core/non_copyable.hpp"
#include "poll/inventory_walks.hpp"
#include "poll/poller.hpp"
#include "poll/watch.hpp"
#include "ports.hpp"

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace sharedrift {

/// The share sources of one configuration, by profile, and whatever they need to live.
class ShareSources : NonCopyable {
 public:
  virtual ~ShareSources() = default;
  [[nodiscard]] virtual std::map<std::string, PollLane> lanes() = 0;
};
/// Builds the sources of `config`; may take over those of `previous` (null at the start) that it leaves as
/// they were.
using ShareSourcesFactory = std::function<std::unique_ptr<ShareSources>(
    const Config& config, std::unique_ptr<ShareSources> previous)>;

/// Everything that turns with a configuration: tracker, schedule, sources, and the poll thread around them.
/// The tracker and the schedule live as long as the engine; poller and sources as long as a configuration.
/// start(), reload() and stop() are for one thread at a time.
class Engine {
 public:
  struct Ports {
    const Clock& clock;
    Random& random;
    HttpTransport& transport;
    TimerQueue& timers;  ///< outlives the sources
    StateStore& store;
    EventSink& sink;
    PollListener& listener;
    ShareSourcesFactory make_sources;
    /// The poll thread ended by itself with this message: a bug. Called on that thread, as its last act.
    std::function<void(const std::string&)> on_failure;
  };
  Engine(Ports ports, Shard shard);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  ~Engine();

  /// Takes up what the store remembers and publishes it: from here on readers see every image. Nothing is
  /// polled yet.
  void restore(std::shared_ptr<const Config> config);
  void start();
  /// Puts `config` in force. Kept images keep state, counters and their place in the schedule.
  void reload(std::shared_ptr<const Config> config);
  /// Ends the poll thread; what it was doing leaves no trace. Idempotent.
  void stop();
  /// Thread-safe: see Poller::poll_soon().
  void poll_soon(const ImageId& image) const {
    const std::scoped_lock lock(poller_mutex_);
    if (poller_) poller_->poll_soon(image);
  }
  /// Thread-safe: wakes the poll loop.
  void wake() noexcept { ports_.transport.wake(); }
  /// Thread-safe: grows with every turn of the poll loop, over reloads too.
  [[nodiscard]] std::uint64_t turns() const { return turns_before_.load() + poller_turns(); }

 private:
  [[nodiscard]] std::uint64_t poller_turns() const;
  [[nodiscard]] WatchList watched() const;
  void tell_all(const std::vector<Event>& events);
  void rewatch();

  Ports ports_;
  Shard shard_;
  StepPublisher publisher_;
  std::shared_ptr<const Config> config_;
  std::unique_ptr<Tracker> tracker_;
  std::unique_ptr<Schedule> schedule_;
  std::unique_ptr<ShareSources> sources_;
  Inventories inventories_;  ///< of the profiles of config_
  Discovery discovery_;
  RepeatedAnswers answers_;
  std::unique_ptr<InventoryWalks> walks_;       ///< replaced with the poller
  std::atomic<std::uint64_t> turns_before_{0};  ///< of pollers that are gone
  mutable std::mutex poller_mutex_;
  std::unique_ptr<Poller> poller_;  ///< replaced under poller_mutex_
  std::jthread thread_;
};

}  // namespace sharedrift
