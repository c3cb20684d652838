// What an image's tracker tells: its events, and what of an outcome is worth one.

#include "core/event.hpp"
#include "core/image_tracker.hpp"
#include "core/listing.hpp"
#include "core/text.hpp"

#include <algorithm>

namespace sharedrift {

namespace {

/// A failure that goes on is told again at every this many.
constexpr std::uint64_t kRepeatEvery = 20;

void add_time(Event& event, std::string key, const std::optional<WallTime>& value) {
  if (value) event.add(std::move(key), *value);
}

}  // namespace

void ImageTracker::judge_canary(Context& context) {
  if (!policy_->canary) return;
  const bool open = std::any_of(known_.drifts.begin(), known_.drifts.end(),
                                [](const Drift& d) { return d.kind == DriftKind::unexpected; });
  if (!open && complete_listings_ < context.watch.confirm_clears) return;  // not proven either way
  if (canary_ok_ == open) return;
  const bool first = !canary_ok_;
  canary_ok_ = open;
  if (first && open) return;  // as it should be
  context.events.push_back(make_event(open ? EventType::canary_restored : EventType::canary_lost, context));
}

void ImageTracker::note_outcome(const Observation& seen, Context& context) {
  known_.listing_complete = seen.complete;
  if (seen.complete) {
    if (failures_in_a_row_ > 0) {
      Event event = make_event(EventType::listing_recovered, context);
      event.add("failures", static_cast<std::int64_t>(failures_in_a_row_));
      context.events.push_back(std::move(event));
    }
    failures_in_a_row_ = 0;
    last_failure_.reset();
    note_state(seen.accounts.empty() ? ImageState::empty : ImageState::ok, context);
    return;
  }
  ++known_.counters.failures;
  ++failures_in_a_row_;
  const bool same_reason = last_failure_ && last_failure_->reason == seen.failure.reason;
  last_failure_ = std::make_shared<const Failure>(seen.failure);
  note_state(state_of_failure(seen.failure.reason, seen.pages > 0), context);
  if (same_reason && failures_in_a_row_ % kRepeatEvery != 0) return;
  context.events.push_back(failure_event(context));
}

Event ImageTracker::failure_event(const Context& context) const {
  const bool answered = known_.state == ImageState::incomplete || known_.state == ImageState::unstable;
  Event event = make_event(answered ? EventType::listing_incomplete : EventType::listing_failed, context);
  add_failure(event);
  return event;
}

void ImageTracker::add_failure(Event& event) const {
  sharedrift::add_failure(event, *last_failure_, static_cast<std::int64_t>(failures_in_a_row_));
}

void ImageTracker::note_state(ImageState state, Context& context) {
  if (state == known_.state) return;
  const ImageState before = std::exchange(known_.state, state);
  known_.state_since = context.now.wall;
  const bool expected = state == ImageState::ok || state == ImageState::empty;
  if (before == ImageState::never_read && expected) return;  // a start is not news for every image
  Event event = make_event(EventType::image_state_changed, context);
  event.add("from", std::string{to_string(before)});
  event.add("to", std::string{to_string(state)});
  context.events.push_back(std::move(event));
}

Event ImageTracker::make_event(EventType type, const Context& context) const {
  Event event{type, context.now.wall, policy_->id.str(), {}};
  if (!policy_->name.empty()) event.add("image_name", policy_->name);
  return event;
}

Event ImageTracker::drift_event(EventType type, const AccountId& account, DriftKind kind,
                                const Context& context) const {
  Event event = make_event(type, context);
  event.add("account_id", std::string{account.str()});
  const std::string_view name = name_of(account, context.watch.account_names);
  if (!name.empty()) event.add("account_name", std::string{name});
  event.add("kind", std::string{to_string(kind)});
  if (const Sighting* sighting = sighting_of(account); kind == DriftKind::unexpected && sighting != nullptr) {
    // Nobody can have shared it before it was made.
    const bool bounded = policy_->created && *policy_->created <= sighting->first_seen;
    add_time(event, "not_before", sighting->not_before || !bounded ? sighting->not_before : policy_->created);
    event.add("first_seen", sighting->first_seen);
    event.add("last_seen", sighting->last_seen);
    if (const Loss* loss = loss_of(account)) event.add("not_after", loss->first_missed);
  }
  if (const Absence* absence = absence_of(account); kind == DriftKind::missing && absence != nullptr) {
    add_time(event, "last_seen", absence->last_seen);
    event.add("not_after", absence->first_missed);
  }
  if (!context.request_ids.empty()) event.add("request_ids", joined(context.request_ids, ","));
  if (!context.watch.config_hash.empty()) event.add("config", context.watch.config_hash);
  return event;
}

}  // namespace sharedrift
