#include "core/image_tracker.hpp"

#include <algorithm>
#include <iterator>

namespace sharedrift {

namespace {

/// A failure that goes on is told again at every this many.
constexpr std::uint64_t kRepeatEvery = 20;

template <class Entry>
auto find_entry(std::vector<Entry>& sorted, const AccountId& account) {
  return std::lower_bound(sorted.begin(), sorted.end(), account,
                          [](const Entry& e, const AccountId& a) { return e.account < a; });
}
template <class Entry>
const Entry* lookup(const std::vector<Entry>& sorted, const AccountId& account) {
  const auto found = std::lower_bound(sorted.begin(), sorted.end(), account,
                                      [](const Entry& e, const AccountId& a) { return e.account < a; });
  return found != sorted.end() && found->account == account ? &*found : nullptr;
}

bool contains(const std::vector<AccountId>& sorted, const AccountId& account) {
  return std::binary_search(sorted.begin(), sorted.end(), account);
}

bool drift_before(const Drift& a, const Drift& b) {
  return a.kind != b.kind ? a.kind < b.kind : a.account < b.account;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) {
    if (!out.empty()) out += ',';
    out += part;
  }
  return out;
}

void add(Event& event, std::string key, FieldValue value) {
  event.fields.push_back({std::move(key), std::move(value)});
}
void add_time(Event& event, std::string key, const std::optional<WallTime>& value) {
  if (value) add(event, std::move(key), *value);
}

}  // namespace

ImageTracker::ImageTracker(std::shared_ptr<const ImagePolicy> policy) : policy_(std::move(policy)) {}

void ImageTracker::restore(const ImageRecord& record, Context& context) {
  const auto not_later = [&context](std::optional<WallTime> t) {
    return t ? std::optional(std::min(*t, context.now.wall))
             : std::nullopt;  // a record from the future proves nothing
  };
  state_ = record.state;
  state_since_ = record.state_since;
  last_attempt_ = not_later(record.last_attempt);
  last_complete_ = not_later(record.last_complete);
  last_complete_began_ = last_complete_;
  if (last_complete_) last_complete_mono_ = context.now.mono - (context.now.wall - *last_complete_);
  listing_complete_ = record.listing_complete;
  shared_accounts_ = last_complete_ ? record.shared_accounts : -1;
  unused_entries_ = record.unused_entries;
  unlisted_ = record.unlisted;
  if (last_complete_) total_count_ = shared_accounts_;
  counters_ = record.counters;
  drifts_ = record.drifts;
  std::sort(drifts_.begin(), drifts_.end(), drift_before);
  sightings_ = record.sightings;
  for (Sighting& sighting : sightings_)
    sighting.absences = 0;  // a clear is proven in this life or not at all
  absences_ = record.absences;
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
  judged_at_ = last_attempt_.value_or(context.judged_at);
  expire(context);
  derive_drift("config_changed", context);
}

bool ImageTracker::observe(const Observation& seen, Context& context) {
  request_ids_ = seen.request_ids;
  ++counters_.listings;
  last_attempt_ = context.now.wall;
  for (const AccountId& account : seen.accounts)
    see(account, context);
  for (const AccountId& account : seen.transient)
    see(account, context);
  bool lost = false;
  if (seen.complete) {
    Accounts present = seen.accounts;
    present.insert(present.end(), seen.transient.begin(), seen.transient.end());
    std::sort(present.begin(), present.end());
    lost = miss(present, CloseReason::revoked, context);
    miss_required(present, context);
    const auto count = static_cast<std::int64_t>(seen.accounts.size());
    context.changed = context.changed || count != shared_accounts_ || !last_complete_;
    shared_accounts_ = count;
    unused_entries_ =
        static_cast<std::int64_t>(unused_entries(*policy_, seen.accounts, context.judged_at).size());
    complete_listings_ = std::min(complete_listings_ + 1, context.watch.confirm_clears);
  } else if (seen.gone) {
    lost = miss({}, CloseReason::image_gone, context);
    note_gone(context);
  }
  if (!seen.gone && (seen.complete || !seen.accounts.empty())) gone_in_a_row_ = 0;
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
  request_ids_.clear();
  return lost;
}

