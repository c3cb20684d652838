#include "core/time.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace sharedrift {

namespace {

using std::chrono::day;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::month;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::year;
using std::chrono::year_month_day;

/// Reads exactly `width` digits and moves past them.
std::optional<int> take_number(std::string_view& text, std::size_t width) {
  if (text.size() < width) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < width; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(width);
  return value;
}

bool take(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(expected.size());
  return true;
}

std::optional<WallTime> make_time(int y, unsigned m, unsigned d, int hh, int mm, int ss) {
  const year_month_day date{year{y}, month{m}, day{d}};
  if (!date.ok() || hh > 23 || mm > 59 || ss > 60)
    return std::nullopt;  // 60: a leap second, folded into the next
  return WallTime{sys_days{date}} + hours{hh} + minutes{mm} + seconds{ss};
}

struct Date {
  int y;
  unsigned m;
  unsigned d;
};
std::optional<Date> take_date(std::string_view& text) {
  const auto y = take_number(text, 4);
  if (!y || !take(text, "-")) return std::nullopt;
  const auto m = take_number(text, 2);
  if (!m || !take(text, "-")) return std::nullopt;
  const auto d = take_number(text, 2);
  if (!d) return std::nullopt;
  return Date{*y, static_cast<unsigned>(*m), static_cast<unsigned>(*d)};
}

struct Clock {
  int hh;
  int mm;
  int ss;
};
std::optional<Clock> take_clock(std::string_view& text) {
  const auto hh = take_number(text, 2);
  if (!hh || !take(text, ":")) return std::nullopt;
  const auto mm = take_number(text, 2);
  if (!mm || !take(text, ":")) return std::nullopt;
  const auto ss = take_number(text, 2);
  if (!ss) return std::nullopt;
  return Clock{*hh, *mm, *ss};
}

/// `.123456`: milliseconds, the rest is dropped. No fraction: 0. Nothing after the dot: none.
std::optional<Millis> take_fraction(std::string_view& text) {
  if (!take(text, ".")) return Millis{0};
  int value = 0;
  int scale = 100;
  std::size_t used = 0;
  while (used < text.size() && text[used] >= '0' && text[used] <= '9') {
    value += (text[used] - '0') * scale;
    scale /= 10;
    ++used;
  }
  if (used == 0) return std::nullopt;
  text.remove_prefix(used);
  return Millis{value};
}

/// `Z` or `+hh:mm`: what to subtract to come to UTC.
std::optional<Millis> take_offset(std::string_view& text) {
  if (take(text, "Z")) return Millis{0};
  const bool plus = take(text, "+");
  if (!plus && !take(text, "-")) return std::nullopt;
  const auto hh = take_number(text, 2);
  if (!hh || !take(text, ":")) return std::nullopt;
  const auto mm = take_number(text, 2);
  if (!mm || *hh > 23 || *mm > 59) return std::nullopt;
  const Millis offset = hours{*hh} + minutes{*mm};
  return plus ? offset : -offset;
}

struct UnitOfTime {
  std::string_view name;
  Millis length;
};
constexpr std::array kUnits{UnitOfTime{"y", hours{365 * 24}}, UnitOfTime{"w", hours{7 * 24}},
                            UnitOfTime{"d", hours{24}},       UnitOfTime{"h", hours{1}},
                            UnitOfTime{"m", minutes{1}},      UnitOfTime{"s", seconds{1}},
                            UnitOfTime{"ms", Millis{1}}};
constexpr Millis kLongestDuration = hours{100 * 365 * 24};

}  // namespace

