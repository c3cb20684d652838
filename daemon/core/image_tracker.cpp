#include "core/image_tracker.hpp"

#include "core/event.hpp"
#include "core/listing.hpp"
#include "core/sorted_entries.hpp"

#include <algorithm>
#include <iterator>

namespace sharedrift {

namespace {
/// Of a long list an event names the last ones only.
constexpr std::size_t kMostRequestIds = 4;
}  // namespace

ImageTracker::ImageTracker(std::shared_ptr<const ImagePolicy> policy, WallTime judged_at)
    : policy_(std::move(policy)), known_{policy_->id}, judged_at_(judged_at) {}

bool ImageTracker::observe(const Observation& seen, Context& context) {
  const std::span all(seen.request_ids);
  context.request_ids = all.last(std::min(all.size(), kMostRequestIds));
  ++known_.counters.listings;
  known_.last_poll = context.now.wall;
  see(seen.accounts, context);
  see(seen.transient, context);
  if (!seen.gone && (seen.complete || !seen.accounts.empty())) gone_ = {};
  bool lost = false;
  if (seen.complete) {
    Accounts present;
    present.reserve(seen.accounts.size() + seen.transient.size());
    std::set_union(seen.accounts.begin(), seen.accounts.end(), seen.transient.begin(), seen.transient.end(),
                   std::back_inserter(present));
    miss_required(present, context);
    lost = miss(present, context);
    known_.shared_accounts = static_cast<std::int64_t>(seen.accounts.size());
    complete_listings_ = std::min(complete_listings_ + 1, context.watch.confirm_clears);
    known_.last_complete = context.now.wall;
    known_.last_complete_began = std::min(seen.started, context.now.wall);
    last_complete_mono_ = context.now.mono;
  } else if (seen.gone) {
    lost = note_gone(context);
  }
  if (seen.total_count >= 0) {
    known_.total_count = seen.total_count;
    known_.unlisted = seen.unlisted();
  }
  settle("listed", context);
  note_outcome(seen, context);
  return lost;
}

void ImageTracker::see(const Accounts& accounts, Context& context) {
  std::vector<Sighting> fresh;
  for (const AccountId& account : accounts) {
    const auto place = find_entry(known_.sightings, account);
    if (place == known_.sightings.end() || place->account != account) {
      fresh.push_back({account, known_.last_complete_began, context.now.wall, context.now.wall});
    } else {
      place->last_seen = context.now.wall;
    }
  }
  merge_into(known_.sightings, std::move(fresh));
  recover(accounts, context);
}

/// What was lost or absent and is seen again is so no longer. An unexpected account that comes back before it
/// was cleared flaps.
void ImageTracker::recover(const Accounts& seen, Context& context) {
  const auto is_seen = [&seen](const auto& entry) { return contains(seen, entry.account); };
  std::erase_if(known_.absences, is_seen);
  Accounts flapped;
  for (const Loss& loss : known_.losses) {
    if (is_seen(loss) && loss.proof.begun()) flapped.push_back(loss.account);
  }
  std::erase_if(known_.losses, is_seen);
  for (const AccountId& account : flapped) {
    if (!is_open(account, DriftKind::unexpected) || policy_->canary) continue;
    ++known_.counters.flaps;
    context.events.push_back(drift_event(EventType::drift_flapped, account, DriftKind::unexpected, context));
  }
}

/// A listing, or the inventory, without those sightings that are not in `present`. True if any began to be
/// absent.
bool ImageTracker::miss(const Accounts& present, Context& context) {
  std::vector<Loss> fresh;
  for (const Sighting& sighting : known_.sightings) {
    if (contains(present, sighting.account)) continue;
    const auto loss = find_entry(known_.losses, sighting.account);
    if (loss == known_.losses.end() || loss->account != sighting.account)
      fresh.push_back({sighting.account, context.now.wall, {}});
  }
  merge_into(known_.losses, std::move(fresh));
  bool began = false;
  for (Loss& loss : known_.losses) {
    if (contains(present, loss.account) || !loss.proof.add(context.cycle)) continue;
    began = true;
    if (is_open(loss.account, DriftKind::unexpected) && !policy_->canary &&
        context.watch.confirm_clears > 1) {
      context.events.push_back(
          drift_event(EventType::drift_clearing, loss.account, DriftKind::unexpected, context));
    }
  }
  return began;
}

/// The inventory lacks the image, and so do all who had access. True if that is new.
bool ImageTracker::note_gone(Context& context) {
  const bool known = known_.state != ImageState::gone && known_.state != ImageState::never_read;
  const bool turned = gone_.add(context.cycle) && known;
  return miss({}, context) || turned;
}

void ImageTracker::miss_required(const Accounts& present, Context& context) {
  for (const AccountId& account : policy_->required) {
    if (contains(present, account)) continue;
    const auto place = find_entry(known_.absences, account);
    if (place != known_.absences.end() && place->account == account) {
      place->absences = std::min(place->absences + 1, context.watch.confirm_clears);
      continue;
    }
    std::optional<WallTime> last_seen;
    if (const Sighting* sighting = sighting_of(account)) last_seen = sighting->last_seen;
    known_.absences.insert(place, {account, context.now.wall, last_seen, 1});
  }
}

bool ImageTracker::is_enough(const Proof& proof, const Context& context) {
  if (proof.count < context.watch.confirm_clears) return false;
  return !context.guarded || proof.held || proof.cycle < context.cycle;
}

/// The end of every step, whatever moved: `why` names it for drift that begins.
void ImageTracker::settle(std::string_view why, Context& context) {
  tell_expired(context);
  forget_absent(context);
  derive_drift(why, context);
  known_.unused_entries =
      static_cast<std::int64_t>(unused_entries(*policy_, listed_now(), context.judged_at).size());
  judge_canary(context);
  judged_at_ = context.judged_at;  // may go back, if the API's clock says so
}

void ImageTracker::tell_expired(Context& context) const {
  for (const Exception& exception : policy_->exceptions) {
    if (exception.expires <= judged_at_ || exception.expires > context.judged_at) continue;
    Event event = make_event(EventType::exception_expired, context);
    event.add("account_id", std::string{exception.account.str()});
    event.add("owner", exception.owner);
    event.add("ticket", exception.ticket);
    event.add("expired", exception.expires);
    context.events.push_back(std::move(event));
  }
}

/// Sightings whose absence is proven. Nobody can be missing from an image that is proven to be gone.
void ImageTracker::forget_absent(Context& context) {
  Accounts absent;
  for (const Loss& loss : known_.losses) {
    if (is_enough(loss.proof, context)) absent.push_back(loss.account);
  }
  const auto is_absent = [&absent](const auto& entry) { return contains(absent, entry.account); };
  for (const Drift& drift : known_.drifts) {
    if (drift.kind == DriftKind::unexpected && is_absent(drift))
      close(drift, gone_.begun() ? CloseReason::image_gone : CloseReason::revoked, context);
  }
  std::erase_if(known_.drifts,
                [&is_absent](const Drift& d) { return d.kind == DriftKind::unexpected && is_absent(d); });
  std::erase_if(known_.sightings, is_absent);
  std::erase_if(known_.losses, is_absent);
  if (is_enough(gone_, context)) known_.absences.clear();
}

/// Brings the open drifts into line with evidence and allow-list, each difference an event.
void ImageTracker::derive_drift(std::string_view why, Context& context) {
  std::erase_if(known_.absences,
                [this](const Absence& a) { return !contains(policy_->required, a.account); });
  const auto reason_to_close = [this, &context](const Drift& drift) -> std::optional<CloseReason> {
    const bool unexpected = drift.kind == DriftKind::unexpected;
    const bool wanted = unexpected ? !may_have(*policy_, drift.account, context.judged_at)
                                   : contains(policy_->required, drift.account);
    if (!wanted) return CloseReason::allowed_by_config;
    if (unexpected || absence_of(drift.account) != nullptr) return std::nullopt;
    return is_enough(gone_, context) ? CloseReason::image_gone : CloseReason::restored;
  };
  std::erase_if(known_.drifts, [&](const Drift& drift) {
    const auto reason = reason_to_close(drift);
    if (reason) close(drift, *reason, context);
    return reason.has_value();
  });
  std::vector<Drift> fresh;
  for (const Sighting& sighting : known_.sightings) {
    const AccountId& account = sighting.account;
    if (may_have(*policy_, account, context.judged_at) || is_open(account, DriftKind::unexpected)) continue;
    const bool expired = may_have(*policy_, account, judged_at_);
    fresh.push_back(open(account, DriftKind::unexpected, expired ? "exception_expired" : why, context));
  }
  for (const Absence& absence : known_.absences) {
    if (absence.absences < context.watch.confirm_clears || is_open(absence.account, DriftKind::missing))
      continue;
    fresh.push_back(
        open(absence.account, DriftKind::missing, why == kWatchedAgain ? why : "absent", context));
  }
  merge_into(known_.drifts, std::move(fresh));
}

Drift ImageTracker::open(const AccountId& account, DriftKind kind, std::string_view why, Context& context) {
  Drift drift{account, kind, context.now.wall};
  if (kind == DriftKind::unexpected) {
    drift.first_run = !sighting_of(account)->not_before;
  } else {
    const Absence& absence = *absence_of(account);
    drift.since = absence.first_missed;
    const std::uint64_t complete = known_.counters.listings - known_.counters.failures;
    drift.first_run =
        !absence.last_seen && complete <= static_cast<std::uint64_t>(context.watch.confirm_clears);
  }
  if (policy_->canary) return drift;
  ++known_.counters.opened.at(static_cast<std::size_t>(kind));
  Event event = drift_event(EventType::drift_opened, account, kind, context);
  event.add("reason", std::string{why});
  event.add("first_run", drift.first_run);
  if (policy_->discovered && drift.first_run) event.add("discovered", true);
  context.events.push_back(std::move(event));
  return drift;
}

/// Tells that the drift is over; its sighting or absence may still be there and is told in the event.
void ImageTracker::close(const Drift& drift, CloseReason why, Context& context) {
  if (policy_->canary) return;
  ++known_.counters.closed.at(static_cast<std::size_t>(drift.kind));
  ++context.closes.at(static_cast<std::size_t>(why));
  Event event = drift_event(EventType::drift_closed, drift.account, drift.kind, context);
  event.add("reason", std::string{to_string(why)});
  event.add("opened", drift.since);
  context.events.push_back(std::move(event));
}

void ImageTracker::end_cycle(std::int64_t cycle, bool hold, Context& context) {
  const auto judge = [cycle, hold](Proof& proof) {
    if (hold && !proof.held && proof.cycle == cycle) proof.hold();
  };
  for (Loss& loss : known_.losses)
    judge(loss.proof);
  judge(gone_);
  settle("", context);
}

void ImageTracker::adopt(std::shared_ptr<const ImagePolicy> policy, Context& context) {
  policy_ = std::move(policy);
  settle("config_changed", context);
}

void ImageTracker::expire(Context& context) {
  settle("", context);
}

ImageRecord ImageTracker::unwatch(Context& context) {
  for (const Drift& drift : known_.drifts)
    close(drift, CloseReason::unwatched, context);
  ImageRecord left = known_;
  left.unwatched_since = context.now.wall;
  return left;
}

bool ImageTracker::is_open(const AccountId& account, DriftKind kind) const {
  const Drift drift{account, kind, {}};
  return std::binary_search(known_.drifts.begin(), known_.drifts.end(), drift, drift_before);
}

const Sighting* ImageTracker::sighting_of(const AccountId& account) const {
  return lookup(known_.sightings, account);
}
const Loss* ImageTracker::loss_of(const AccountId& account) const {
  return lookup(known_.losses, account);
}
const Absence* ImageTracker::absence_of(const AccountId& account) const {
  return lookup(known_.absences, account);
}

/// The accounts that the last listing which could tell had.
ImageTracker::Accounts ImageTracker::listed_now() const {
  Accounts accounts;
  accounts.reserve(known_.sightings.size());
  for (const Sighting& sighting : known_.sightings) {
    if (loss_of(sighting.account) == nullptr) accounts.push_back(sighting.account);
  }
  return accounts;
}

std::int64_t ImageTracker::held() const {
  return std::count_if(known_.losses.begin(), known_.losses.end(),
                       [](const Loss& loss) { return loss.proof.held; });
}

}  // namespace sharedrift