void ImageTracker::see(const AccountId& account, Context& context) {
  const auto absence = find_entry(absences_, account);
  if (absence != absences_.end() && absence->account == account) {
    absences_.erase(absence);
    context.changed = true;
  }
  const auto place = find_entry(sightings_, account);
  if (place == sightings_.end() || place->account != account) {
    sightings_.insert(place, {account, last_complete_began_, context.now.wall, context.now.wall});
    context.changed = true;
    return;
  }
  place->last_seen = context.now.wall;
  if (place->absences == 0 && !place->held) return;
  place->absences = 0;
  place->held = false;
  place->first_missed.reset();
  context.changed = true;
  if (!is_open(account, DriftKind::unexpected) || policy_->canary) return;
  ++counters_.flaps;
  context.events.push_back(drift_event(EventType::drift_flapped, account, DriftKind::unexpected, context));
}

/// A listing, or the inventory, without those sightings that are not in `present`. True if any began to be
/// absent.
bool ImageTracker::miss(const Accounts& present, CloseReason why, Context& context) {
  bool began = false;
  for (Sighting& sighting : sightings_) {
    if (contains(present, sighting.account)) continue;
    context.changed = true;
    if (sighting.absences++ > 0 || sighting.held) continue;
    began = true;
    sighting.loss_cycle = context.cycle;
    sighting.first_missed = context.now.wall;
    if (is_open(sighting.account, DriftKind::unexpected) && !policy_->canary &&
        context.watch.confirm_clears > 1) {
      context.events.push_back(
          drift_event(EventType::drift_clearing, sighting.account, DriftKind::unexpected, context));
    }
  }
  forget_cleared(why, context);
  return began;
}

bool ImageTracker::clear_is_due(const Sighting& sighting, const Context& context) const {
  if (sighting.absences < context.watch.confirm_clears) return false;
  return !context.guarded || sighting.held || sighting.loss_cycle < context.cycle;
}

void ImageTracker::forget_cleared(CloseReason why, Context& context) {
  for (const Sighting& sighting : sightings_) {
    if (!clear_is_due(sighting, context)) continue;
    context.changed = true;
    const auto drift = std::find_if(drifts_.begin(), drifts_.end(), [&sighting](const Drift& d) {
      return d.kind == DriftKind::unexpected && d.account == sighting.account;
    });
    if (drift == drifts_.end()) continue;
    const Drift closing = *drift;
    drifts_.erase(drift);
    close(closing, why, context);
  }
  std::erase_if(sightings_, [this, &context](const Sighting& s) { return clear_is_due(s, context); });
}

/// The inventory lacks the image. Confirmed like any absence: then nothing can be missing from it any more.
void ImageTracker::note_gone(Context& context) {
  if (++gone_in_a_row_ < context.watch.confirm_clears) return;
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
      if (place->absences < context.watch.confirm_clears) {
        ++place->absences;
        context.changed = true;
      }
      continue;
    }
    const Sighting* sighting = sighting_of(account);
    const std::optional<WallTime> last_seen =
        sighting == nullptr ? std::nullopt : std::optional(sighting->last_seen);
    absences_.insert(place, {account, context.now.wall, last_seen, 1});
    context.changed = true;
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
  context.changed = true;
  if (policy_->canary) return;
  ++counters_.opened.at(static_cast<std::size_t>(kind));
  Event event = drift_event(EventType::drift_opened, account, kind, context);
  add(event, "reason", std::string{why});
  add(event, "first_run", drift.first_run);
  context.events.push_back(std::move(event));
}

/// The drift was taken off the list already; its sighting or absence may still be there and is told in the
/// event.
void ImageTracker::close(const Drift& drift, CloseReason why, Context& context) {
  context.changed = true;
  if (policy_->canary) return;
  ++counters_.closed.at(static_cast<std::size_t>(drift.kind));
  ++context.closes.at(static_cast<std::size_t>(why));
  Event event = drift_event(EventType::drift_closed, drift.account, drift.kind, context);
  add(event, "reason", std::string{to_string(why)});
  add(event, "opened", drift.since);
  context.events.push_back(std::move(event));
}

std::int64_t ImageTracker::end_cycle(std::int64_t cycle, bool hold, Context& context) {
  std::int64_t held_now = 0;
  for (Sighting& sighting : sightings_) {
    if (!hold || sighting.held || sighting.absences == 0 || sighting.loss_cycle != cycle) continue;
    sighting.held = true;
    sighting.absences = 0;  // what this cycle said does not count; the next listings do
    context.changed = true;
    ++held_now;
  }
  if (!hold)
    forget_cleared(state_ == ImageState::gone ? CloseReason::image_gone : CloseReason::revoked, context);
  judge_canary(context);
  return held_now;
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
  if (context.judged_at <= judged_at_) return;
  bool any = false;
  for (const Exception& exception : policy_->exceptions) {
    if (exception.expires <= judged_at_ || exception.expires > context.judged_at) continue;
    any = true;
    Event event = make_event(EventType::exception_expired, context);
    add(event, "account_id", std::string{exception.account.str()});
    add(event, "owner", exception.owner);
    add(event, "ticket", exception.ticket);
    add(event, "expired", exception.expires);
    context.events.push_back(std::move(event));
  }
  judged_at_ = context.judged_at;
  if (any) {
    derive_drift("exception_expired", context);
    unused_entries_ =
        static_cast<std::int64_t>(unused_entries(*policy_, listed_now(), context.judged_at).size());
    context.changed = true;
  }
}

