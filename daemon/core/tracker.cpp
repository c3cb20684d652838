#include "core/tracker.hpp"

#include "core/listing.hpp"
#include "core/view.hpp"

#include <algorithm>

namespace sharedrift {

namespace {
/// The Date header has whole seconds and the answer took a while: less than this is not a difference of
/// clocks.
constexpr Millis kClockNoise{2'000};

}  // namespace

Tracker::Tracker(WatchList watch, const SavedState& saved, Instant now, Step& step)
    : watch_(std::move(watch)),
      closes_(saved.fleet.closes),
      judged_{now.mono, saved.fleet.judged_at.value_or(now.wall)},
      cycle_started_(now.mono) {
  const WallTime judged_before = judged_.wall;
  judged_ = {now.mono, judged_at(now)};
  images_.reserve(watch_.images.size());
  for (const auto& policy : watch_.images)
    images_.try_emplace(policy->id, policy, judged_.wall);
  count_profiles();
  announce(saved, now, step);
  std::set<ImageId> urgent;
  for (const ImageRecord& record : saved.images) {
    const auto found = images_.find(record.id);
    if (found == images_.end()) {
      restore_unwatched(record, now, step);
      continue;
    }
    ImageTracker& image = found->second.tracker;
    ImageTracker::Context with = context(now, step.events);
    image.restore(record, judged_before, with);
    if (is_urgent_change(record, image.record())) urgent.insert(record.id);
  }
  step.changed.reserve(images_.size());
  for (const auto& policy : watch_.images)
    report(images_.at(policy->id), urgent.contains(policy->id), now, step);
  for (Watched* image : std::exchange(unsaved_, {}))  // just read, or new with nothing to tell
    image->unsaved = false;
  step.forgotten = unwatched_.forget(now.wall - watch_.state_retention);
}

/// The later of the two clocks. It runs on at least as fast as the steady clock: setting the local one back
/// does not make an exception valid again, only an answer that tells the time does.
WallTime Tracker::judged_at(Instant now) const {
  return std::max(now.wall + server_ahead_,
                  judged_.wall + std::chrono::duration_cast<Millis>(now.mono - judged_.mono));
}

/// Polls are jittered by a tenth of the interval: a limit of just one would cut through the middle of them,
/// and each half would lose too few accounts to be noticed.
MonoTime Tracker::cycle_ends() const {
  return cycle_started_ + watch_.interval + watch_.interval / 4;
}

ImageTracker::Context Tracker::context(Instant now, std::vector<Event>& events) {
  judged_ = {now.mono, judged_at(now)};
  return {{watch_, now, judged_.wall}, cycle_, guarded(), events, closes_};
}

/// Lets `act` change the image; true if more than times and poll counters changed.
template <class Act>
bool Tracker::change(ImageTracker& image, Instant now, std::vector<Event>& events, const Act& act) {
  ImageRecord before = image.record();
  const std::int64_t held_before = image.held();
  ImageTracker::Context with = context(now, events);
  act(image, with);
  held_ += image.held() - held_before;
  return is_urgent_change(std::move(before), image.record());
}

void Tracker::report(Watched& image, bool urgent, Instant now, Step& step) {
  const ImageTracker::Viewpoint at{watch_, now, judged_.wall};
  step.changed.push_back({image.tracker.view(at), urgent});
  if (!urgent && !std::exchange(image.unsaved, true)) unsaved_.push_back(&image);
  deadlines_.erase(&image);  // before it moves: they are in its order
  image.deadline = image.tracker.next_deadline(at);
  if (image.deadline != MonoTime::max()) deadlines_.insert(&image);
}

bool Tracker::ByDeadline::operator()(const Watched* a, const Watched* b) const {
  if (a->deadline != b->deadline) return a->deadline < b->deadline;
  return a->tracker.policy().id < b->tracker.policy().id;
}

std::vector<ImageRecord> Tracker::take_unsaved() {
  std::vector<ImageRecord> records;
  records.reserve(unsaved_.size());
  while (!unsaved_.empty()) {
    unsaved_.front()->unsaved = false;
    records.push_back(unsaved_.front()->tracker.record());
    unsaved_.pop_front();
  }
  return records;
}

void Tracker::keep_unwatched(ImageRecord record, std::shared_ptr<const ImagePolicy> policy, Instant now,
                             Step& step) {
  auto view = ImageTracker::unwatched_view(record, std::move(policy), {watch_, now, judged_at(now)});
  step.unwatched.push_back({record, std::move(view)});
  unwatched_.keep(std::move(record));
}

/// A saved image without an entry: it leaves the watch now, or left it in an earlier life.
void Tracker::restore_unwatched(ImageRecord record, Instant now, Step& step) {
  const bool leaves = !record.unwatched_since;
  if (leaves) close_unwatched(record, now, step);
  record.unwatched_since = std::min(record.unwatched_since.value_or(now.wall), now.wall);
  if (!leaves && record.drifts.empty()) return unwatched_.keep(std::move(record));
  auto policy = std::make_shared<ImagePolicy>(ImagePolicy{record.id});
  policy->profile.clear();  // not known
  keep_unwatched(std::move(record), std::move(policy), now, step);
}

void Tracker::close_unwatched(ImageRecord& record, Instant now, Step& step) {
  for (const Drift& drift : record.drifts) {
    const auto kind = static_cast<std::size_t>(drift.kind);
    if (record.counters.opened.at(kind) <= record.counters.closed.at(kind)) continue;  // a canary's
    ++record.counters.closed.at(kind);
    ++closes_.at(static_cast<std::size_t>(CloseReason::unwatched));
    step.events.push_back({EventType::drift_closed,
                           now.wall,
                           record.id.str(),
                           {{"account_id", std::string{drift.account.str()}},
                            {"kind", std::string{to_string(drift.kind)}},
                            {"reason", std::string{to_string(CloseReason::unwatched)}},
                            {"opened", drift.since}}});
  }
}

Step Tracker::apply(const ImageId& id, const Observation& seen, Instant now) {
  Step step;
  const auto found = images_.find(id);
  if (found == images_.end()) return step;
  Watched& image = found->second;
  if (now.mono >= cycle_ends()) end_cycle(now, step);
  if (seen.server_time) {
    const Millis ahead = *seen.server_time - now.wall;
    server_ahead_ = ahead > kClockNoise ? ahead : Millis{0};
    judged_ = {now.mono, now.wall + server_ahead_};
  }
  const std::size_t told_before = step.events.size();
  const bool urgent = change(image.tracker, now, step.events, [&](ImageTracker& tracker, auto& with) {
    if (tracker.observe(seen, with) && std::exchange(image.lost_in_cycle, cycle_) != cycle_) ++losers_;
  });
  fold_outage(image, seen, told_before, now, step);
  report(image, urgent, now, step);
  if (image.polled_in_cycle != cycle_) {
    image.polled_in_cycle = cycle_;
    ++polled_;
  }
  if (polled_ >= images_.size()) end_cycle(now, step);
  return step;
}

void Tracker::end_cycle(Instant now, Step& step) {
  const bool hold =
      guarded() && losers_ * 100 > static_cast<std::size_t>(watch_.mass_change_percent) * images_.size();
  const std::int64_t ended = cycle_++;
  const std::int64_t held_before = held_;
  for (const auto& policy : watch_.images) {
    Watched& image = images_.at(policy->id);
    if (!image.tracker.is_losing()) continue;
    const bool urgent = change(image.tracker, now, step.events, [&](ImageTracker& tracker, auto& with) {
      tracker.end_cycle(ended, hold, with);  // in the new cycle: the old one's losses are judged now
    });
    if (urgent) report(image, true, now, step);
  }
  if (hold) {
    step.events.push_back({EventType::mass_change_held,
                           now.wall,
                           "",
                           {{"images_losing", static_cast<std::int64_t>(losers_)},
                            {"images_watched", static_cast<std::int64_t>(images_.size())},
                            {"limit_percent", std::int64_t{watch_.mass_change_percent}},
                            {"clears_held", held_ - held_before}}});
  }
  losers_ = 0;
  polled_ = 0;
  cycle_started_ = now.mono;
}

Step Tracker::reconfigure(WatchList watch, Instant now) {
  Step step;
  watch_ = std::move(watch);
  std::unordered_map<ImageId, Watched> kept;
  kept.reserve(watch_.images.size());
  for (const auto& policy : watch_.images) {
    kept.insert(images_.extract(policy->id));
    kept.try_emplace(policy->id, policy, judged_at(now));
  }
  images_.swap(kept);
  count_profiles();
  for (auto& [id, image] : kept) {  // what is left of the old set
    ImageTracker::Context with = context(now, step.events);
    held_ -= image.tracker.held();
    if (image.lost_in_cycle == cycle_) --losers_;
    if (image.polled_in_cycle == cycle_) --polled_;
    deadlines_.erase(&image);
    std::erase(unsaved_, &image);
    keep_unwatched(image.tracker.unwatch(with), image.tracker.shared_policy(), now, step);
  }
  for (const auto& policy : watch_.images) {
    Watched& image = images_.at(policy->id);
    const auto before = unwatched_.take(policy->id);
    const bool urgent = change(image.tracker, now, step.events, [&](ImageTracker& tracker, auto& with) {
      if (before) {
        tracker.restore(*before, with.judged_at, with);
      } else {
        tracker.adopt(policy, with);
      }
    });
    report(image, urgent || before, now, step);
  }
  // Not before: what is watched again is not forgotten, however long it was not watched.
  step.forgotten = unwatched_.forget(now.wall - watch_.state_retention);
  return step;
}

Step Tracker::tick(Instant now) {
  Step step;
  if (guarded() && now.mono >= cycle_ends()) end_cycle(now, step);
  for (auto& [name, profile] : profiles_)
    tell_outage(name, profile.outage.on_time(now.mono), now, step);
  while (!deadlines_.empty() && (*deadlines_.begin())->deadline <= now.mono) {
    Watched& image = **deadlines_.begin();
    const bool urgent = change(image.tracker, now, step.events,
                               [](ImageTracker& tracker, auto& with) { tracker.expire(with); });
    report(image, urgent, now, step);
  }
  return step;
}

MonoTime Tracker::next_deadline() const {
  MonoTime next = guarded() ? cycle_ends() : MonoTime::max();
  for (const auto& [name, profile] : profiles_)
    next = std::min(next, profile.outage.next_deadline());
  if (!deadlines_.empty()) next = std::min(next, (*deadlines_.begin())->deadline);
  return next;
}

std::shared_ptr<const ImageView> Tracker::view(const ImageId& image, Instant now) const {
  const auto found = images_.find(image);
  if (found == images_.end()) return nullptr;
  return found->second.tracker.view({watch_, now, judged_at(now)});
}

ImageRecord Tracker::record(const ImageId& id) const {
  return image(id).record();
}

}  // namespace sharedrift
