#include "poll/poller.hpp"

#include "core/listing.hpp"
#include "core/view.hpp"
#include "poll/inventory_walks.hpp"

#include <algorithm>
#include <utility>

namespace sharedrift {

namespace {
/// A poll may take as long as its interval, so that a slow API still answers; but not for ever.
constexpr Millis kLongestPoll{300'000};
/// Times and counters of polls may be lost by a kill for about this long; everything else is saved at once.
constexpr Millis kRoutineDelay{25'000};
}  // namespace

void StepPublisher::publish(const Step& step, const Tracker& tracker) {
  std::map<std::string, std::vector<Event>> by_image;
  for (const Event& event : step.events) {
    if (!budget_.take(event, clock_.mono())) continue;
    sink_.on_event(event);
    by_image[event.image_id].push_back(event);
  }
  for (const auto& [record, view] : step.unwatched) {
    listener_.on_unwatched(view);
    auto events = by_image.extract(record.id.str());
    store_.save(record, events.empty() ? std::vector<Event>{} : std::move(events.mapped()));
  }
  for (const ImageId& image : step.forgotten)
    store_.forget(image);
  for (const Step::Change& change : step.changed) {  // the last word on an image is that it is watched
    const ImageId& image = change.view->policy->id;
    listener_.on_view(change.view);
    auto events = by_image.extract(image.str());
    if (!change.urgent && events.empty()) continue;
    store_.save(tracker.record(image), events.empty() ? std::vector<Event>{} : std::move(events.mapped()));
  }
  for (const auto& [image, events] : by_image) {  // of the fleet
    for (const Event& event : events)
      store_.add_event(event);
  }
  if (!step.events.empty()) store_.set_fleet(tracker.fleet_record());
  listener_.on_totals(tracker);
  tell_left_out(budget_.left_out(clock_.mono()));
}

void StepPublisher::tell_left_out(const EventBudget::LeftOut& events) {
  if (!events.any()) return;
  tell({EventType::events_left_out,
        clock_.wall(),
        "",
        {{"of_drift", events.of_drift}, {"others", events.others}}});
}

void StepPublisher::tell(const Event& event) {
  if (!budget_.take(event, clock_.mono())) return;
  sink_.on_event(event);
  store_.add_event(event);
}

void StepPublisher::save_all(Tracker& tracker) {
  for (ImageRecord& record : tracker.take_unsaved())
    store_.save(std::move(record), {});
  store_.set_fleet(tracker.fleet_record());
}

void StepPublisher::finish(Tracker& tracker) {
  tell_left_out(budget_.rest());
  save_all(tracker);
}

Poller::Poller(Parts parts) : parts_(std::move(parts)) {
  for (const auto& [name, settings] : parts_.lanes)
    lanes_[name].settings = settings;
}

void Poller::run(const std::stop_token& stop) {
  const std::stop_callback wake_up(stop, [this] { wake(); });
  set_timers();
  while (!stop.stop_requested()) {
    turns_.fetch_add(1, std::memory_order_relaxed);
    for (auto& [name, lane] : lanes_)
      lane.settings.source->on_wake();
    hurry_asked();
    parts_.timers.run_due(parts_.clock.mono());
    parts_.transport.run_once(parts_.timers.next());
  }
  break_off();
}

/// Whatever begins next begins anew, but what was seen of a list is not forgotten: who reloads the
/// configuration faster than a long list is read would keep what is on its first pages from sight.
void Poller::break_off() {
  parts_.transport.cancel_all();
  parts_.schedule.release_all();
  for (auto& [name, lane] : lanes_)
    lane.due.clear();
  for (auto& [name, lane] : lanes_) {
    lane.settings.source->break_off(make_failure(
        Reason::timeout, "the configuration was loaded anew, or the exporter stopped, while it was read"));
  }
}

void Poller::poll_soon(const ImageId& image) {
  {
    const std::scoped_lock lock(asked_mutex_);
    asked_.insert(image);
  }
  wake();
}

void Poller::hurry_asked() {
  std::set<ImageId> asked;
  {
    const std::scoped_lock lock(asked_mutex_);
    asked.swap(asked_);
  }
  for (const ImageId& image : asked)
    parts_.schedule.hurry(image, parts_.clock.mono());
  if (!asked.empty()) set_timers();
}

/// Of the loop's own work, which follows from the state: after each change of it.
void Poller::set_timers() {
  TimerQueue& timers = parts_.timers;
  const MonoTime due = parts_.schedule.next_due();
  const MonoTime tick_at = parts_.tracker.next_deadline();
  if (next_due_.when() != due) next_due_ = timers.at(due, [this] { take_due(); });
  if (next_tick_.when() != tick_at) next_tick_ = timers.at(tick_at, [this] { tick(); });
  if (next_save_.when() != MonoTime::max() || !parts_.tracker.has_unsaved()) return;
  next_save_ = timers.at(parts_.clock.mono() + kRoutineDelay, [this] { save(); });
}

/// An image whose empty list is news may have gone since the inventory was proven: it is looked up.
bool Poller::is_ours(const ImageId& id) const {
  if (parts_.walks == nullptr || !parts_.tracker.watches(id)) return false;
  const ImageTracker& image = parts_.tracker.image(id);
  return !image.empty_is_news() && parts_.walks->proves(image.policy().profile, id);
}

void Poller::take_due() {
  for (const ImageId& id : parts_.schedule.take_due(parts_.clock.mono()))
    lanes_.at(parts_.tracker.image(id).policy().profile).due.push_back(id);
  for (auto& [name, lane] : lanes_)
    start_polls(lane);
  set_timers();
}

/// The deadline of a poll begins when it is under way, so no more are than the source gets round to.
void Poller::start_polls(Lane& lane) {
  const MonoTime now = parts_.clock.mono();
  while (!lane.due.empty() && lane.under_way < lane.settings.window) {
    const ImageId id = std::move(lane.due.front());
    lane.due.pop_front();
    if (!parts_.tracker.watches(id)) continue;  // it left the inventory meanwhile
    ++lane.under_way;
    const Millis patience = std::clamp(parts_.tracker.image(id).policy().interval, lane.settings.timeout,
                                       std::max(kLongestPoll, lane.settings.timeout));
    lane.settings.source->fetch(
        id, [this, id] { return is_ours(id); }, now + patience,
        [this, &lane, id](const Observation& listing) { finish(lane, id, listing); });
  }
}

void Poller::finish(Lane& lane, const ImageId& image, const Observation& listing) {
  --lane.under_way;
  const Instant now = parts_.clock.now();
  const auto repeated = parts_.answers.refuse(image, listing);
  const Observation& heard = repeated ? *repeated : listing;
  const auto cut = accounts_.cut(parts_.tracker, image, heard);
  const Observation& taken = cut ? *cut : heard;
  parts_.publisher.publish(parts_.tracker.apply(image, taken, now), parts_.tracker);
  parts_.listener.on_poll(image, taken);
  const std::uint64_t overruns = parts_.schedule.finish(image, now.mono, parts_.random.unit());
  if (overruns > 0) parts_.listener.on_overruns(overruns);
  start_polls(lane);
  set_timers();
}

void Poller::tick() {
  parts_.publisher.publish(parts_.tracker.tick(parts_.clock.now()), parts_.tracker);
  set_timers();
}

void Poller::save() {
  parts_.publisher.save_all(parts_.tracker);
  set_timers();
}

}  // namespace sharedrift
