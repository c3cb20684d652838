#pragma once

#include "support/views.hpp"
#include "web/web_routes.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace sharedrift::testing {

inline constexpr WallTime kNow{Millis{1'795'000'060'000}};

inline std::string joined(const AnswerBody& body) {
  std::string text;
  for (const auto& piece : body.pieces)
    text += *piece;
  return text;
}

inline std::string body_of(const ServerResponse& response) {
  std::string body = *response.body;
  for (const auto& part : response.tail)
    body += *part;
  return body;
}

inline std::optional<std::string> header_of(const ServerResponse& response, const std::string& name) {
  std::optional<std::string> found;
  for (const auto& [key, value] : response.headers) {
    if (key != name) continue;
    EXPECT_FALSE(found) << name << " is there twice";
    found = value;
  }
  return found;
}

/// The routes, on a backend that each test sets up as it likes.
class WebRoutesTest : public ::testing::Test {
 protected:
  WebRoutesTest() {
    backend.fleet = [this] { return fleet; };
    backend.metrics = [this](TextFormat format, Encoding encoding) {
      asked.emplace_back(format, encoding);
      return MetricsPage{
          {std::make_shared<const std::string>("one\n"), std::make_shared<const std::string>("two\n")}};
    };
    backend.ready = [this] { return is_ready; };
    backend.config = [] { return std::string("images: []\n"); };
    backend.events = [this](const EventQuery& query) -> Result<std::vector<Event>, std::string> {
      queries.push_back(query);
      if (!events_error.empty()) return Err(events_error);
      return events;
    };
    backend.reload = [this]() -> Result<Unit, std::string> {
      ++reloads;
      if (!reload_error.empty()) return Err(reload_error);
      return Unit{};
    };
    backend.poll = [this](const ImageId& image) { polled.push_back(image.str()); };
    backend.now = [] { return kNow; };
    backend.count = [this](std::string_view path, int code) { counted.emplace_back(path, code); };
    fleet.account_names =
        std::make_shared<const AccountNames>(AccountNames{{account_number(1), "partner \"north\" <b>"}});
  }

  ServerResponse get(const std::string& path, std::vector<std::pair<std::string, std::string>> headers = {}) {
    return ask("GET", path, std::move(headers));
  }
  ServerResponse ask(const std::string& method, const std::string& target,
                     std::vector<std::pair<std::string, std::string>> headers = {}) {
    if (!routes) routes.emplace(backend, options);
    ServerRequest request;
    request.method = method;
    request.path = target.substr(0, target.find('?'));
    std::string_view rest = target;
    rest.remove_prefix(std::min(request.path.size() + 1, rest.size()));
    while (!rest.empty()) {
      const std::string_view pair = rest.substr(0, rest.find('&'));
      rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
      request.query.emplace_back(pair.substr(0, pair.find('=')), pair.substr(pair.find('=') + 1));
    }
    request.headers = std::move(headers);
    ServerResponse response = routes->answer(request);
    for (; response.later; response = routes->answer(request))
      request.lane = *response.later;
    return response;
  }

  nlohmann::json data(const std::string& path) {
    const ServerResponse response = get(path);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.content_type, "application/json");
    const nlohmann::json json = nlohmann::json::parse(body_of(response));
    EXPECT_EQ(json.at("status"), "success");
    return json.at("data");
  }

  Fleet fleet;
  bool is_ready = true;
  std::string reload_error;
  std::string events_error;
  std::vector<Event> events;
  int reloads = 0;
  std::vector<std::string> polled;  ///< asked for
  std::vector<EventQuery> queries;
  std::vector<std::pair<TextFormat, Encoding>> asked;
  std::vector<std::pair<std::string, int>> counted;
  WebBackend backend;
  WebOptions options;
  std::optional<WebRoutes> routes;
};

}  // namespace sharedrift::testing
