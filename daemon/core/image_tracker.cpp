#include "core/image_tracker.hpp"

#include "core/event.hpp"
#include "core/listing.hpp"
#include "core/sorted_entries.hpp"

#include <algorithm>
#include <iterator>

namespace sharedrift {

ImageTracker::ImageTracker(std::shared_ptr<const ImagePolicy> policy) : policy_(std::move(policy)) {}

bool ImageTracker::observe(const Observation& seen, Context& context) {
  context.request_ids = seen.request_ids;
  ++counters_.listings;
  last_attempt_ = context.now.wall;
  sightings_.reserve(std::max(sightings_.size(), seen.accounts.size()));  // no more than there are
  see(seen.accounts, context);
  see(seen.transient, context);
  bool lost = false;
  if (seen.complete) {
    Accounts all;
    if (!seen.transient.empty()) {
      std::set_union(seen.accounts.begin(), seen.accounts.end(), seen.transient.begin(), seen.transient.end(),
                     std::back_inserter(all));
    }
    const Accounts& present = seen.transient.empty() ? seen.accounts : all;
    lost = miss(present, CloseReason::revoked, context);
    miss_required(present, context);
    const auto count = static_cast<std::int64_t>(seen.accounts.size());
    shared_accounts_ = count;
    had_accounts_ = count > 0 || seen.may_be_gone;
    unused_entries_ =
        static_cast<std::int64_t>(unused_entries(*policy_, seen.accounts, context.judged_at).size());
    complete_listings_ = std::min(complete_listings_ + 1, context.watch.confirm_clears);
  } else if (seen.gone) {
    lost = miss({}, CloseReason::image_gone, context);
    note_gone(context);
  }
  if (!seen.gone && !seen.may_be_gone && (seen.complete || !seen.accounts.empty())) gone_in_a_row_ = 0;
  if (seen.total_count >= 0) {
    total_count_ = seen.total_count;
    unlisted_ = seen.unlisted();
  }
  expire(context);
  derive_drift("listed", context);
  if (seen.complete) {  // only now: what this listing saw for the first time was not there in the one before
    last_complete_ = context.now.wall;
    last_complete_began_ = std::min(seen.started, context.now.wall);
    last_complete_mono_ = context.now.mono;
  }
  note_outcome(seen, context);
  judge_canary(context);
  context.request_ids = {};
  return lost;
}

void ImageTracker::see(const Accounts& accounts, Context& context) {
  for (const AccountId& account : accounts) {
    const auto place = find_entry(sightings_, account);
    if (place == sightings_.end() || place->account != account) {
      sightings_.insert(place, {account, last_complete_began_, context.now.wall, context.now.wall});
    } else {
      place->last_seen = context.now.wall;
    }
  }
  recover(accounts, context);
}

/// What was lost or absent and is seen again is so no longer. An unexpected account that comes back before it
/// was cleared flaps.
void ImageTracker::recover(const Accounts& seen, Context& context) {
  const auto is_seen = [&seen](const auto& entry) { return contains(seen, entry.account); };
  std::erase_if(absences_, is_seen);
  Accounts flapped;
  for (const Loss& loss : losses_) {
    if (is_seen(loss) && (loss.absences > 0 || loss.held)) flapped.push_back(loss.account);
  }
  std::erase_if(losses_, is_seen);
  for (const AccountId& account : flapped) {
    if (!is_open(account, DriftKind::unexpected) || policy_->canary) continue;
    ++counters_.flaps;
    context.events.push_back(drift_event(EventType::drift_flapped, account, DriftKind::unexpected, context));
  }
}

/// A listing, or the inventory, without those sightings that are not in `present`. True if any began to be
/// absent.
bool ImageTracker::miss(const Accounts& present, CloseReason why, Context& context) {
  bool began = false;
  for (const Sighting& sighting : sightings_) {
    const AccountId& account = sighting.account;
    if (contains(present, account)) continue;
    auto loss = find_entry(losses_, account);
    if (loss == losses_.end() || loss->account != account)
      loss = losses_.insert(loss, {account, context.now.wall});
    if (loss->absences++ > 0 || loss->held) continue;
    began = true;
    loss->cycle = context.cycle;
    if (is_open(account, DriftKind::unexpected) && !policy_->canary && context.watch.confirm_clears > 1) {
      context.events.push_back(
          drift_event(EventType::drift_clearing, account, DriftKind::unexpected, context));
    }
  }
  forget_cleared(why, context);
  return began;
}

bool ImageTracker::clear_is_due(const Loss& loss, const Context& context) {
  if (loss.absences < context.watch.confirm_clears) return false;
  return !context.guarded || loss.held || loss.cycle < context.cycle;
}

void ImageTracker::forget_cleared(CloseReason why, Context& context) {
  Accounts cleared;
  for (const Loss& loss : losses_) {
    if (!clear_is_due(loss, context)) continue;
    cleared.push_back(loss.account);
    const auto drift = std::find_if(drifts_.begin(), drifts_.end(), [&loss](const Drift& d) {
      return d.kind == DriftKind::unexpected && d.account == loss.account;
    });
    if (drift == drifts_.end()) continue;
    const Drift closing = *drift;
    drifts_.erase(drift);
    close(closing, why, context);
  }
  const auto is_cleared = [&cleared](const auto& entry) { return contains(cleared, entry.account); };
  std::erase_if(sightings_, is_cleared);
  std::erase_if(losses_, is_cleared);
}

/// The inventory lacks the image.
void ImageTracker::note_gone(Context& context) {
  if (++gone_in_a_row_ == 1) gone_cycle_ = context.cycle;
  settle_gone(context);
}

/// Confirmed, and held, like any absence: then nothing can be missing from the image any more.
void ImageTracker::settle_gone(Context& context) {
  if (gone_in_a_row_ < context.watch.confirm_clears || (context.guarded && gone_cycle_ == context.cycle))
    return;
  absences_.clear();
  const std::vector<Drift> open = drifts_;
  std::erase_if(drifts_, [](const Drift& d) { return d.kind == DriftKind::missing; });
  for (const Drift& drift : open) {
    if (drift.kind == DriftKind::missing) close(drift, CloseReason::image_gone, context);
  }
}

void ImageTracker::miss_required(const Accounts& present, Context& context) {
  for (const AccountId& account : policy_->required) {
    if (contains(present, account)) continue;
    const auto place = find_entry(absences_, account);
    if (place != absences_.end() && place->account == account) {
      if (place->absences < context.watch.confirm_clears) ++place->absences;
      continue;
    }
    std::optional<WallTime> last_seen;
    if (const Sighting* sighting = sighting_of(account)) last_seen = sighting->last_seen;
    absences_.insert(place, {account, context.now.wall, last_seen, 1});
  }
}

/// Brings the open drifts into line with evidence and allow-list, each difference an event. `why` names what
/// moved.
void ImageTracker::derive_drift(std::string_view why, Context& context) {
  std::erase_if(absences_, [this](const Absence& a) { return !contains(policy_->required, a.account); });
  for (std::size_t i = 0; i < drifts_.size();) {
    const Drift drift = drifts_[i];
    std::optional<CloseReason> reason;
    if (drift.kind == DriftKind::unexpected) {
      if (may_have(*policy_, drift.account, context.judged_at)) reason = CloseReason::allowed_by_config;
    } else if (!contains(policy_->required, drift.account)) {
      reason = CloseReason::allowed_by_config;
    } else if (absence_of(drift.account) == nullptr) {
      reason = CloseReason::restored;
    }
    if (!reason) {
      ++i;
      continue;
    }
    drifts_.erase(drifts_.begin() + static_cast<std::ptrdiff_t>(i));
    close(drift, *reason, context);
  }
  for (const Sighting& sighting : sightings_) {
    if (!may_have(*policy_, sighting.account, context.judged_at)) {
      open(sighting.account, DriftKind::unexpected, why, context);
    }
  }
  for (const Absence& absence : absences_) {
    if (absence.absences >= context.watch.confirm_clears)
      open(absence.account, DriftKind::missing, "absent", context);
  }
}

void ImageTracker::open(const AccountId& account, DriftKind kind, std::string_view why, Context& context) {
  Drift drift{account, kind, context.now.wall};
  const auto place = std::lower_bound(drifts_.begin(), drifts_.end(), drift, drift_before);
  if (place != drifts_.end() && place->kind == kind && place->account == account) return;
  if (kind == DriftKind::unexpected) {
    drift.first_run = !sighting_of(account)->not_before;
  } else {
    const Absence& absence = *absence_of(account);
    drift.since = absence.first_missed;
    const std::uint64_t complete = counters_.listings - counters_.failures;
    drift.first_run =
        !absence.last_seen && complete <= static_cast<std::uint64_t>(context.watch.confirm_clears);
  }
  drifts_.insert(place, drift);
  if (policy_->canary) return;
  ++counters_.opened.at(static_cast<std::size_t>(kind));
  Event event = drift_event(EventType::drift_opened, account, kind, context);
  event.add("reason", std::string{why});
  event.add("first_run", drift.first_run);
  context.events.push_back(std::move(event));
}

/// The drift was taken off the list already; its sighting or absence may still be there and is told in the
/// event.
void ImageTracker::close(const Drift& drift, CloseReason why, Context& context) {
  if (policy_->canary) return;
  ++counters_.closed.at(static_cast<std::size_t>(drift.kind));
  ++context.closes.at(static_cast<std::size_t>(why));
  Event event = drift_event(EventType::drift_closed, drift.account, drift.kind, context);
  event.add("reason", std::string{to_string(why)});
  event.add("opened", drift.since);
  context.events.push_back(std::move(event));
}

void ImageTracker::end_cycle(std::int64_t cycle, bool hold, Context& context) {
  for (Loss& loss : losses_) {
    if (!hold || loss.held || loss.absences == 0 || loss.cycle != cycle) continue;
    loss.held = true;
    loss.absences = 0;  // what this cycle said does not count; the next listings do
  }
  if (hold) {
    gone_in_a_row_ = 0;
  } else {
    forget_cleared(state_ == ImageState::gone ? CloseReason::image_gone : CloseReason::revoked, context);
    settle_gone(context);
  }
  judge_canary(context);
}

void ImageTracker::adopt(std::shared_ptr<const ImagePolicy> policy, Context& context) {
  policy_ = std::move(policy);
  derive_drift("config_changed", context);
  unused_entries_ =
      static_cast<std::int64_t>(unused_entries(*policy_, listed_now(), context.judged_at).size());
  judge_canary(context);
}

void ImageTracker::expire(Context& context) {
  if (judged_at_ == WallTime{})
    judged_at_ = context.judged_at;  // what ended before the first step is no news
  if (context.judged_at <= judged_at_) {
    judged_at_ = context.judged_at;  // the API's clock said so
    return;
  }
  bool any = false;
  for (const Exception& exception : policy_->exceptions) {
    if (exception.expires <= judged_at_ || exception.expires > context.judged_at) continue;
    any = true;
    Event event = make_event(EventType::exception_expired, context);
    event.add("account_id", std::string{exception.account.str()});
    event.add("owner", exception.owner);
    event.add("ticket", exception.ticket);
    event.add("expired", exception.expires);
    context.events.push_back(std::move(event));
  }
  judged_at_ = context.judged_at;
  if (any) {
    derive_drift("exception_expired", context);
    unused_entries_ =
        static_cast<std::int64_t>(unused_entries(*policy_, listed_now(), context.judged_at).size());
  }
}

void ImageTracker::unwatch(Context& context) {
  const std::vector<Drift> closing = std::exchange(drifts_, {});
  for (const Drift& drift : closing)
    close(drift, CloseReason::unwatched, context);
}

bool ImageTracker::is_open(const AccountId& account, DriftKind kind) const {
  return std::any_of(drifts_.begin(), drifts_.end(),
                     [&account, kind](const Drift& d) { return d.kind == kind && d.account == account; });
}

const Sighting* ImageTracker::sighting_of(const AccountId& account) const {
  return lookup(sightings_, account);
}
const Loss* ImageTracker::loss_of(const AccountId& account) const {
  return lookup(losses_, account);
}
const Absence* ImageTracker::absence_of(const AccountId& account) const {
  return lookup(absences_, account);
}

ImageTracker::Accounts ImageTracker::listed_now() const {
  Accounts accounts;
  for (const Sighting& sighting : sightings_) {
    const Loss* loss = loss_of(sighting.account);
    if (loss == nullptr || (loss->absences == 0 && !loss->held)) accounts.push_back(sighting.account);
  }
  return accounts;
}

std::int64_t ImageTracker::held() const {
  return std::count_if(losses_.begin(), losses_.end(), [](const Loss& loss) { return loss.held; });
}

}  // namespace sharedrift
