// What an image's tracker hands on: the view for those who look, the record for its next life.

#include "core/image_tracker.hpp"
#include "core/view.hpp"

#include <algorithm>

namespace sharedrift {

ImageRecord ImageTracker::record() const {
  ImageRecord record{policy_->id};
  record.state = state_;
  record.last_complete = last_complete_;
  record.last_complete_began = last_complete_began_;
  record.last_poll = last_poll_;
  record.state_since = state_since_;
  record.shared_accounts = shared_accounts_;
  record.unused_entries = unused_entries_;
  record.unlisted = unlisted_;
  record.total_count = total_count_;
  record.listing_complete = listing_complete_;
  record.counters = counters_;
  record.sightings = sightings_;
  record.losses = losses_;
  record.absences = absences_;
  record.drifts = drifts_;
  return record;
}

std::shared_ptr<const ImageView> ImageTracker::view(const Viewpoint& at) const {
  auto view = std::make_shared<ImageView>();
  view->policy = policy_;
  view->state = state_;
  view->state_since = state_since_;
  view->listing_complete = listing_complete_;
  view->last_complete = last_complete_;
  view->last_poll = last_poll_;
  view->last_failure = last_failure_;
  view->counters = counters_;
  view->allowed_accounts = allowed_count(*policy_, at.judged_at);
  view->drifts.reserve(drifts_.size());
  std::int64_t unexpected = 0;
  std::int64_t missing = 0;
  for (const Drift& drift : drifts_) {
    ++(drift.kind == DriftKind::unexpected ? unexpected : missing);
    view->drifts.push_back(drift_view(drift));
  }
  // A 0 is a claim that needs a proof, and one that is not too old; what is above 0 stays until proven
  // otherwise.
  const bool proven = known_.last_complete && !is_stale(at);
  const auto gauge = [](std::int64_t value, bool claim_allowed) {
    return value > 0 || (value == 0 && claim_allowed) ? ImageView::Gauge(value) : std::nullopt;
  };
  view->unexpected_accounts = gauge(unexpected, proven);
  view->missing_accounts = gauge(missing, proven);
  if (last_complete_) {
    view->shared_accounts = gauge(shared_accounts_, proven);
    view->unused_entries = gauge(unused_entries_, proven);
  }
  if (total_count_ >= 0) {
    const auto allowed = static_cast<std::int64_t>(view->allowed_accounts);
    view->unexpected_accounts_min = gauge(std::max<std::int64_t>(0, total_count_ - allowed), proven);
    view->unlisted_accounts = gauge(unlisted_, proven);
  }
  view->sightings.reserve(sightings_.size());
  for (const Sighting& sighting : sightings_)
    view->sightings.push_back(sighting.account);
  return view;
}

DriftView ImageTracker::drift_view(const Drift& drift) const {
  DriftView view{drift.account, drift.kind, drift.first_run};
  view.since = drift.since;
  if (const Sighting* sighting = sighting_of(drift.account);
      drift.kind == DriftKind::unexpected && sighting != nullptr) {
    view.not_before = sighting->not_before;
    view.first_seen = sighting->first_seen;
    view.last_seen = sighting->last_seen;
    const Loss* loss = loss_of(drift.account);
    view.clearing = loss != nullptr && loss->proof.count > 0;
    view.held = loss != nullptr && loss->proof.held;
  }
  if (const Absence* absence = absence_of(drift.account);
      drift.kind == DriftKind::missing && absence != nullptr) {
    view.last_seen = absence->last_seen;
  }
  return view;
}

bool ImageTracker::is_stale(const Viewpoint& at) const {
  return at.now.mono >= stale_from();
}

MonoTime ImageTracker::next_deadline(const Viewpoint& at) const {
  MonoTime next = MonoTime::max();
  if (known_.last_complete && !is_stale(at)) next = stale_from();
  if (const auto expiry = next_expiry(*policy_, at.judged_at)) {
    // An exception to the end of the calendar is further away than the steady clock can count.
    constexpr Millis kFar = std::chrono::hours{24 * 365};
    next = std::min(next, at.now.mono + std::min<Millis>(*expiry - at.judged_at, kFar));
  }
  return next;
}

}  // namespace sharedrift
