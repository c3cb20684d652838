#pragma once

#include "log/logging.hpp"
#include "ports.hpp"

namespace sharedrift {

/// One event is exactly one log line: `ts` and `level` and `event`, `image_id` if it is about an image, then
/// the event's fields in their order. Levels are level_of()'s; nothing else in the program logs an event.
///
/// Storing is the business of whoever has the event: those of an image travel with its record
/// (StepPublisher), the daemon's own go through record(). So no event is stored twice.
///
/// The keys, which are as stable as metric names (all of an image carry image_id, and image_name if it has
/// one; every drift event carries account_id, account_name if it is in the address book, kind, config, and
/// request_ids if it came from a listing):
///
///   drift_opened         reason (listed, absent, config_changed, exception_expired), first_run, the window
///   drift_clearing       the window: a listing lacks the account, more must confirm it
///   drift_closed         reason (revoked, restored, allowed_by_config, image_gone, unwatched), opened, the
///                        window
///   drift_flapped        the window: seen again while it was clearing
///   the window           access began in (not_before, first_seen], ended in (last_seen, not_after]
///   listing_incomplete   reason, code, http_status, detail, failures, request_id: an answer that proves
///                        nothing
///   listing_failed       the same: no answer, or a refusal. Both at the first of a kind and every 20th
///   listing_recovered    failures: how many attempts in a row had failed
///   image_state_changed  from, to
///   exception_expired    account_id, owner, ticket, expired
///   canary_lost, canary_restored
///   mass_change_held     images_losing, images_watched, limit_percent, clears_held
///   monitoring_gap       from, to, seconds: nobody watched
///   first_run            images: there was no state of an earlier life
///   config_reloaded, config_rejected, state_rejected, started, stopping, stopped
///                        as their makers fill them
class EventLog final : public EventSink {
 public:
  /// `store` may be null: record() then only logs. Both must outlive the event log.
  EventLog(Logger& logger, StateStore* store) : logger_(logger), store_(store) {}
  /// The line.
  void on_event(const Event& event) noexcept override;
  /// The line and the row: for events of the daemon itself, that no image's record carries.
  void record(const Event& event) noexcept;

 private:
  Logger& logger_;
  StateStore* store_;
};

}  // namespace sharedrift