void ImageTracker::unwatch(Context& context) {
  const std::vector<Drift> closing = std::exchange(drifts_, {});
  for (const Drift& drift : closing)
    close(drift, CloseReason::unwatched, context);
}

void ImageTracker::judge_canary(Context& context) {
  if (!policy_->canary) return;
  const bool open = std::any_of(drifts_.begin(), drifts_.end(),
                                [](const Drift& d) { return d.kind == DriftKind::unexpected; });
  if (!open && complete_listings_ < context.watch.confirm_clears) return;  // not proven either way
  if (canary_ok_ == open) return;
  const bool first = !canary_ok_;
  canary_ok_ = open;
  context.changed = true;
  if (first && open) return;  // as it should be
  context.events.push_back(make_event(open ? EventType::canary_restored : EventType::canary_lost, context));
}

void ImageTracker::note_outcome(const Observation& seen, Context& context) {
  context.changed = context.changed || listing_complete_ != seen.complete;
  listing_complete_ = seen.complete;
  if (seen.complete) {
    if (failures_in_a_row_ > 0) {
      Event event = make_event(EventType::listing_recovered, context);
      add(event, "failures", static_cast<std::int64_t>(failures_in_a_row_));
      context.events.push_back(std::move(event));
    }
    failures_in_a_row_ = 0;
    last_failure_.reset();
    note_state(seen.accounts.empty() ? ImageState::empty : ImageState::ok, context);
    return;
  }
  ++counters_.failures;
  ++failures_in_a_row_;
  const bool same_reason = last_failure_ && last_failure_->reason == seen.failure.reason;
  last_failure_ = seen.failure;
  note_state(state_of_failure(seen.failure.reason, seen.pages > 0), context);
  if (same_reason && failures_in_a_row_ % kRepeatEvery != 0) return;
  const bool answered = state_ == ImageState::incomplete || state_ == ImageState::unstable;
  Event event = make_event(answered ? EventType::listing_incomplete : EventType::poll_failed, context);
  add(event, "reason", std::string{to_string(seen.failure.reason)});
  if (!seen.failure.code.empty()) add(event, "code", seen.failure.code);
  if (seen.failure.http_status != 0) add(event, "http_status", std::int64_t{seen.failure.http_status});
  add(event, "detail", seen.failure.detail);
  add(event, "failures", static_cast<std::int64_t>(failures_in_a_row_));
  if (!seen.failure.request_id.empty()) add(event, "request_id", seen.failure.request_id);
  context.events.push_back(std::move(event));
}

void ImageTracker::note_state(ImageState state, Context& context) {
  if (state == state_) return;
  const ImageState before = std::exchange(state_, state);
  state_since_ = context.now.wall;
  context.changed = true;
  const bool expected = state == ImageState::ok || state == ImageState::empty;
  if (before == ImageState::never_read && expected) return;  // a start is not news for every image
  Event event = make_event(EventType::image_state_changed, context);
  add(event, "from", std::string{to_string(before)});
  add(event, "to", std::string{to_string(state)});
  context.events.push_back(std::move(event));
}

bool ImageTracker::is_open(const AccountId& account, DriftKind kind) const {
  return std::any_of(drifts_.begin(), drifts_.end(),
                     [&account, kind](const Drift& d) { return d.kind == kind && d.account == account; });
}

Event ImageTracker::make_event(EventType type, const Context& context) const {
  Event event{type, context.now.wall, policy_->id.str(), {}};
  if (!policy_->name.empty()) add(event, "image_name", policy_->name);
  return event;
}

Event ImageTracker::drift_event(EventType type, const AccountId& account, DriftKind kind,
                                const Context& context) const {
  Event event = make_event(type, context);
  add(event, "account_id", std::string{account.str()});
  const auto name = context.watch.account_names.find(account);
  if (name != context.watch.account_names.end()) add(event, "account_name", name->second);
  add(event, "kind", std::string{to_string(kind)});
  if (const Sighting* sighting = sighting_of(account); kind == DriftKind::unexpected && sighting != nullptr) {
    add_time(event, "not_before", sighting->not_before);
    add(event, "first_seen", sighting->first_seen);
    add(event, "last_seen", sighting->last_seen);
    add_time(event, "not_after", sighting->first_missed);
  }
  if (const Absence* absence = absence_of(account); kind == DriftKind::missing && absence != nullptr) {
    add_time(event, "last_seen", absence->last_seen);
    add(event, "not_after", absence->first_missed);
  }
  if (!request_ids_.empty()) add(event, "request_ids", joined(request_ids_));
  if (!context.watch.config_hash.empty()) add(event, "config", context.watch.config_hash);
  return event;
}

