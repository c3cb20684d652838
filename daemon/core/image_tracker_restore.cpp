// How an image's tracker takes up an earlier life. A record can only add knowledge: whatever it says, no
// drift in it is closed, none is put off, and no 0 is kept alive by a moment that cannot have been.

#include "core/image_tracker.hpp"
#include "core/sorted_entries.hpp"

#include <algorithm>

namespace sharedrift {

namespace {

std::optional<WallTime> not_later(std::optional<WallTime> time, WallTime limit) {
  return time ? std::min(*time, limit) : time;
}

}  // namespace

void ImageTracker::restore(const ImageRecord& record, WallTime judged_at, Context& context) {
  const WallTime now = context.now.wall;
  judged_at_ = judged_at;
  state_ = record.state;
  state_since_ = not_later(record.state_since, now);
  last_poll_ = not_later(record.last_poll, now);
  // A listing of a time to come proves nothing: neither how fresh a 0 is nor what came after it.
  if (record.last_complete && *record.last_complete <= now + kClockTolerance) {
    last_complete_ = not_later(record.last_complete, now);
    last_complete_began_ = std::min(record.last_complete_began.value_or(*last_complete_), *last_complete_);
    last_complete_mono_ = context.now.mono - (now - *last_complete_);
  }
  listing_complete_ = record.listing_complete;
  shared_accounts_ = last_complete_ ? record.shared_accounts : -1;
  unlisted_ = record.unlisted;
  total_count_ = record.total_count;
  counters_ = record.counters;
  restore_evidence(record, context);
  settle("config_changed", context);
}

void ImageTracker::restore_evidence(const ImageRecord& record, const Context& context) {
  const WallTime now = context.now.wall;
  drifts_ = record.drifts;
  std::sort(drifts_.begin(), drifts_.end(), drift_before);
  for (Drift& drift : drifts_)
    drift.since = std::min(drift.since, now);
  sightings_ = record.sightings;
  for (Sighting& sighting : sightings_) {
    sighting.first_seen = std::min(sighting.first_seen, now);
    sighting.last_seen = std::clamp(sighting.last_seen, sighting.first_seen, now);
    if (sighting.not_before > sighting.first_seen) sighting.not_before.reset();
  }
  for (const Loss& loss : record.losses) {
    const Sighting* sighting = lookup(sightings_, loss.account);
    if (sighting == nullptr || loss.first_missed < sighting->last_seen || loss.first_missed > now) continue;
    losses_.push_back({loss.account, loss.first_missed, {}});  // a clear is proven in this life or not at all
  }
  absences_ = record.absences;
  for (Absence& absence : absences_) {
    // Whatever the record says, it can neither open a drift by itself nor put one off.
    const int enough = context.watch.confirm_clears;
    absence.absences =
        is_open(absence.account, DriftKind::missing) ? enough : std::clamp(absence.absences, 0, enough - 1);
    absence.first_missed = std::min(absence.first_missed, now);
    absence.last_seen = not_later(absence.last_seen, absence.first_missed);
  }
  // A drift without its evidence (a damaged or doctored file) is still a drift: give it the least evidence
  // there can be.
  for (const Drift& drift : drifts_) {
    if (drift.kind == DriftKind::unexpected && lookup(sightings_, drift.account) == nullptr) {
      sightings_.insert(find_entry(sightings_, drift.account),
                        {drift.account, std::nullopt, drift.since, drift.since});
    }
    if (drift.kind == DriftKind::missing && lookup(absences_, drift.account) == nullptr) {
      absences_.insert(find_entry(absences_, drift.account),
                       {drift.account, drift.since, std::nullopt, context.watch.confirm_clears});
    }
  }
}

}  // namespace sharedrift
