#pragma once

#include "ports.hpp"

namespace sharedrift {

/// Logs an event and stores it: for events of the daemon itself. Those of an image are stored with its
/// record, by StepPublisher, so that none is stored twice.
class EventJournal final : public EventSink {
 public:
  /// Both must outlive the journal.
  EventJournal(EventSink& log, StateStore& store) : log_(log), store_(store) {}
  void on_event(const Event& event) noexcept override {
    log_.on_event(event);
    store_.add_event(event);
  }

 private:
  EventSink& log_;
  StateStore& store_;
};

}  // namespace sharedrift
