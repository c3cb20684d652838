#include "app/poller.hpp"

#include <algorithm>
#include <utility>

namespace sharedrift {

namespace {
constexpr std::size_t kAll = static_cast<std::size_t>(-1);
/// An attempt may take as long as its interval, so that a slow API still answers; but not for ever.
constexpr Millis kLongestAttempt{300'000};
}  // namespace

void StepPublisher::publish(const Step& step, const Tracker& tracker, Instant now) {
  publish(step, tracker, now, Keep::all);
}

void StepPublisher::publish_restored(const Step& step, const Tracker& tracker, Instant now) {
  publish(step, tracker, now, Keep::urgent);
}

void StepPublisher::publish(const Step& step, const Tracker& tracker, Instant now, Keep keep) {
  std::map<std::string, std::vector<Event>> by_image;
  for (const Event& event : step.events) {
    sink_.on_event(event);
    by_image[event.image_id].push_back(event);
  }
  for (const Step::Change& change : step.changed) {
    listener_.on_view(tracker.view(change.image, now));
    auto events = by_image.extract(change.image.str());
    if (keep == Keep::urgent && !change.urgent && events.empty()) continue;
    store_.save(tracker.record(change.image),
                events.empty() ? std::vector<Event>{} : std::move(events.mapped()), change.urgent);
  }
  for (const auto& [image, events] : by_image) {  // of the fleet, or of images that are watched no more
    for (const Event& event : events)
      store_.add_event(event);
  }
  for (const ImageId& image : step.removed) {
    listener_.on_removed(image);
    store_.forget(image);
  }
  if (!step.events.empty()) store_.set_closes(tracker.closes());
  listener_.on_totals(tracker);
}

Poller::Poller(Parts parts) : parts_(std::move(parts)) {
  for (const auto& [name, settings] : parts_.lanes)
    lanes_[name].settings = settings;
  for (const auto& policy : parts_.tracker.watch().images)
    policies_.emplace(policy->id, policy);
}

void Poller::run(const std::stop_token& stop) {
  const std::stop_callback wake_up(stop, [this] { wake(); });
  while (!stop.stop_requested()) {
    turn();
    if (stop.stop_requested()) break;
    parts_.transport.run_once(next_wake());
  }
  parts_.transport.cancel_all();
  parts_.schedule.release_all();
}

void Poller::turn() {
  turns_.fetch_add(1, std::memory_order_relaxed);
  const Instant now = parts_.clock.now();
  for (ImageId& image : parts_.schedule.take_due(now.mono, kAll)) {
    lanes_.at(policies_.at(image)->profile).ready.push_back(std::move(image));
  }
  for (auto& [name, lane] : lanes_) {
    feed(lane, now);
    lane.settings.source->pump(now);
  }
  if (parts_.tracker.next_deadline() <= now.mono) {
    parts_.publisher.publish(parts_.tracker.tick(now), parts_.tracker, now);
  }
}

void Poller::feed(Lane& lane, Instant now) {
  while (!lane.ready.empty() && lane.flying < lane.settings.window) {
    const ImageId image = std::move(lane.ready.front());
    lane.ready.pop_front();
    ++lane.flying;
    const Millis patience = std::clamp(policies_.at(image)->interval, lane.settings.timeout,
                                       std::max(kLongestAttempt, lane.settings.timeout));
    lane.settings.source->fetch(image, parts_.tracker.had_accounts(image), now.mono + patience,
                                [this, &lane, image](const Observation& seen) { finish(lane, image, seen); });
  }
}

void Poller::finish(Lane& lane, const ImageId& image, const Observation& seen) {
  --lane.flying;
  const Instant now = parts_.clock.now();
  parts_.publisher.publish(parts_.tracker.apply(image, seen, now), parts_.tracker, now);
  parts_.listener.on_attempt(image, seen);
  const std::uint64_t overruns = parts_.schedule.finish(image, now.mono, parts_.random.unit());
  if (overruns > 0) parts_.listener.on_overruns(overruns);
}

MonoTime Poller::next_wake() const {
  MonoTime next = std::min(parts_.schedule.next_due(), parts_.tracker.next_deadline());
  for (const auto& [name, lane] : lanes_)
    next = std::min(next, lane.settings.source->next_wake());
  return next;
}

}  // namespace sharedrift
