#pragma once

#include "core/event.hpp"
#include "http_server/http_server.hpp"
#include "metrics/self_metrics.hpp"
#include "ports.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace sharedrift {

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
  std::array<Kind, kAllRefusals.size()> kinds_{};
};

}  // namespace sharedrift
