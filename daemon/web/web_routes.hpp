#pragma once

#include "core/event.hpp"
#include "core/result.hpp"
#include "http_server/http_server.hpp"
#include "metrics/exposition.hpp"
#include "metrics/self_metrics.hpp"
#include "metrics/view_store.hpp"
#include "store/event_reader.hpp"
#include "web/large_answer.hpp"
#include "web/plan.hpp"
#include "wire/url.hpp"

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sharedrift {

/// What the routes need of the program. All of it is called on worker threads, several at a time. Only
/// `endpoints`, `health`, `refuse`, `headers` and `count` may be empty.
struct WebBackend {
  std::function<Fleet()> fleet;
  std::function<MetricsPage(TextFormat, Encoding)> metrics;
  std::function<bool()> ready;
  std::function<std::string()> config;  ///< the config in force, without secrets
  std::function<Result<std::vector<Event>, std::string>(const EventQuery&)> events;
  /// Returns when the verdict is known. The error is what people are told.
  std::function<Result<Unit, std::string>()> reload;
  std::function<void(const ImageId&)> poll;  ///< has an image polled soon; returns at once
  std::function<Endpoints()> endpoints;      ///< of the config in force; none: the default one for all
  std::function<OwnHealth()> health;
  std::function<WallTime()> now;
  /// What keeps a request out (WebSecurity::refuse); health checks are not asked.
  std::function<std::optional<ServerResponse>(const ServerRequest&)> refuse;
  /// What every answer carries; replaces headers of the same name.
  std::function<std::vector<std::pair<std::string, std::string>>()> headers;
  std::function<void(std::string_view path, int code)> count;  ///< `path` is one of kHttpPaths
};

struct WebOptions {
  std::string telemetry_path = "/metrics";
  bool enable_lifecycle = false;
  std::string route_prefix;         ///< what all paths begin with; empty: nothing
  std::optional<Url> external_url;  ///< a name that leads here; see refuse_foreign()
};

/// The HTTP face: one function from request to answer. Must outlive the answers it gave.
/// Thread-safe.
class WebRoutes {
 public:
  WebRoutes(WebBackend backend, WebOptions options);
  ServerResponse answer(const ServerRequest& request);

 private:
  ServerResponse answer_inside(const ServerRequest& request);
  enum class Needs { nothing, login };  ///< login: whom backend_.refuse lets in is answered
  struct Route {
    std::string_view label;   ///< the path, and one of kHttpPaths, under which its answers are counted
    std::string_view method;  ///< GET: and HEAD
    ServerResponse (WebRoutes::*handler)(const ServerRequest&);
    Needs needs;
    Lane lane;  ///< in which the handler is called
  };
  static const std::array<Route, 13> routes;
  [[nodiscard]] bool leads_to(const Route& route, std::string_view path) const;
  static bool is_for(const Route& route, const ServerRequest& request);
  ServerResponse dispatch(const Route& route, const ServerRequest& request);
  /// For what can be large and is the same for all.
  ServerResponse shared_answer(const ServerRequest& request, std::string_view content_type,
                               const std::function<void(AnswerWriter&)>& write);
  ServerResponse healthy(const ServerRequest& request);
  ServerResponse ready(const ServerRequest& request);
  /// Why something may not be asked for from here; none: it may.
  [[nodiscard]] std::optional<ServerResponse> refuse_lifecycle(const ServerRequest& request,
                                                               const std::string& instead) const;
  ServerResponse reload(const ServerRequest& request);
  ServerResponse poll(const ServerRequest& request);
  ServerResponse metrics(const ServerRequest& request);
  ServerResponse config(const ServerRequest& request);
  ServerResponse page(const ServerRequest& request);
  ServerResponse image_page_of(const ServerRequest& request);
  ServerResponse asset(const ServerRequest& request);
  ServerResponse images(const ServerRequest& request);
  ServerResponse image(const ServerRequest& request);
  ServerResponse drift(const ServerRequest& request);
  ServerResponse events(const ServerRequest& request);
  ServerResponse not_found(const ServerRequest& request);

  const WebBackend backend_;
  const WebOptions options_;
  SharedAnswers shared_;
};

}  // namespace sharedrift
