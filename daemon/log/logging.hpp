#pragma once

#include "log/log_record.hpp"
#include "ports.hpp"

#include <array>
#include <cstdint>
#include <memory>

namespace spdlog {
class logger;
}

namespace sharedrift {

class StderrSink;

struct LogOptions {
  Level level = Level::info;  ///< lines below it are not written
  LogFormat format = LogFormat::logfmt;
  int fd = 2;                    ///< not owned; must stay open
  bool priority_prefix = false;  ///< `<N>` before each logfmt line, as the journal wants it
  Millis patience{50};           ///< how long a line may wait for whoever reads it
};

/// True if `fd` is the stream to the journal that the service manager names in JOURNAL_STREAM (null: not
/// set).
bool is_journal_stream(int fd, const char* journal_stream);

struct LogCounts {
  std::array<std::uint64_t, 4> lines{};  ///< written, by Level
  std::uint64_t dropped = 0;             ///< could not be written
};

/// The log: each event is one line, built whole and written by the calling thread, so that the last word
/// before a crash is not lost; but nobody who reads slowly or not at all can hold the daemon up: a line that
/// cannot be written within the patience is dropped and counted, and until one gets through again lines do
/// not wait at all. The first line after a loss is preceded by the event `log_lines_dropped` with their
/// number. SIGPIPE must be ignored by the process.
class Logger final : public EventSink {
 public:
  explicit Logger(const LogOptions& options);
  Logger(const Logger&) = delete;
  Logger& operator=(const Logger&) = delete;
  ~Logger() override;

  void on_event(const Event& event) noexcept override;
  [[nodiscard]] LogCounts counts() const;

 private:
  std::shared_ptr<StderrSink> sink_;
  std::unique_ptr<spdlog::logger> logger_;
};

}  // namespace sharedrift
