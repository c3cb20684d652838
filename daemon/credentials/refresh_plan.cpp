#include "credentials/refresh_plan.hpp"

#include <algorithm>

namespace sharedrift {

namespace {

constexpr Millis kLongestLead{15 * 60'000};
constexpr Millis kShortestWait{5'000};
constexpr Millis kUnstatedLife{5 * 60'000};
constexpr Millis kLongestLife{std::chrono::hours{24 * 365}};
constexpr Millis kFirstRetry{2'000};
constexpr Millis kLongestRetry{60'000};
constexpr Millis kBetweenRejections{60'000};

Millis share(Millis whole, double part) {
  return Millis{static_cast<Millis::rep>(static_cast<double>(whole.count()) * part)};
}

}  // namespace

MonoTime next_refresh(Instant now, std::optional<WallTime> expires, double jitter) {
  if (!expires) return now.mono + kUnstatedLife - share(kUnstatedLife / 10, jitter);
  const Millis life = std::clamp<Millis>(*expires - now.wall, Millis{0}, kLongestLife);
  const Millis wait = life - std::min(kLongestLead, life / 4) - share(life / 10, jitter);
  return now.mono + std::max(wait, kShortestWait);
}

MonoTime next_retry(MonoTime now, int failures, double jitter) {
  const int doublings = std::clamp(failures - 1, 0, 10);
  const Millis whole = std::min(kFirstRetry * (1 << doublings), kLongestRetry);
  return now + whole / 2 + share(whole / 2, jitter);
}

MonoTime next_try_after_refusal(MonoTime now, int refusals, int http_status) {
  constexpr int kProxyRefused = 407;
  const Millis longest = kBetweenRejections * (http_status == kProxyRefused ? 30 : 5);
  return now + std::min(kBetweenRejections * (1 << std::clamp(refusals - 1, 0, 5)), longest);
}

MonoTime refresh_after_rejection(MonoTime now, std::optional<MonoTime> last_forced) {
  return last_forced ? std::max(now, *last_forced + kBetweenRejections) : now;
}

}  // namespace sharedrift
