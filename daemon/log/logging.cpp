#include "log/logging.hpp"

#include "core/number.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <climits>
#include <functional>
#include <mutex>
#include <string>

#include <poll.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sharedrift {

namespace {

using Steady = std::chrono::steady_clock;

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::debug: return spdlog::level::debug;
    case Level::info: return spdlog::level::info;
    case Level::warn: return spdlog::level::warn;
    case Level::error: return spdlog::level::err;
  }
  return spdlog::level::err;
}

/// sd-daemon(3): the syslog priority.
std::string_view priority(Level level) {
  switch (level) {
    case Level::debug: return "<7>";
    case Level::info: return "<6>";
    case Level::warn: return "<4>";
    case Level::error: return "<3>";
  }
  return "<3>";
}

bool wait_writable(int fd, Steady::time_point until) {
  while (true) {
    const auto left = std::chrono::ceil<Millis>(until - Steady::now());
    pollfd entry{fd, POLLOUT, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (ready > 0) return true;  // errors too: the write will tell
    if (ready == 0 || errno != EINTR) return false;
  }
}

bool is_socket(int fd) {
  struct stat status {};
  return fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode);
}

}  // namespace

bool is_journal_stream(int fd, const char* journal_stream) {
  if (journal_stream == nullptr) return false;
  const std::string_view text = journal_stream;
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return false;
  const auto device = parse_number<std::uint64_t>(text.substr(0, colon));
  const auto inode = parse_number<std::uint64_t>(text.substr(colon + 1));
  struct stat status {};
  return device && inode && fstat(fd, &status) == 0 && status.st_dev == *device && status.st_ino == *inode;
}

/// Writes whole lines with a bound on the time. spdlog 1.10's own sinks block without end on a full pipe, and
/// its asynchronous mode loses the last lines of a crash.
class Logger::Sink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  Sink(int fd, Millis patience) : fd_(fd), is_socket_(is_socket(fd)), patience_(patience) {}

  /// What to write before the next line that gets through, from the number of lines lost before it and the
  /// time.
  std::function<std::string(std::uint64_t, WallTime)> loss_note;
  [[nodiscard]] std::uint64_t written(Level level) const { return written_.at(index(level)).load(); }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_.load(); }
  void count_loss() {
    ++dropped_;
    ++untold_;
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    std::string text;
    if (torn_) text += '\n';
    const std::uint64_t untold = untold_.load();
    if (untold > 0) text.append(loss_note(untold, std::chrono::floor<Millis>(message.time))).append("\n");
    text.append(message.payload.data(), message.payload.size()).append("\n");
    if (!write_all(text)) {
      count_loss();
      return;
    }
    untold_ -= untold;
    ++written_.at(index_of(message.level));
  }
  void flush_() override {}

 private:
  static std::size_t index(Level level) { return static_cast<std::size_t>(level); }
  static std::size_t index_of(spdlog::level::level_enum level) {
    switch (level) {
      case spdlog::level::debug: return index(Level::debug);
      case spdlog::level::info: return index(Level::info);
      case spdlog::level::warn: return index(Level::warn);
      default: return index(Level::error);
    }
  }

  [[nodiscard]] ssize_t write_some(std::string_view text) const {
    // What poll promises is room for this much: more could block in a pipe.
    const std::size_t size = std::min<std::size_t>(text.size(), PIPE_BUF);
    return is_socket_ ? ::send(fd_, text.data(), size, MSG_DONTWAIT | MSG_NOSIGNAL)
                      : ::write(fd_, text.data(), size);
  }
  bool write_all(std::string_view text) {
    const auto until = Steady::now() + (stuck_ ? Millis{0} : patience_);
    const std::size_t size = text.size();
    while (!text.empty()) {
      const ssize_t sent = wait_writable(fd_, until) ? write_some(text) : -1;
      if (sent > 0) {
        text.remove_prefix(static_cast<std::size_t>(sent));
      } else if (Steady::now() >= until || (errno != EINTR && errno != EAGAIN)) {
        stuck_ = true;
        torn_ = torn_ ? text.size() != size - 1 : text.size() != size;
        return false;
      }
    }
    stuck_ = torn_ = false;
    return true;
  }

  const int fd_;
  const bool is_socket_;
  const Millis patience_;
  bool stuck_ = false;  ///< the last line did not get through: the next ones do not wait
  bool torn_ = false;   ///< and a part of it did: the next begins on a line of its own
  std::array<std::atomic<std::uint64_t>, 4> written_{};
  std::atomic<std::uint64_t> dropped_{0};
  std::atomic<std::uint64_t> untold_{0};
};

class Logger::Backend {
 public:
  explicit Backend(std::shared_ptr<Sink> sink) : logger("sharedrift", std::move(sink)) {
    logger.set_level(spdlog::level::trace);  // the filter is ours
  }
  spdlog::logger logger;
};

Logger::Logger(LogOptions options)
    : options_(options), sink_(std::make_shared<Sink>(options.fd, options.patience)) {
  sink_->loss_note = [this](std::uint64_t lines, WallTime now) {
    return line({EventType::log_lines_dropped, now, "", {{"lines", static_cast<std::int64_t>(lines)}}});
  };
  backend_ = std::make_unique<Backend>(sink_);
  backend_->logger.set_error_handler([this](const std::string& /*what*/) { sink_->count_loss(); });
}

Logger::~Logger() = default;

void Logger::on_event(const Event& event) noexcept {
  const Level level = spec(event.type).level;
  if (level < options_.level) return;
  try {
    const std::string text = line(event);
    backend_->logger.log(event.at, spdlog::source_loc{}, to_spdlog(level), text);
  } catch (...) {  // out of memory: the line is lost, the daemon is not
    sink_->count_loss();
  }
}

std::string Logger::line(const Event& event) const {
  std::string text;
  if (options_.priority_prefix && options_.format == LogFormat::logfmt)
    text = priority(spec(event.type).level);
  append_record(text, options_.format, event);
  return text;
}

LogCounts Logger::counts() const {
  LogCounts counts;
  for (const Level level : {Level::debug, Level::info, Level::warn, Level::error})
    counts.lines.at(static_cast<std::size_t>(level)) = sink_->written(level);
  counts.dropped = sink_->dropped();
  return counts;
}

}  // namespace sharedrift
