#include "poll/engine.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace sharedrift {

Engine::Engine(Ports ports, Shard shard)
    : ports_(std::move(ports)),
      shard_(shard),
      publisher_(ports_.clock, ports_.sink, ports_.store, ports_.listener) {}

Engine::~Engine() {
  stop();
}

void Engine::restore(std::shared_ptr<const Config> config) {
  config_ = std::move(config);
  auto saved = std::make_unique<const SavedState>(ports_.store.load());
  const Instant now = ports_.clock.now();
  discovery_.restore(saved->discovered);
  tell_all(discovery_.adopt(discovery_setup(*config_), now.wall));
  if (!saved->discovered.empty()) ports_.store.set_discovered(discovery_.images());
  for (const DiscoveredImage& image : discovery_.images())
    inventories_[image.profile].remember(image.id, {image.name, image.created, image.since});
  Step step;
  tracker_ = std::make_unique<Tracker>(watched(), *saved, now, step);
  saved.reset();  // a large fleet's past need not lie in memory twice
  schedule_ = std::make_unique<Schedule>(schedule_entries(tracker_->watch()), config_->poll.spread, now.mono);
  publisher_.publish(step, *tracker_);
}

void Engine::start() {
  sources_ = ports_.make_sources(*config_, std::move(sources_));
  std::erase_if(inventories_,
                [lanes = sources_->lanes()](const auto& entry) { return !lanes.contains(entry.first); });
  walks_ = std::make_unique<InventoryWalks>(
      InventoryWalks::Parts{ports_.clock, ports_.timers, *config_, inventories_, discovery_, publisher_,
                            ports_.listener, answers_, [this] { rewatch(); }});
  for (const auto& [profile, lane] : sources_->lanes())
    walks_->start(profile, *lane.source, lane.timeout);  // before the first poll
  {
    const std::scoped_lock lock(poller_mutex_);
    poller_ = std::make_unique<Poller>(Poller::Parts{ports_.clock, ports_.random, ports_.transport,
                                                     ports_.timers, sources_->lanes(), *tracker_, *schedule_,
                                                     publisher_, ports_.listener, answers_, walks_.get()});
  }
  thread_ = std::jthread([this, poller = poller_.get()](const std::stop_token& stop) {
    try {
      poller->run(stop);
    } catch (const std::exception& bug) {
      ports_.on_failure(bug.what());
    }
  });
}

void Engine::reload(std::shared_ptr<const Config> config) {
  stop();
  for (const ProfileConfig& profile : config->profiles) {
    const auto& before = config_->profiles;
    if (std::find(before.begin(), before.end(), profile) == before.end())
      inventories_[profile.name].walk_anew();  // it may be another account's
  }
  config_ = std::move(config);
  const Instant now = ports_.clock.now();
  tell_all(discovery_.adopt(discovery_setup(*config_), now.wall));
  for (const auto& [profile, owned] : inventories_)
    tell_all(discovery_.take(profile, owned, {}, now.wall));
  ports_.store.set_discovered(discovery_.images());
  WatchList watch = watched();
  schedule_->reconfigure(schedule_entries(watch), config_->poll.spread, now.mono);
  const Step step = tracker_->reconfigure(std::move(watch), now);
  answers_.forget(step.forgotten);
  publisher_.publish(step, *tracker_);
  start();
}

WatchList Engine::watched() const {
  return watch_list(*config_, shard_, discovery_.policies());
}

void Engine::tell_all(const std::vector<Event>& events) {
  for (const Event& event : events)
    publisher_.tell(event);
}

/// On the poll thread: what is discovered changed.
void Engine::rewatch() {
  const Instant now = ports_.clock.now();
  ports_.store.set_discovered(discovery_.images());
  WatchList watch = watched();
  schedule_->watch(schedule_entries(watch), now.mono);
  const Step step = tracker_->reconfigure(std::move(watch), now);
  answers_.forget(step.forgotten);
  publisher_.publish(step, *tracker_);
  poller_->rewatch();
}

void Engine::stop() {
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
    publisher_.finish(*tracker_);
  }
  const std::scoped_lock lock(poller_mutex_);
  if (poller_) turns_before_ += poller_->turns();
  poller_.reset();
  walks_.reset();
}

std::uint64_t Engine::poller_turns() const {
  const std::scoped_lock lock(poller_mutex_);
  return poller_ ? poller_->turns() : 0;
}

}  // namespace sharedrift