const Sighting* ImageTracker::sighting_of(const AccountId& account) const {
  return lookup(sightings_, account);
}
const Absence* ImageTracker::absence_of(const AccountId& account) const {
  return lookup(absences_, account);
}

ImageTracker::Accounts ImageTracker::listed_now() const {
  Accounts accounts;
  for (const Sighting& sighting : sightings_) {
    if (sighting.absences == 0 && !sighting.held) accounts.push_back(sighting.account);
  }
  return accounts;
}

std::int64_t ImageTracker::held() const {
  return std::count_if(sightings_.begin(), sightings_.end(), [](const Sighting& s) { return s.held; });
}

bool ImageTracker::is_stale(const Context& context) const {
  return context.now.mono >= last_complete_mono_ + context.watch.stale_after;
}

MonoTime ImageTracker::next_deadline(const Context& context) const {
  MonoTime next = MonoTime::max();
  if (last_complete_ && !is_stale(context)) next = last_complete_mono_ + context.watch.stale_after;
  if (const auto expiry = next_expiry(*policy_, context.judged_at)) {
    next = std::min(next, context.now.mono + (*expiry - context.judged_at));
  }
  return next;
}

DriftView ImageTracker::drift_view(const Drift& drift) const {
  DriftView view{drift.account, drift.kind, drift.since};
  view.first_run = drift.first_run;
  if (const Sighting* sighting = sighting_of(drift.account);
      drift.kind == DriftKind::unexpected && sighting != nullptr) {
    view.not_before = sighting->not_before;
    view.first_seen = sighting->first_seen;
    view.last_seen = sighting->last_seen;
    view.clearing = sighting->absences > 0;
    view.held = sighting->held;
  }
  if (const Absence* absence = absence_of(drift.account);
      drift.kind == DriftKind::missing && absence != nullptr) {
    view.last_seen = absence->last_seen;
  }
  return view;
}

std::shared_ptr<const ImageView> ImageTracker::view(const Context& context) const {
  auto view = std::make_shared<ImageView>();
  view->policy = policy_;
  view->state = state_;
  view->state_since = state_since_;
  view->listing_complete = listing_complete_;
  view->last_complete = last_complete_;
  view->last_attempt = last_attempt_;
  view->last_failure = last_failure_;
  view->counters = counters_;
  view->allowed_accounts = allowed_count(*policy_, context.judged_at);
  std::int64_t unexpected = 0;
  std::int64_t missing = 0;
  for (const Drift& drift : drifts_) {
    ++(drift.kind == DriftKind::unexpected ? unexpected : missing);
    view->drifts.push_back(drift_view(drift));
  }
  // A 0 is a claim that needs a proof, and one that is not too old; what is above 0 stays until proven
  // otherwise.
  const bool proven = last_complete_ && !is_stale(context);
  const auto gauge = [](std::int64_t value, bool claim_allowed) {
    return value > 0 || (value == 0 && claim_allowed) ? std::optional(value) : std::nullopt;
  };
  view->unexpected_accounts = gauge(unexpected, proven);
  view->missing_accounts = gauge(missing, proven);
  if (last_complete_) {
    view->shared_accounts = gauge(shared_accounts_, proven);
    view->unused_entries = gauge(unused_entries_, proven);
  }
  if (total_count_ >= 0) view->unlisted_accounts = gauge(unlisted_, proven);
  view->exceptions = policy_->exceptions;
  for (const Sighting& sighting : sightings_)
    view->sightings.push_back(sighting.account);
  return view;
}

ImageRecord ImageTracker::record() const {
  ImageRecord record{policy_->id};
  record.state = state_;
  record.last_complete = last_complete_;
  record.last_attempt = last_attempt_;
  record.state_since = state_since_;
  record.shared_accounts = shared_accounts_;
  record.unused_entries = unused_entries_;
  record.unlisted = unlisted_;
  record.listing_complete = listing_complete_;
  record.counters = counters_;
  record.sightings = sightings_;
  record.absences = absences_;
  record.drifts = drifts_;
  return record;
}

}  // namespace sharedrift
