#include "app/app.hpp"
#include "core/text.hpp"
#include "os/system_clock.hpp"
#include "store/event_reader.hpp"
#include "store/state_file.hpp"

#include <algorithm>
#include <cstdio>
#include <limits>

namespace sharedrift {

namespace {

constexpr std::size_t kTimeColumns = 19;
constexpr std::size_t kLevelColumns = 5;
constexpr std::size_t kGap = 2;

/// `2026-11-24 09:20:44`
std::string second(WallTime time) {
  const std::string stamp = format_rfc3339(time);
  return stamp.substr(0, 10) + " " + stamp.substr(11, 8);
}

std::string padded(std::string_view text, std::size_t columns) {
  std::string out{text};
  out.append(columns + kGap - std::min(columns, text.size()), ' ');
  return out;
}

/// Lines of at most `columns` where the words allow it, each after the first behind `indent` blanks.
std::string folded(std::string_view text, std::size_t columns, std::size_t indent) {
  std::string out;
  std::size_t used = 0;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    const std::size_t width = columns_of(word);
    if (used > 0 && used + 1 + width > columns) {
      out.append("\n").append(indent, ' ');
      used = 0;
    }
    if (used > 0) out += ' ';
    out += word;
    used += width + (used > 0 ? 1 : 0);
  }
  return out;
}

std::string level_cell(Level level, bool colour) {
  std::string cell = padded(to_string(level), kLevelColumns);
  if (!colour || level < Level::warn) return cell;
  return (level == Level::error ? "\033[31m" : "\033[33m") + cell + "\033[0m";
}

std::string counted(std::size_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

std::string summary_of(const std::vector<Event>& events) {
  const auto of = [&events](Level level) {
    return static_cast<std::size_t>(std::count_if(events.begin(), events.end(), [level](const Event& event) {
      return spec(event.type).level == level;
    }));
  };
  if (events.empty()) return "No event is recorded\n";
  return counted(events.size(), "event") + " from " + second(events.front().at) + " to " +
         second(events.back().at) + ": " + counted(of(Level::error), "error") + ", " +
         counted(of(Level::warn), "warning") + "\n";
}

/// In the history of an image: of a profile or of the exporter.
std::string name_cell(const Event& event, bool of_image) {
  return (of_image && event.image_id.empty() ? "* " : "") + std::string{to_string(event.type)};
}

EventQuery query_of(const Options& options) {
  EventQuery query;
  query.limit = std::numeric_limits<std::uint32_t>::max();
  if (options.limit > 0) query.limit = static_cast<std::size_t>(options.limit) + 1;
  if (!options.images.empty()) query.image_id = options.images.front().str();
  query.explaining = query.limit;
  if (const auto* moment = std::get_if<WallTime>(&options.since)) query.since = *moment;
  if (const auto* age = std::get_if<Millis>(&options.since)) query.since = SystemClock().wall() - *age;
  return query;
}

}  // namespace

std::string history_table(const std::vector<Event>& events, const Screen& screen, bool of_image) {
  constexpr std::size_t kLeast = 20;
  std::string out = summary_of(events);
  if (events.empty()) return out;
  const auto marked = std::count_if(events.begin(), events.end(), [of_image](const Event& event) {
    return of_image && event.image_id.empty();
  });
  if (marked > 0) out += "* marks what is not of this image, but of a profile or of the exporter\n";
  std::size_t names = 0;
  for (const Event& event : events)
    names = std::max(names, name_cell(event, of_image).size());
  const std::size_t indent = kTimeColumns + kLevelColumns + names + 3 * kGap;
  const std::size_t width = screen.columns == 0 ? std::numeric_limits<std::size_t>::max()
                                                : std::max(screen.columns, indent + kLeast) - indent;
  out += "\n" + padded("TIME (UTC)", kTimeColumns) + padded("LEVEL", kLevelColumns) + padded("EVENT", names) +
         "WHAT HAPPENED\n";
  for (const Event& event : events) {
    out += padded(second(event.at), kTimeColumns) + level_cell(spec(event.type).level, screen.colour) +
           padded(name_cell(event, of_image), names) +
           folded(clean(message_of(event), kMaxLoggedBytes), width, indent) + "\n";
  }
  return out;
}

int history(const Options& options) {
  auto events = read_events(state_path(options.storage_path), query_of(options));
  if (!events) return refuse(events.error());
  const auto limit = static_cast<std::size_t>(options.limit);
  const bool more = limit > 0 && events->size() > limit;
  if (more) events->erase(events->begin(), events->end() - options.limit);
  if (options.format == OutputFormat::table) print(history_table(*events, screen(), !options.images.empty()));
  if (options.format != OutputFormat::table) {
    const LogFormat format = options.format == OutputFormat::json ? LogFormat::json : LogFormat::logfmt;
    for (const Event& event : *events) {
      std::string line;
      append_record(line, format, event);
      print(line + "\n");
    }
  }
  if (more) std::fputs("share-drift-exporter: older events are left out; --limit=0 prints all\n", stderr);
  return 0;
}

}  // namespace sharedrift
