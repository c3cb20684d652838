// How an image's tracker takes up an earlier life. A record can only add knowledge: whatever it says, no
// drift in it is closed, none is put off, and no 0 is kept alive by a moment that cannot have been.

#include "core/image_tracker.hpp"
#include "core/sorted_entries.hpp"

#include <algorithm>
#include <utility>

namespace sharedrift {

namespace {

std::optional<WallTime> not_later(std::optional<WallTime> time, WallTime limit) {
  return time ? std::min(*time, limit) : time;
}

}  // namespace

void ImageTracker::restore(const ImageRecord& record, WallTime judged_at, Context& context) {
  take_up(record, context);
  if (!record.unwatched_since) {
    judged_at_ = judged_at;
    return settle("config_changed", context);
  }
  known_.unwatched_since.reset();
  judged_at_ = context.judged_at;          // what ended while nobody watched is no news
  if (known_.state == ImageState::gone) {  // somebody watches it: it may be there again
    known_.state = ImageState::never_read;
    known_.state_since.reset();
  }
  const std::vector<Drift> before = std::exchange(known_.drifts, {});
  settle(kWatchedAgain, context);
  for (Drift& drift : known_.drifts) {
    const auto same = std::lower_bound(before.begin(), before.end(), drift, drift_before);
    if (same != before.end() && !drift_before(drift, *same)) drift = *same;
  }
}

void ImageTracker::take_up(const ImageRecord& record, const Viewpoint& at) {
  const WallTime now = at.now.wall;
  known_ = record;
  known_.state_since = not_later(record.state_since, now);
  known_.last_poll = not_later(record.last_poll, now);
  // A listing of a time to come proves nothing: neither how fresh a 0 is nor what came after it.
  known_.last_complete.reset();
  known_.last_complete_began.reset();
  if (record.last_complete && *record.last_complete <= now + kClockTolerance) {
    known_.last_complete = not_later(record.last_complete, now);
    known_.last_complete_began =
        std::min(record.last_complete_began.value_or(*known_.last_complete), *known_.last_complete);
    last_complete_mono_ = at.now.mono - (now - *known_.last_complete);
  }
  if (!known_.last_complete) known_.shared_accounts = -1;
  restore_evidence(record, at);
}

void ImageTracker::restore_evidence(const ImageRecord& record, const Viewpoint& at) {
  const WallTime now = at.now.wall;
  for (Drift& drift : known_.drifts)
    drift.since = std::min(drift.since, now);
  for (Sighting& sighting : known_.sightings) {
    sighting.first_seen = std::min(sighting.first_seen, now);
    sighting.last_seen = std::clamp(sighting.last_seen, sighting.first_seen, now);
    if (sighting.not_before > sighting.first_seen) sighting.not_before.reset();
  }
  known_.losses.clear();
  for (const Loss& loss : record.losses) {
    const Sighting* sighting = lookup(known_.sightings, loss.account);
    if (sighting == nullptr || loss.first_missed < sighting->last_seen || loss.first_missed > now) continue;
    known_.losses.push_back(
        {loss.account, loss.first_missed, {}});  // a clear is proven in this life or not at all
  }
  for (Absence& absence : known_.absences) {
    // Whatever the record says, it can neither open a drift by itself nor put one off.
    const int enough = at.watch.confirm_clears;
    absence.absences =
        is_open(absence.account, DriftKind::missing) ? enough : std::clamp(absence.absences, 0, enough - 1);
    absence.first_missed = std::min(absence.first_missed, now);
    absence.last_seen = not_later(absence.last_seen, absence.first_missed);
  }
  // A drift without its evidence (a damaged or doctored file) is still a drift: give it the least evidence
  // there can be.
  for (const Drift& drift : known_.drifts) {
    if (drift.kind == DriftKind::unexpected && lookup(known_.sightings, drift.account) == nullptr) {
      known_.sightings.insert(find_entry(known_.sightings, drift.account),
                              {drift.account, std::nullopt, drift.since, drift.since});
    }
    if (drift.kind == DriftKind::missing && lookup(known_.absences, drift.account) == nullptr) {
      known_.absences.insert(find_entry(known_.absences, drift.account),
                             {drift.account, drift.since, std::nullopt, at.watch.confirm_clears});
    }
  }
}

}  // namespace sharedrift
