#pragma once

#include "core/time.hpp"
#include "log/log_record.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>

#include <spdlog/formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <sys/types.h>

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

/// Writes whole lines to a descriptor with a bound on the time; see Logger. spdlog's own sinks block without
/// end on a full pipe, and its asynchronous mode loses the last lines before a crash.
class StderrSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  /// `fd` is not owned. A line waits for `patience` at most.
  StderrSink(int fd, Millis patience, std::unique_ptr<spdlog::formatter> formatter);

  [[nodiscard]] std::uint64_t written(spdlog::level::level_enum level) const { return written_.at(level); }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }
  /// A line was lost before it came here.
  void count_loss();

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override;
  void flush_() override {}  // nothing is held back

 private:
  bool write_all(std::string_view text);
  [[nodiscard]] ssize_t write_some(std::string_view text) const;

  const int fd_;
  const bool is_socket_;
  const Millis patience_;
  bool stuck_ = false;  ///< the last line did not get through: the next ones do not wait
  bool torn_ = false;   ///< and a part of it did: the next begins on a line of its own
  std::array<std::atomic<std::uint64_t>, spdlog::level::n_levels> written_{};
  std::atomic<std::uint64_t> dropped_{0};
  std::atomic<std::uint64_t> untold_{0};  ///< of the dropped ones, those that no line told of yet
};

}  // namespace sharedrift
