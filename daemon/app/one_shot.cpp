#include "app/one_shot.hpp"

#include "app/report_words.hpp"
#include "core/listing.hpp"
#include "poll/watch.hpp"

#include <algorithm>
#include <utility>

namespace sharedrift {

namespace {

/// Nothing is remembered of a single poll, and its events are in its report.
class NullStore final : public StateStore {
 public:
  SavedState load() override { return {}; }
  void save(ImageRecord /*record*/, std::vector<Event> /*events*/) override {}
  void forget(const ImageId& /*image*/) override {}
  void add_event(const Event& /*event*/) override {}
  void set_fleet(const FleetRecord& /*fleet*/) override {}
  void set_discovered(std::vector<DiscoveredImage> /*images*/) override {}
};

/// Stops the poller when every image was polled.
class Countdown final : public PollListener {
 public:
  Countdown(std::set<ImageId> waiting, std::stop_source stop, const OneShotPorts& ports)
      : waiting_(std::move(waiting)), all_(waiting_.size()), stop_(std::move(stop)), ports_(ports) {}
  void on_poll(const ImageId& image, const Observation& /*seen*/) override {
    waiting_.erase(image);
    if (ports_.progress) ports_.progress(all_ - waiting_.size(), all_);
    if (waiting_.empty()) stop_.request_stop();
  }

 private:
  std::set<ImageId> waiting_;
  std::size_t all_;
  std::stop_source stop_;
  const OneShotPorts& ports_;
};

/// Of walks alone.
class WalkListener final : public PollListener {
 public:
  explicit WalkListener(WalkedOnce& result) : result_(result) {}
  void on_inventory(const std::string& profile, const InventoryView& view) override {
    ++walks;
    result_.shown[profile] = view;
    if (view.failure) {
      result_.blind.emplace(profile, *view.failure);
    } else if (view.images == 0) {
      result_.own_nothing.insert(profile);
    }
  }
  std::size_t walks = 0;

 private:
  WalkedOnce& result_;
};

}  // namespace

WalkedOnce walk_once(const OneShotPorts& ports, const std::stop_token& stop) {
  WalkedOnce result;
  if (!ports.config.inventory.enabled) return result;
  Discovery discovery;
  discovery.adopt(discovery_setup(ports.config), ports.clock.wall());
  WalkListener listener(result);
  EventSink sink;
  NullStore store;
  StepPublisher publisher(ports.clock, sink, store, listener);
  RepeatedAnswers answers;
  InventoryWalks walks({ports.clock, ports.timers, ports.config, result.inventories, discovery, publisher,
                        listener, answers, [] {}});
  for (const auto& [profile, lane] : ports.lanes)
    walks.start(profile, *lane.source, lane.timeout);
  const std::stop_callback wake_up(stop, [&ports] { ports.transport.wake(); });
  while (listener.walks < ports.lanes.size() && !stop.stop_requested()) {
    for (const auto& [profile, lane] : ports.lanes)
      lane.source->on_wake();
    ports.timers.run_due(ports.clock.mono());
    if (listener.walks < ports.lanes.size()) ports.transport.run_once(ports.timers.next());
  }
  result.discovered = discovery.policies();
  return result;
}

std::vector<std::string> doubts(const WalkedOnce& walked, const Config& config) {
  std::vector<std::string> out;
  for (const auto& [profile, failure] : walked.blind) {
    const auto shown = walked.shown.find(profile);
    const bool some = shown != walked.shown.end() && shown->second.images;
    out.push_back(
        "the images that the account of profile " + profile + " owns could not be listed" +
        (some ? " completely, so a new one may not be seen (" : ", so none of them is known by it (") +
        cause_of(failure) + ")");
  }
  for (const ProfileConfig& profile : config.profiles) {
    if (walked.own_nothing.contains(profile.name)) out.push_back(owns_nothing(profile));
  }
  return out;
}

std::vector<std::shared_ptr<const ImageView>> poll_once(WatchList watch, const OneShotPorts& ports,
                                                        const std::stop_token& stop,
                                                        Inventories inventories) {
  watch.confirm_clears = 1;
  std::set<ImageId> waiting;
  for (auto& policy : watch.images) {
    waiting.insert(policy->id);
    ImagePolicy copy = *policy;
    copy.stale_after = kNeverStale;
    policy = std::make_shared<const ImagePolicy>(std::move(copy));
  }
  const Instant now = ports.clock.now();
  Step start;
  Tracker tracker(std::move(watch), SavedState{}, now, start);
  Schedule schedule(schedule_entries(tracker.watch()), Schedule::Spread::none, now.mono);
  std::stop_source done;
  Countdown countdown(std::move(waiting), done, ports);
  EventSink sink;
  NullStore store;
  StepPublisher publisher(ports.clock, sink, store, countdown);
  Discovery nothing;
  const bool walked = !inventories.empty();
  RepeatedAnswers answers;
  InventoryWalks walks(
      {ports.clock, ports.timers, ports.config, inventories, nothing, publisher, countdown, answers, [] {}});
  for (const auto& [profile, lane] : ports.lanes) {
    if (!walked) walks.start(profile, *lane.source, lane.timeout);
  }
  Poller poller({ports.clock, ports.random, ports.transport, ports.timers, ports.lanes, tracker, schedule,
                 publisher, countdown, answers, &walks});
  const std::stop_callback forward(stop, [&done, &poller] {
    done.request_stop();
    poller.wake();
  });
  if (!tracker.watch().images.empty()) poller.run(done.get_token());
  std::vector<std::shared_ptr<const ImageView>> views;
  for (const auto& policy : tracker.watch().images)
    views.push_back(tracker.view(policy->id, ports.clock.now()));
  return views;
}

Result<WatchList, std::string> selected(WatchList watch, const std::vector<ImageId>& images) {
  if (images.empty()) return watch;
  for (const ImageId& image : images) {
    const bool known = std::any_of(watch.images.begin(), watch.images.end(),
                                   [&image](const auto& policy) { return policy->id == image; });
    if (!known) return Err("--image " + image.str() + " is not in the config");
  }
  std::erase_if(watch.images, [&images](const auto& policy) {
    return std::find(images.begin(), images.end(), policy->id) == images.end();
  });
  return watch;
}

}  // namespace sharedrift
