#include "log/logging.hpp"

#include "core/number.hpp"
#include "log/stderr_sink.hpp"

#include <spdlog/logger.h>
#include <sys/stat.h>

namespace sharedrift {

namespace {

spdlog::level::level_enum to_spdlog(Level level) {
  return static_cast<spdlog::level::level_enum>(static_cast<int>(level) +
                                                spdlog::level::debug);  // its order is ours
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

Logger::Logger(const LogOptions& options)
    : sink_(std::make_shared<StderrSink>(
          options.fd, options.patience,
          std::make_unique<EventFormatter>(options.format, options.priority_prefix))),
      logger_(std::make_unique<spdlog::logger>("share-drift-exporter", sink_)) {
  logger_->set_level(to_spdlog(options.level));
  logger_->set_error_handler([this](const std::string& /*what*/) { sink_->count_loss(); });
}

Logger::~Logger() = default;

void Logger::on_event(const Event& event) noexcept try {
  const std::string_view name = to_string(event.type);
  const LoggedEvent logged(event);
  logger_->log(event.at, spdlog::source_loc{}, to_spdlog(spec(event.type).level), {name.data(), name.size()});
} catch (...) {  // out of memory: the line is lost, the daemon is not
  sink_->count_loss();
}

LogCounts Logger::counts() const {
  LogCounts counts;
  for (const Level level : kAllLevels)
    counts.lines.at(static_cast<std::size_t>(level)) = sink_->written(to_spdlog(level));
  counts.dropped = sink_->dropped();
  return counts;
}

}  // namespace sharedrift