std::string format_rfc3339(WallTime time) {
  const auto day_start = std::chrono::floor<days>(time);
  const year_month_day date{day_start};
  const std::chrono::hh_mm_ss clock{time - day_start};
  std::string text;
  text.reserve(sizeof "2026-11-24T12:00:00.000Z");
  const auto put = [&text](auto number, int digits, char after) {  // each request and line has one of these
    std::array<char, 8> buffer{};
    for (int i = digits; i-- > 0; number /= 10)
      buffer.at(static_cast<std::size_t>(i)) = static_cast<char>('0' + number % 10);
    text.append(buffer.data(), static_cast<std::size_t>(digits)) += after;
  };
  put(std::clamp(static_cast<int>(date.year()), 0, 9999), 4, '-');
  put(static_cast<unsigned>(date.month()), 2, '-');
  put(static_cast<unsigned>(date.day()), 2, 'T');
  put(clock.hours().count(), 2, ':');
  put(clock.minutes().count(), 2, ':');
  put(clock.seconds().count(), 2, '.');
  put(clock.subseconds().count(), 3, 'Z');
  return text;
}

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  const auto date = take_date(text);
  if (!date || !take(text, "T")) return std::nullopt;
  const auto clock = take_clock(text);
  if (!clock) return std::nullopt;
  const auto fraction = take_fraction(text);
  if (!fraction) return std::nullopt;
  const auto offset = take_offset(text);
  if (!offset || !text.empty()) return std::nullopt;
  const auto time = make_time(date->y, date->m, date->d, clock->hh, clock->mm, clock->ss);
  if (!time) return std::nullopt;
  return *time + *fraction - *offset;
}

std::optional<WallTime> parse_end_of_day(std::string_view text) {
  const auto date = take_date(text);
  if (!date || !text.empty()) return std::nullopt;
  const auto start = make_time(date->y, date->m, date->d, 0, 0, 0);
  if (!start) return std::nullopt;
  return *start + days{1};
}

std::optional<WallTime> parse_http_date(std::string_view text) {
  constexpr std::array<std::string_view, 7> kDays{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
  constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  bool day_name = false;
  for (const std::string_view name : kDays)
    day_name = day_name || take(text, name);
  if (!day_name || !take(text, ", ")) return std::nullopt;
  const auto d = take_number(text, 2);
  if (!d || !take(text, " ")) return std::nullopt;
  unsigned m = 0;
  for (unsigned i = 0; i < kMonths.size() && m == 0; ++i) {
    if (take(text, kMonths.at(i))) m = i + 1;
  }
  if (m == 0 || !take(text, " ")) return std::nullopt;
  const auto y = take_number(text, 4);
  if (!y || !take(text, " ")) return std::nullopt;
  const auto clock = take_clock(text);
  if (!clock || text != " GMT") return std::nullopt;
  return make_time(*y, m, static_cast<unsigned>(*d), clock->hh, clock->mm, clock->ss);
}

std::optional<Millis> parse_duration(std::string_view text) {
  if (text == "0") return Millis{0};
  if (text.empty()) return std::nullopt;
  Millis total{0};
  std::size_t next_unit = 0;
  while (!text.empty()) {
    std::int64_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc{} || text.front() == '-') return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    const std::size_t letters = text.find_first_of("0123456789");
    const std::string_view name = text.substr(0, letters);
    while (next_unit < kUnits.size() && kUnits.at(next_unit).name != name)
      ++next_unit;
    if (next_unit == kUnits.size()) return std::nullopt;
    const Millis unit = kUnits.at(next_unit++).length;
    if (count > kLongestDuration / unit) return std::nullopt;
    total += unit * count;
    text.remove_prefix(name.size());
  }
  if (total > kLongestDuration) return std::nullopt;
  return total;
}

std::string format_duration(Millis duration) {
  if (duration <= Millis{0}) return "0s";
  std::string out;
  for (const UnitOfTime& unit : kUnits) {
    const auto count = duration / unit.length;
    const bool plain = unit.length <= days{1} || duration % hours{365 * 24} == Millis{0};
    if (count == 0 || !plain) continue;
    out += std::to_string(count);
    out += unit.name;
    duration -= unit.length * count;
  }
  return out;
}

}  // namespace sharedrift
