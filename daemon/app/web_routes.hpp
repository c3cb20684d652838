#pragma once

#include "app/board.hpp"
#include "app/exposition.hpp"
#include "core/event.hpp"
#include "core/result.hpp"
#include "io/http_server.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sharedrift {

/// What one page of events is about; see EventQuery of the state database.
struct EventsWanted {
  std::string image_id;
  std::optional<WallTime> since;
  std::size_t limit = 100;
};

/// What the routes need of the program. All of it is called on worker threads.
struct WebBackend {
  std::function<Fleet()> fleet;
  std::function<MetricsPage(TextFormat, Encoding)> metrics;
  std::function<bool()> ready;
  std::function<std::string()> config;  ///< the config in force, without secrets
  std::function<Result<std::vector<Event>, std::string>(const EventsWanted&)> events;
  std::function<Result<Unit, std::string>()> reload;  ///< returns when the verdict is known
  std::function<WallTime()> now;
  std::function<void(std::string_view path, int code)> count;  ///< path as in kHttpPaths
};

struct WebOptions {
  std::string telemetry_path = "/metrics";
  bool enable_lifecycle = false;
  int max_requests = 40;  ///< scrapes at a time; 0: no limit
};

/// The HTTP face of product.md: one function from request to response. Thread-safe.
class WebRoutes {
 public:
  WebRoutes(WebBackend backend, WebOptions options)
      : backend_(std::move(backend)), options_(std::move(options)) {}
  ServerResponse answer(const ServerRequest& request);

 private:
  struct Answer {
    ServerResponse response;
    std::string_view path;  ///< the label
  };
  Answer route(const ServerRequest& request);
  ServerResponse metrics(const ServerRequest& request);
  [[nodiscard]] ServerResponse reload() const;
  [[nodiscard]] ServerResponse api(const ServerRequest& request, std::string_view& label) const;
  [[nodiscard]] ServerResponse api_events(const ServerRequest& request) const;

  const WebBackend backend_;
  const WebOptions options_;
  std::atomic<int> scrapes_{0};
};

/// The format that an Accept header asks for: OpenMetrics 1.0 only if it is named and wanted at least as much
/// as the text format; the text format for everything else.
TextFormat negotiate_format(std::string_view accept);
/// True if an Accept-Encoding header wants gzip (q above 0).
bool accepts_gzip(std::string_view accept_encoding);

}  // namespace sharedrift
