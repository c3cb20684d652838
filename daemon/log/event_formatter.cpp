#include "log/event_formatter.hpp"

#include <array>
#include <string>
#include <string_view>

namespace sharedrift {

namespace {

/// sd-daemon(3): the syslog priority.
std::string_view priority(Level level) {
  constexpr std::array<std::string_view, 4> kPriorities{"<7>", "<6>", "<4>", "<3>"};
  return kPriorities.at(static_cast<std::size_t>(level));
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

}  // namespace sharedrift
