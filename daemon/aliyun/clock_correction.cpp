#include "aliyun/clock_correction.hpp"

namespace sharedrift {

namespace {

/// From this far on the local clock is not trusted.
constexpr Millis kClockTrusted{60'000};

bool is_far(Millis skew) {
  return skew > kClockTrusted || skew < -kClockTrusted;
}

}  // namespace

Millis ClockCorrection::operator()() const {
  const Millis known = skew();
  return is_far(known) ? known : Millis{0};
}

bool ClockCorrection::differs_from(Millis then) const {
  return is_far((*this)() - then);
}

std::optional<WallTime> ClockCorrection::learn(const HttpResponse& answer, MonoTime sent, Instant now) {
  const auto server_time = parse_http_date(answer.header("date"));
  if (!server_time) return std::nullopt;
  // The header has whole seconds and was written while the answer was under way: the middle of both is the
  // best guess.
  constexpr Millis kHalfSecond{500};
  const auto half_way = std::chrono::duration_cast<Millis>(now.mono - sent) / 2;
  skew_ = (*server_time + kHalfSecond - (now.wall - half_way)).count();
  return server_time;
}

}  // namespace sharedrift
