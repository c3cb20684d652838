#include "log/stderr_sink.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <string>
#include <utility>

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sharedrift {

namespace {

using Steady = std::chrono::steady_clock;

bool wait_writable(int fd, Steady::time_point until) {
  while (true) {
    const auto left = std::chrono::ceil<Millis>(until - Steady::now());
    pollfd entry{fd, POLLOUT, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (ready > 0) return true;  // errors too: the write will tell
    if (ready == 0 || errno != EINTR) return false;
  }
}

/// sd-daemon(3): the syslog priority.
std::string_view priority(Level level) {
  constexpr std::array<std::string_view, 4> kPriorities{"<7>", "<6>", "<4>", "<3>"};
  return kPriorities.at(static_cast<std::size_t>(level));
}

bool is_socket(int fd) {
  struct stat status {};
  return fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode);
}

}  // namespace

void EventFormatter::format(const spdlog::details::log_msg& /*message*/, spdlog::memory_buf_t& out) {
  const Event* event = LoggedEvent::current();
  if (event == nullptr) return;  // of nobody: the logger is Logger's own
  std::string line;
  if (priority_prefix_) line = priority(spec(event->type).level);
  append_record(line, format_, *event);
  line += '\n';
  out.append(line.data(), line.data() + line.size());
}

StderrSink::StderrSink(int fd, Millis patience, std::unique_ptr<spdlog::formatter> formatter)
    : base_sink(std::move(formatter)), fd_(fd), is_socket_(is_socket(fd)), patience_(patience) {}

void StderrSink::count_loss() {
  ++dropped_;
  ++untold_;
}

void StderrSink::sink_it_(const spdlog::details::log_msg& message) {
  spdlog::memory_buf_t text;
  if (torn_) text.push_back('\n');
  const std::uint64_t untold = untold_;
  if (untold > 0) {
    const Event loss{EventType::log_lines_dropped,
                     std::chrono::floor<Millis>(message.time),
                     "",
                     {{"lines", static_cast<std::int64_t>(untold)}}};
    const LoggedEvent instead(loss);
    formatter_->format(message, text);
  }
  formatter_->format(message, text);
  if (!write_all({text.data(), text.size()})) return count_loss();
  untold_ -= untold;
  ++written_.at(message.level);
}

bool StderrSink::write_all(std::string_view text) {
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

ssize_t StderrSink::write_some(std::string_view text) const {
  // What poll promises is room for this much: more could block in a pipe.
  const std::size_t size = std::min<std::size_t>(text.size(), PIPE_BUF);
  return is_socket_ ? ::send(fd_, text.data(), size, MSG_DONTWAIT | MSG_NOSIGNAL)
                    : ::write(fd_, text.data(), size);
}

}  // namespace sharedrift
