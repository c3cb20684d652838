// What an image's tracker hands on: the view for those who look, the record for its next life.

#include "core/image_tracker.hpp"
#include "core/view.hpp"

#include <algorithm>

namespace sharedrift {

std::shared_ptr<const ImageView> ImageTracker::view(const Viewpoint& at) const {
  auto view = std::make_shared<ImageView>();
  static_cast<ImageFacts&>(*view) = static_cast<const ImageFacts&>(known_);
  view->policy = policy_;
  view->last_failure = last_failure_;
  view->allowed_accounts = static_cast<std::int64_t>(allowed_count(*policy_, at.judged_at));
  view->drifts.reserve(known_.drifts.size());
  std::int64_t unexpected = 0;
  std::int64_t missing = 0;
  for (const Drift& drift : known_.drifts) {
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
  if (known_.last_complete) {
    view->shared_accounts = gauge(known_.shared_accounts, proven);
    view->unused_entries = gauge(known_.unused_entries, proven);
  }
  if (known_.total_count >= 0) {
    view->unexpected_accounts_min =
        gauge(std::max<std::int64_t>(0, known_.total_count - *view->allowed_accounts), proven);
    view->unlisted_accounts = gauge(known_.unlisted, proven);
  }
  view->sightings.reserve(known_.sightings.size());
  for (const Sighting& sighting : known_.sightings)
    view->sightings.push_back(sighting.account);
  return view;
}

std::shared_ptr<const ImageView> ImageTracker::unwatched_view(const ImageRecord& record,
                                                              std::shared_ptr<const ImagePolicy> policy,
                                                              const Viewpoint& at) {
  ImageTracker image(std::move(policy), at.judged_at);
  image.take_up(record, at);
  auto view = std::make_shared<ImageView>(*image.view(at));
  view->listing_complete = false;
  const auto open = [](const ImageView::Gauge& gauge) { return gauge > 0 ? gauge : std::nullopt; };
  static_cast<ImageGauges&>(*view) = {.unexpected_accounts = open(view->unexpected_accounts),
                                      .missing_accounts = open(view->missing_accounts)};
  view->sightings.clear();
  std::erase_if(view->drifts, [&](const DriftView& drift) {  // a canary's is as it must be, and never told
    return view->policy->canary || record.counters.opened.at(static_cast<std::size_t>(drift.kind)) == 0;
  });
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
