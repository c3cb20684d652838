#pragma once

#include "core/event.hpp"
#include "http_server/http_server.hpp"
#include "metrics/self_metrics.hpp"
#include "ports.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace sharedrift {

/// Stands before another observer, passes everything on, and puts what happens to credentials into words:
/// once when it begins, once when it is over. Thread-safe.
///  - `credentials_changed` (profile, source, expires, after): the source is another one, or the API refused
///    the ones before (`after` says why);
///  - `credentials_renewed` (the same): it just renewed them;
///  - `credentials_warning` (profile, source, detail): a file that others can read, a source that was passed
///    over, a renewal that failed while the earlier credentials still serve;
///  - `credentials_recovered` (profile, source): none of that any more.
class CredentialNews final : public ApiObserver {
 public:
  using Tell = std::function<void(EventType type, std::vector<Field> fields)>;
  /// `next` outlives this.
  CredentialNews(ApiObserver& next, Tell tell) : next_(next), tell_(std::move(tell)) {}

  void on_request(std::string_view profile) override { next_.on_request(profile); }
  void on_answer(std::string_view profile, Millis took) override { next_.on_answer(profile, took); }
  void on_failure(std::string_view profile, Reason reason) override;
  void on_retry(std::string_view profile) override { next_.on_retry(profile); }
  void on_clock_skew(std::string_view profile, double seconds) override {
    next_.on_clock_skew(profile, seconds);
  }
  void on_credentials(std::string_view profile, const Credentials& credentials) override;
  void on_credentials_refresh_failed(std::string_view profile) override {
    next_.on_credentials_refresh_failed(profile);
  }

 private:
  struct Told {
    std::string origin;
    std::uint64_t generation = 0;
    std::string warning;  ///< without digits: times and counts in it are no news
    std::string refused;  ///< why, if they ever were
  };
  ApiObserver& next_;
  Tell tell_;
  std::mutex mutex_;
  std::map<std::string, Told, std::less<>> told_;  ///< by profile
};

/// Counts the connections that the web server refused, and tells of them: the first of its reason, and then
/// not before ten minutes how many there were since. Not thread-safe.
class RefusalNews {
 public:
  using Tell = std::function<void(EventType type, std::vector<Field> fields)>;
  /// `metrics` and `clock` outlive this.
  RefusalNews(SelfMetrics& metrics, const Clock& clock, Tell tell)
      : metrics_(metrics), clock_(clock), tell_(std::move(tell)) {}
  void on_refused(Refusal why, const std::string& address);

 private:
  struct Kind {
    std::int64_t untold = 0;
    MonoTime told;
  };
  SelfMetrics& metrics_;
  const Clock& clock_;
  Tell tell_;
  std::array<Kind, kRefusalReasons.size()> kinds_{};
};

}  // namespace sharedrift
