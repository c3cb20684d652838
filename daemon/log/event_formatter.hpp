#pragma once

#include "log/log_record.hpp"

#include <memory>

#include <spdlog/formatter.h>

namespace sharedrift {

/// The event that this thread is logging. spdlog's messages are text without fields: the event travels beside
/// its message, from the logger through the sink to the formatter, all of it on one thread.
class LoggedEvent {
 public:
  explicit LoggedEvent(const Event& event) : before_(now_logged) { now_logged = &event; }
  LoggedEvent(const LoggedEvent&) = delete;
  LoggedEvent& operator=(const LoggedEvent&) = delete;
  ~LoggedEvent() { now_logged = before_; }
  /// Null outside of logging.
  static const Event* current() { return now_logged; }

 private:
  static inline thread_local const Event* now_logged = nullptr;
  const Event* before_;
};

/// Makes a line of the LoggedEvent. `priority_prefix` puts the journal's `<N>` before lines of logfmt.
class EventFormatter final : public spdlog::formatter {
 public:
  EventFormatter(LogFormat format, bool priority_prefix)
      : format_(format), priority_prefix_(priority_prefix && format == LogFormat::logfmt) {}
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override;
  [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<EventFormatter>(*this);
  }

 private:
  LogFormat format_;
  bool priority_prefix_;
};

}  // namespace sharedrift
