#include "poll/poller.hpp"

#include "core/listing.hpp"
#include "core/view.hpp"

#include <algorithm>
#include <utility>

namespace sharedrift {

namespace {
/// An attempt may take as long as its interval, so that a slow API still answers; but not for ever.
constexpr Millis kLongestAttempt{300'000};
/// Times and attempt counters may be lost by a kill for about this long; everything else is saved at once.
constexpr Millis kRoutineDelay{25'000};
}  // namespace

void StepPublisher::publish(const Step& step, const Tracker& tracker, Instant now) {
  std::map<std::string, std::vector<Event>> by_image;
  for (const Event& event : step.events) {
    sink_.on_event(event);
    by_image[event.image_id].push_back(event);
  }
  for (const Step::Change& change : step.changed) {
    const ImageId& image = change.view->policy->id;
    listener_.on_view(change.view);
    auto events = by_image.extract(image.str());
    if (!change.urgent && events.empty()) continue;
    store_.save(tracker.record(image), events.empty() ? std::vector<Event>{} : std::move(events.mapped()));
  }
  for (const auto& [image, events] : by_image) {  // of the fleet, or of images that are watched no more
    for (const Event& event : events)
      store_.add_event(event);
  }
  for (const ImageId& image : step.removed) {
    listener_.on_removed(image);
    store_.forget(image);
  }
  if (!step.events.empty()) store_.set_fleet(tracker.fleet_record());
  listener_.on_totals(tracker);
  if (next_save_ == MonoTime::max() && tracker.has_unsaved()) next_save_ = now.mono + kRoutineDelay;
}

void StepPublisher::save_due(Tracker& tracker, MonoTime now) {
  if (now >= next_save_) save_all(tracker);
}

void StepPublisher::save_all(Tracker& tracker) {
  for (ImageRecord& record : tracker.take_unsaved())
    store_.save(std::move(record), {});
  store_.set_fleet(tracker.fleet_record());
  next_save_ = MonoTime::max();
}

Poller::Poller(Parts parts) : parts_(std::move(parts)) {
  for (const auto& [name, settings] : parts_.lanes)
    lanes_[name].settings = settings;
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
  for (const ImageId& id : parts_.schedule.take_due(now.mono)) {
    const ImageTracker& image = parts_.tracker.image(id);
    lanes_.at(image.policy().profile).ready.push_back(&image);
  }
  for (auto& [name, lane] : lanes_) {
    feed(lane, now);
    lane.settings.source->pump(now);
  }
  if (parts_.tracker.next_deadline() <= now.mono) {
    parts_.publisher.publish(parts_.tracker.tick(now), parts_.tracker, now);
  }
  parts_.publisher.save_due(parts_.tracker, now.mono);
}

void Poller::feed(Lane& lane, Instant now) {
  while (!lane.ready.empty() && lane.flying < lane.settings.window) {
    const ImageTracker& image = *lane.ready.front();
    lane.ready.pop_front();
    ++lane.flying;
    const ImageId& id = image.policy().id;
    const Millis patience = std::clamp(image.policy().interval, lane.settings.timeout,
                                       std::max(kLongestAttempt, lane.settings.timeout));
    lane.settings.source->fetch(id, image.had_accounts(), now.mono + patience,
                                [this, &lane, &id](const Observation& seen) { finish(lane, id, seen); });
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
  MonoTime next =
      std::min({parts_.schedule.next_due(), parts_.tracker.next_deadline(), parts_.publisher.next_save()});
  for (const auto& [name, lane] : lanes_) {
    const bool hungry = !lane.ready.empty() && lane.flying < lane.settings.window;
    next = std::min(next, hungry ? MonoTime::min() : lane.settings.source->next_wake());
  }
  return next;
}

}  // namespace sharedrift
