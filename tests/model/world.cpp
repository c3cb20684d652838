#include "world.hpp"

#include "support/fleet.hpp"

#include <algorithm>

namespace sharedrift::testing {

namespace {

constexpr WallTime kStart{Millis{1'795'000'000'000}};
/// Twenty minutes from its beginning a cycle ends by time: an interval and a quarter.
constexpr Millis kInterval = std::chrono::minutes{16};
constexpr Millis kStaleAfter = std::chrono::minutes{law::kStaleAfter};
constexpr int kOthers = 9;
constexpr int kLosers = 3;  ///< of ten images: more than 20 %

const ImageId& subject() {
  static const ImageId id = *ImageId::parse("m-0");
  return id;
}
ImageId other(int number) {
  return *ImageId::parse("m-" + std::to_string(number));
}
Instant instant(int minute) {
  return {MonoTime{std::chrono::hours{1} + std::chrono::minutes{minute}},
          kStart + std::chrono::minutes{minute}};
}
int minute(WallTime time) {
  return static_cast<int>(std::chrono::duration_cast<std::chrono::minutes>(time - kStart).count());
}
int minute(const std::optional<WallTime>& time) {
  return time ? minute(*time) : law::kNever;
}
std::vector<AccountId> accounts_of(const law::Each<bool>& in) {
  std::vector<AccountId> out;
  for (law::Who a = 0; a < law::kAccounts; ++a) {
    if (in.at(a)) out.push_back(account(static_cast<int>(a) + 1));
  }
  return out;
}

Reason reason_of(law::Failure failure) {
  switch (failure) {
    case law::Failure::gone: return Reason::image_gone;
    case law::Failure::forbidden: return Reason::forbidden;
    case law::Failure::unknown_owner: return Reason::ownership_unknown;
    case law::Failure::none:
    case law::Failure::throttled: break;
  }
  return Reason::throttled;
}

law::State state_of(ImageState state) {
  switch (state) {
    case ImageState::never_read: return law::State::never_read;
    case ImageState::ok: return law::State::ok;
    case ImageState::empty: return law::State::empty;
    case ImageState::forbidden: return law::State::forbidden;
    case ImageState::gone: return law::State::gone;
    case ImageState::unreachable: return law::State::unreachable;
    case ImageState::incomplete:
    case ImageState::unstable:
    case ImageState::invalid: break;
  }
  return law::State::incomplete;
}

std::string words(const Event& event) {
  std::string out{to_string(event.type)};
  if (event.find("account_id") == nullptr) return out;
  out += event.text("account_id") == account(1).str() ? " A" : " B";
  for (const char* key : {"kind", "reason"}) {
    const bool tells = event.type == EventType::drift_opened || event.type == EventType::drift_closed;
    if (tells) out += " " + event.text(key);
  }
  if (event.text("kind") == "missing" || event.type == EventType::exception_expired) return out;
  const auto at = [&event](const char* key) {
    const FieldValue* value = event.find(key);
    return law::moment(value == nullptr ? law::kNever : minute(std::get<WallTime>(*value)));
  };
  return out + law::window(at("not_before"), at("first_seen"), at("last_seen"), at("not_after"));
}

}  // namespace

World::World(const law::House& house) : house_(house) {
  for (int i = 1; house.guarded && i <= kOthers; ++i)
    others_.push_back(an_image(other(i).str()).allowing({9}).stale_after(kStaleAfter).build());
  Step start;
  tracker_ = std::make_unique<Tracker>(watch({}), SavedState{}, instant(0), start);
  poll_others({account(9)}, instant(0));
  save_all();
}

WatchList World::watch(const law::Rules& rules) const {
  WatchList list;
  ImagePolicy policy{subject()};
  policy.stale_after = kStaleAfter;
  policy.allowed = accounts_of(rules.allowed);
  policy.required = accounts_of(rules.required);
  policy.canary = house_.canary;
  for (law::Who a = 0; a < law::kAccounts; ++a) {
    const int until = rules.excepted_until.at(a);
    if (until != law::kNever)
      policy.exceptions.push_back({account(static_cast<int>(a) + 1), instant(until).wall, "o", "t", "r"});
  }
  list.images.push_back(std::make_shared<const ImagePolicy>(policy));
  list.images.insert(list.images.end(), others_.begin(), others_.end());
  list.interval = kInterval;
  list.confirm_clears = house_.confirm;
  return list;
}

void World::take(const law::Step& step) {
  news_.clear();
  const Instant before = instant(now_);
  now_ = step.at;
  const Instant now = instant(step.at);
  switch (step.kind) {
    case law::Step::Kind::poll: return poll(step);
    case law::Step::Kind::reload: return note(tracker_->reconfigure(watch(step.rules), now));
    case law::Step::Kind::restart: return restart(step);
    case law::Step::Kind::rewatch: return rewatch(step);
    case law::Step::Kind::silence:
    case law::Step::Kind::cycle_end: break;
  }
  if (step.held) poll_others({}, before);  // in the cycle that ends
  note(tracker_->tick(now));
  if (step.held) poll_others({account(9)}, now);
}

void World::poll(const law::Step& step) {
  Observation seen;
  seen.started = instant(step.at - 1).wall;
  seen.complete = step.complete;
  seen.accounts = accounts_of(step.complete ? step.listed : step.row);
  law::Each<bool> transient{};
  for (law::Who a = 0; a < law::kAccounts; ++a)
    transient.at(a) = step.complete && step.row.at(a) && !step.listed.at(a);
  seen.transient = accounts_of(transient);
  if (step.complete) seen.total_count = static_cast<std::int64_t>(seen.accounts.size());
  seen.gone = step.failure == law::Failure::gone;
  seen.failure.reason = reason_of(step.failure);
  const bool list_came = step.complete || seen.gone || step.failure == law::Failure::unknown_owner;
  seen.pages = list_came || !seen.accounts.empty() ? 1 : 0;
  note(tracker_->apply(subject(), seen, instant(step.at)));
}

void World::poll_others(const std::vector<AccountId>& accounts, Instant now) {
  for (int i = 1; house_.guarded && i <= kLosers; ++i) {
    Observation seen;
    seen.accounts = accounts;
    seen.complete = true;
    seen.pages = 1;
    seen.started = now.wall;
    note(tracker_->apply(other(i), seen, now));
  }
}

void World::restart(const law::Step& step) {
  if (step.saved) save_all();
  live_anew(watch(step.rules), instant(step.at));
}

void World::live_anew(const WatchList& watch, Instant now) {
  SavedState saved;
  saved.fleet = saved_fleet_;
  for (const auto& [id, record] : saved_)
    saved.images.push_back(record);
  Step start;
  tracker_ = std::make_unique<Tracker>(watch, saved, now, start);
  note(start);
}

void World::rewatch(const law::Step& step) {
  WatchList without = watch(step.rules);
  without.images.erase(without.images.begin());
  const Instant between = instant(step.at - 1);
  note(tracker_->reconfigure(without, between));
  if (step.kill_between) live_anew(without, between);
  note(tracker_->reconfigure(watch(step.rules), instant(step.at)));
}

/// Saves what would be lost, as the daemon does at once, and takes down the news.
void World::note(const Step& step) {
  for (const Step::Change& change : step.changed) {
    const ImageId& id = change.view->policy->id;
    const bool told = std::any_of(step.events.begin(), step.events.end(),
                                  [&id](const Event& event) { return event.image_id == id.str(); });
    if (change.urgent || told) saved_.insert_or_assign(id, tracker_->record(id));
  }
  for (const Step::Unwatched& left : step.unwatched)
    saved_.insert_or_assign(left.record.id, left.record);
  if (!step.events.empty()) saved_fleet_ = tracker_->fleet_record();
  for (const Event& event : step.events) {
    if (event.image_id != subject().str()) continue;
    news_.push_back(words(event));
    const std::size_t kind = event.text("kind") == "missing" ? 1 : 0;
    if (event.type == EventType::drift_opened) ++told_.opened.at(kind);
    if (event.type == EventType::drift_closed) ++told_.closed.at(kind);
    if (event.type == EventType::drift_flapped) ++told_.flaps;
    for (const CloseReason reason : kAllCloseReasons) {
      if (event.type == EventType::drift_closed && event.text("reason") == to_string(reason))
        ++told_closes_.at(static_cast<std::size_t>(reason));
    }
  }
  std::sort(news_.begin(), news_.end());
}

void World::save_all() {
  for (const auto& policy : tracker_->watch().images)
    saved_.insert_or_assign(policy->id, tracker_->record(policy->id));
  saved_fleet_ = tracker_->fleet_record();
}

World::Look World::look() const {
  const ImageRecord record = tracker_->record(subject());
  const auto view = tracker_->view(subject(), instant(now_));
  const law::Picture is = picture(record, *view);
  return {is, contradictions(is, record, *view)};
}

law::Picture World::picture(const ImageRecord& record, const ImageView& view) const {
  law::Picture out;
  for (law::Who a = 0; a < law::kAccounts; ++a) {
    const AccountId id = account(static_cast<int>(a) + 1);
    law::Account& is = out.accounts.at(a);
    for (const Sighting& s : record.sightings) {
      if (s.account != id) continue;
      is.known = true;
      is.not_before = minute(s.not_before);
      is.first_seen = minute(s.first_seen);
      is.last_seen = minute(s.last_seen);
    }
    for (const Loss& l : record.losses) {
      if (l.account != id) continue;
      is.lost_since = minute(l.first_missed);
      is.absences = std::min(l.proof.count, house_.confirm);
      is.held = l.proof.held;
    }
    for (const Absence& l : record.absences) {
      if (l.account != id) continue;
      is.missed = l.absences;
      is.missed_since = minute(l.first_missed);
      is.missed_last_seen = minute(l.last_seen);
    }
    for (const Drift& d : record.drifts) {
      if (d.account != id) continue;
      if (d.kind == DriftKind::unexpected) {
        is.unexpected_since = minute(d.since);
        is.unexpected_first_run = d.first_run;
      } else {
        is.missing_since = minute(d.since);
        is.missing_first_run = d.first_run;
      }
    }
  }
  out.state = state_of(view.state);
  out.state_since = minute(view.state_since);
  out.last_poll = minute(view.last_poll);
  out.last_complete = minute(view.last_complete);
  out.listing_complete = view.listing_complete;
  out.shared = static_cast<int>(record.shared_accounts);
  out.unused = static_cast<int>(record.unused_entries);
  out.may_claim_0 = view.unlisted_accounts.has_value() && view.last_complete.has_value();
  return out;
}

std::string World::contradictions(const law::Picture& is, const ImageRecord& record,
                                  const ImageView& view) const {
  std::string out;
  const auto expect = [&out](bool holds, const char* what) {
    if (!holds) out += std::string(out.empty() ? "" : ", ") + what;
  };
  std::int64_t unexpected = 0;
  std::int64_t missing = 0;
  std::int64_t held = 0;
  for (const DriftView& drift : view.drifts) {
    const bool is_missing = drift.kind == DriftKind::missing;
    ++(is_missing ? missing : unexpected);
    const law::Account& account_is = is.accounts.at(drift.account == account(1) ? 0 : 1);
    expect(is_missing || (drift.clearing == (account_is.absences > 0) && drift.held == account_is.held),
           "a view says clearing or held and its record does not");
  }
  for (const law::Account& account_is : is.accounts)
    held += account_is.held ? 1 : 0;
  const auto gauge = [&is](std::int64_t value) {
    return value > 0 || is.may_claim_0 ? std::optional(value) : std::nullopt;
  };
  expect(view.drifts.size() == record.drifts.size(), "view and record have other drifts");
  expect(view.unexpected_accounts == gauge(unexpected), "the gauge of unexpected accounts");
  expect(view.missing_accounts == gauge(missing), "the gauge of missing accounts");
  expect(view.sightings.size() == record.sightings.size(), "view and record have other sightings");
  expect(tracker_->clears_held() == held, "the number of clears that are held");
  expect(record.counters.opened == told_.opened, "opened_total is not the number of its events");
  expect(record.counters.closed == told_.closed, "closed_total is not the number of its events");
  expect(record.counters.flaps == told_.flaps, "flaps_total is not the number of its events");
  expect(tracker_->closes() == told_closes_, "closed_by_reason_total is not the number of its events");
  return out;
}

}  // namespace sharedrift::testing
