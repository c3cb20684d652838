#include "app/web_routes.hpp"

#include "app/self_metrics.hpp"
#include "core/text.hpp"
#include "support/gunzip.hpp"
#include "support/views.hpp"

#include <algorithm>
#include <future>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace sharedrift {
namespace {

using testing::a_drift;
using testing::a_view;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;
using ::testing::StartsWith;
using Json = nlohmann::json;

constexpr WallTime kNow{Millis{1'795'000'060'000}};

std::string body_of(const ServerResponse& response) {
  std::string body = *response.body;
  for (const auto& part : response.tail)
    body += *part;
  return body;
}

std::optional<std::string> header_of(const ServerResponse& response, const std::string& name) {
  std::optional<std::string> found;
  for (const auto& [key, value] : response.headers) {
    if (key != name) continue;
    EXPECT_FALSE(found) << name << " is there twice";
    found = value;
  }
  return found;
}

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
    backend.now = [] { return kNow; };
    backend.stale_after = [] { return Millis{900'000}; };
    backend.count = [this](std::string_view path, int code) { counted.emplace_back(path, code); };
    fleet.account_names = std::make_shared<const AccountNames>(
        AccountNames{{testing::account_number(1), "partner \"north\" <b>"}});
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
    return routes->answer(request);
  }

  Json data(const std::string& path) {
    const ServerResponse response = get(path);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.content_type, "application/json");
    const Json json = Json::parse(body_of(response));
    EXPECT_EQ(json.at("status"), "success");
    return json.at("data");
  }

  Fleet fleet;
  bool is_ready = true;
  std::string reload_error;
  std::string events_error;
  std::vector<Event> events;
  int reloads = 0;
  std::vector<EventQuery> queries;
  std::vector<std::pair<TextFormat, Encoding>> asked;
  std::vector<std::pair<std::string, int>> counted;
  WebBackend backend;
  WebOptions options;
  std::optional<WebRoutes> routes;
};

TEST_F(WebRoutesTest, MetricsAreSentAsAskedFor) {
  const ServerResponse plain = get("/metrics");
  EXPECT_EQ(plain.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(header_of(plain, "Vary"), "Accept, Accept-Encoding");
  EXPECT_EQ(header_of(plain, "Content-Encoding"), std::nullopt);
  EXPECT_EQ(body_of(plain), "one\ntwo\n");
  const ServerResponse best =
      get("/metrics",
          {{"accept", "application/openmetrics-text;version=1.0.0,*/*;q=0.1"}, {"accept-encoding", "gzip"}});
  EXPECT_EQ(best.content_type, "application/openmetrics-text; version=1.0.0; charset=utf-8");
  EXPECT_EQ(header_of(best, "Content-Encoding"), "gzip");
  EXPECT_THAT(asked, ElementsAre(Pair(TextFormat::prometheus, Encoding::identity),
                                 Pair(TextFormat::openmetrics, Encoding::gzip)));
}

TEST_F(WebRoutesTest, TheTelemetryPathMoves) {
  options.telemetry_path = "/probe";
  EXPECT_EQ(get("/probe").status, 200);
  EXPECT_EQ(get("/metrics").status, 404);
  EXPECT_THAT(counted, ElementsAre(Pair("/metrics", 200), Pair("other", 404)));
  EXPECT_THAT(body_of(get("/")), HasSubstr("href=\"probe\""));
}

TEST_F(WebRoutesTest, ScrapesBeyondTheLimitAreTurnedAway) {
  options.max_requests = 2;
  options.patience = Millis{0};
  std::optional<ServerResponse> first = get("/metrics");
  const ServerResponse second = get("/metrics");
  EXPECT_EQ(get("/metrics").status, 503) << "two are still being sent";
  EXPECT_EQ(get("/").status, 200) << "the limit is for scrapes";
  first.reset();
  EXPECT_EQ(get("/metrics").status, 200);
}

TEST_F(WebRoutesTest, AScrapeWaitsForTheEndOfABurst) {
  options.max_requests = 1;
  options.patience = std::chrono::minutes{1};
  std::optional<ServerResponse> first = get("/metrics");
  auto second = std::async(std::launch::async, [this] { return get("/metrics").status; });
  first.reset();
  EXPECT_EQ(second.get(), 200);
}

TEST_F(WebRoutesTest, NoLimitIsNoLimit) {
  options.max_requests = 0;
  std::vector<ServerResponse> open;
  for (int i = 0; i < 100; ++i)
    open.push_back(get("/metrics"));
  EXPECT_EQ(open.back().status, 200);
}

TEST_F(WebRoutesTest, FewLargeAnswersAreUnderWayAtATime) {
  std::vector<ServerResponse> open;
  for (const char* path : {"/", "/config", "/api/v1/images", "/api/v1/events"})
    open.push_back(get(path));
  EXPECT_EQ(open.back().status, 200);
  const ServerResponse refused = get("/api/v1/drift");
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(header_of(refused, "Retry-After"), "1");
  EXPECT_EQ(Json::parse(body_of(refused))["errorType"], "unavailable");
  EXPECT_EQ(get("/").status, 503);
  EXPECT_EQ(get("/metrics").status, 200) << "scrapes have places of their own";
  EXPECT_EQ(get("/-/healthy").status, 200);
  open.pop_back();
  EXPECT_EQ(get("/api/v1/drift").status, 200);
}

TEST_F(WebRoutesTest, HealthAndReadiness) {
  EXPECT_EQ(get("/-/healthy").status, 200);
  EXPECT_EQ(get("/-/ready").status, 200);
  is_ready = false;
  EXPECT_EQ(get("/-/healthy").status, 200);
  EXPECT_EQ(get("/-/ready").status, 503);
}

TEST_F(WebRoutesTest, ReloadIsOffUnlessAskedFor) {
  EXPECT_EQ(ask("POST", "/-/reload").status, 403);
  EXPECT_EQ(reloads, 0);
}

TEST_F(WebRoutesTest, ReloadTellsTheVerdict) {
  options.enable_lifecycle = true;
  EXPECT_EQ(ask("POST", "/-/reload").status, 200);
  reload_error = "config.yml:3:1: images[0].id: not an id";
  const ServerResponse refused = ask("POST", "/-/reload");
  EXPECT_EQ(refused.status, 500);
  EXPECT_THAT(body_of(refused), HasSubstr(reload_error));
  EXPECT_EQ(reloads, 2);
}

TEST_F(WebRoutesTest, OtherSitesCannotReload) {
  options.enable_lifecycle = true;
  EXPECT_EQ(ask("POST", "/-/reload", {{"sec-fetch-site", "cross-site"}}).status, 403);
  EXPECT_EQ(ask("POST", "/-/reload", {{"sec-fetch-site", "same-site"}}).status, 403);
  EXPECT_EQ(reloads, 0);
  EXPECT_EQ(ask("POST", "/-/reload", {{"sec-fetch-site", "same-origin"}}).status, 200);
}

TEST_F(WebRoutesTest, WrongMethodsAreToldTheRightOnes) {
  for (const char* path : {"/", "/metrics", "/-/healthy", "/-/ready", "/config", "/api/v1/images",
                           "/api/v1/images/m-1", "/api/v1/drift", "/api/v1/events", "/assets/app.js"}) {
    const ServerResponse response = ask("POST", path);
    EXPECT_EQ(response.status, 405) << path;
    EXPECT_EQ(header_of(response, "Allow"), "GET, HEAD") << path;
    EXPECT_EQ(ask("HEAD", path).status, path == std::string("/api/v1/images/m-1") ? 404 : 200) << path;
  }
  const ServerResponse reload = get("/-/reload");
  EXPECT_EQ(reload.status, 405);
  EXPECT_EQ(header_of(reload, "Allow"), "POST");
  EXPECT_EQ(ask("POST", "/nothing").status, 404);
}

TEST_F(WebRoutesTest, UnknownPathsAreNotFound) {
  for (const char* path :
       {"/favicon.ico", "/Metrics", "/metrics/", "//", "/assets/", "/assets/app.jsx", "", "/config/x"}) {
    EXPECT_EQ(get(path).status, 404) << path;
  }
  const ServerResponse api = get("/api/v2/images");
  EXPECT_EQ(api.content_type, "application/json");
  EXPECT_EQ(Json::parse(body_of(api)).at("status"), "error");
}

TEST_F(WebRoutesTest, EveryAnswerIsCountedUnderAClosedList) {
  for (const char* path :
       {"/", "/metrics", "/-/healthy", "/-/ready", "/-/reload", "/config", "/api/v1/images",
        "/api/v1/images/m-secret", "/api/v1/drift", "/api/v1/events", "/assets/app.css", "/x/y/z"}) {
    get(path);
  }
  for (const auto& [path, code] : counted)
    EXPECT_NE(std::find(kHttpPaths.begin(), kHttpPaths.end(), path), kHttpPaths.end()) << path;
  EXPECT_EQ(counted.size(), 12U);
  EXPECT_THAT(counted, ::testing::Contains(Pair("/api/v1/images/ID", 404)));
}

TEST_F(WebRoutesTest, OnlyHealthIsOpenToThoseWhoAreRefused) {
  backend.refuse = [](const ServerRequest&) { return ServerResponse::text(401, "no\n"); };
  options.enable_lifecycle = true;
  for (const char* path : {"/", "/metrics", "/config", "/api/v1/images", "/api/v1/images/x", "/api/v1/drift",
                           "/api/v1/events", "/assets/app.js", "/nothing"}) {
    EXPECT_EQ(get(path).status, 401) << path;
  }
  EXPECT_EQ(ask("POST", "/-/reload").status, 401);
  EXPECT_EQ(reloads, 0);
  EXPECT_TRUE(asked.empty());
  EXPECT_EQ(get("/-/healthy").status, 200);
  EXPECT_EQ(get("/-/ready").status, 200);
  EXPECT_THAT(counted, ::testing::Contains(Pair("/config", 401)));
}

TEST_F(WebRoutesTest, ConfiguredHeadersReplaceOurs) {
  backend.headers = [] {
    return std::vector<std::pair<std::string, std::string>>{{"content-security-policy", "default-src 'self'"},
                                                            {"Strict-Transport-Security", "max-age=1"}};
  };
  const ServerResponse page = get("/");
  EXPECT_EQ(header_of(page, "Content-Security-Policy"), std::nullopt);
  EXPECT_EQ(header_of(page, "content-security-policy"), "default-src 'self'");
  EXPECT_EQ(header_of(get("/-/healthy"), "Strict-Transport-Security"), "max-age=1");
}

TEST_F(WebRoutesTest, ThePageTrustsNothingButItself) {
  const ServerResponse page = get("/");
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  const std::string policy = header_of(page, "Content-Security-Policy").value_or("");
  EXPECT_THAT(policy, StartsWith("default-src 'none'"));
  EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
  EXPECT_THAT(policy, HasSubstr("frame-ancestors 'none'"));
  EXPECT_EQ(header_of(page, "X-Content-Type-Options"), "nosniff");
  const std::string html = body_of(page);
  EXPECT_THAT(html, Not(HasSubstr("http://")));
  EXPECT_THAT(html, Not(HasSubstr("https://")));
  EXPECT_THAT(html, Not(HasSubstr("style=")));
}

TEST_F(WebRoutesTest, AssetsAreKeptByTheirHash) {
  const std::string html = body_of(get("/"));
  const ServerResponse script = get("/assets/app.js");
  EXPECT_EQ(script.content_type, "text/javascript; charset=utf-8");
  EXPECT_THAT(header_of(script, "Cache-Control").value_or(""), HasSubstr("immutable"));
  EXPECT_GT(body_of(script).size(), 1000U);
  EXPECT_THAT(html, HasSubstr("src=\"assets/app.js?v="));
  EXPECT_THAT(html, HasSubstr("href=\"assets/app.css?v="));
  EXPECT_THAT(html, HasSubstr("integrity=\"sha256-"));
}

TEST_F(WebRoutesTest, ConfigIsShownAsText) {
  const ServerResponse response = get("/config");
  EXPECT_EQ(response.content_type, "text/plain; charset=utf-8");
  EXPECT_EQ(body_of(response), "images: []\n");
}

TEST_F(WebRoutesTest, ImagesTellAllThatIsKnownAndNullForTheRest) {
  const auto leaking = a_view("m-1");
  leaking->drifts = {a_drift(1, DriftKind::unexpected, WallTime{Millis{1'794'990'000'000}})};
  leaking->unexpected_accounts = 1;
  auto policy = std::make_shared<ImagePolicy>(*leaking->policy);
  policy->name = "edge \"base\"";
  leaking->policy = policy;
  const auto blind = a_view("m-2");
  blind->listing_complete = false;
  blind->state = ImageState::forbidden;
  blind->last_complete.reset();
  blind->unexpected_accounts.reset();
  blind->shared_accounts.reset();
  blind->last_failure = Failure{Reason::forbidden, "may not\n<see>", "NoPermission", 403, "R-1"};
  fleet.views = {leaking, blind};
  const Json images = data("/api/v1/images");
  ASSERT_EQ(images.size(), 2U);
  EXPECT_EQ(images[0].at("image_name"), "edge \"base\"");
  EXPECT_EQ(images[0].at("verdict"), "leaking");
  EXPECT_EQ(images[0].at("interval_seconds"), 300);
  EXPECT_EQ(images[0].at("drift").at(0).at("account_id"), "1700000000000001");
  EXPECT_EQ(images[0].at("drift").at(0).at("account_name"), "partner \"north\" <b>");
  EXPECT_EQ(images[0].at("drift").at(0).at("since"), "2026-11-18T08:20:00.000Z");
  EXPECT_EQ(images[0].at("drift").at(0).at("last_seen"), nullptr);
  EXPECT_EQ(images[0].at("last_failure"), nullptr);
  EXPECT_EQ(images[1].at("verdict"), "unknown");
  EXPECT_EQ(images[1].at("shared_accounts"), nullptr) << "what is not known is not 0";
  EXPECT_EQ(images[1].at("last_complete"), nullptr);
  EXPECT_EQ(images[1].at("last_failure").at("detail"), "may not\xef\xbf\xbd<see>");
  EXPECT_EQ(images[1].at("last_failure").at("http_status"), 403);
}

TEST_F(WebRoutesTest, OneImageTellsWhoHasItAndWhy) {
  const auto view = a_view("m-1");
  auto policy = std::make_shared<ImagePolicy>(*view->policy);
  policy->required = {testing::account_number(1)};
  policy->exceptions = {{testing::account_number(2), kNow + Millis{1}, "jane", "SEC-1", "pilot"}};
  view->policy = policy;
  view->exceptions = policy->exceptions;
  view->sightings = {testing::account_number(1), testing::account_number(2), testing::account_number(3)};
  fleet.views = {view};
  const Json image = data("/api/v1/images/m-1");
  EXPECT_EQ(image.at("accounts").at(0).at("grant"), "required");
  EXPECT_EQ(image.at("accounts").at(1).at("grant"), "exception");
  EXPECT_EQ(image.at("accounts").at(2).at("grant"), "none");
  EXPECT_EQ(image.at("exceptions").at(0).at("ticket"), "SEC-1");
  const ServerResponse unknown = get("/api/v1/images/m-2");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(Json::parse(body_of(unknown)).at("errorType"), "not_found");
  EXPECT_EQ(get("/api/v1/images/").status, 404);
}

TEST_F(WebRoutesTest, DriftOfAllImagesInOneList) {
  const auto one = a_view("m-1");
  one->drifts = {a_drift(1, DriftKind::unexpected, kNow), a_drift(2, DriftKind::missing, kNow)};
  one->drifts[0].clearing = true;
  const auto two = a_view("m-2");
  two->drifts = {a_drift(3, DriftKind::unexpected, kNow)};
  fleet.views = {one, a_view("m-0"), two};
  const Json drift = data("/api/v1/drift");
  ASSERT_EQ(drift.size(), 3U);
  EXPECT_EQ(drift[0].at("clearing"), true);
  EXPECT_EQ(drift[1].at("kind"), "missing");
  EXPECT_EQ(drift[2].at("image_id"), "m-2");
  fleet.views.clear();
  EXPECT_EQ(data("/api/v1/drift"), Json::array());
}

TEST_F(WebRoutesTest, EventsAreTheRecordsOfTheLog) {
  events = {{EventType::drift_opened, kNow, "m-1", {{"account_id", std::string("17")}, {"first_run", true}}}};
  const Json list = data("/api/v1/events?image=m-1&since=2026-11-18T08:20:00Z&limit=7");
  EXPECT_EQ(list.at(0).at("event"), "drift_opened");
  EXPECT_EQ(list.at(0).at("image_id"), "m-1");
  EXPECT_EQ(list.at(0).at("account_id"), "17");
  EXPECT_EQ(list.at(0).at("first_run"), true);
  ASSERT_EQ(queries.size(), 1U);
  EXPECT_EQ(queries[0].image_id, "m-1");
  EXPECT_EQ(queries[0].since, WallTime{Millis{1'794'990'000'000}});
  EXPECT_EQ(queries[0].limit, 7U);
  data("/api/v1/events?since=1794990000.5");
  EXPECT_EQ(queries[1].since, WallTime{Millis{1'794'990'000'500}});
}

TEST_F(WebRoutesTest, BadParametersAreNamed) {
  for (const char* query : {"image=", "image=a/b", "since=yesterday", "since=-1", "since=1e30", "since=nan",
                            "since=", "limit=0", "limit=-1", "limit=10001", "limit=5x", "limit=", "limt=5"}) {
    const ServerResponse response = get(std::string("/api/v1/events?") + query);
    EXPECT_EQ(response.status, 400) << query;
    const Json json = Json::parse(body_of(response));
    EXPECT_EQ(json.at("errorType"), "bad_data") << query;
    const std::string name = std::string(query).substr(0, std::string(query).find('='));
    EXPECT_THAT(json.at("error").get<std::string>(), HasSubstr(name));
  }
  EXPECT_TRUE(queries.empty());
  events_error = "the database is busy";
  EXPECT_EQ(get("/api/v1/events").status, 503);
}

TEST_F(WebRoutesTest, WhatDidNotChangeIsNotSentAgain) {
  fleet.views = {a_view("m-1")};
  const ServerResponse first = get("/api/v1/images");
  const std::string tag = header_of(first, "ETag").value_or("none");
  const ServerResponse again = get("/api/v1/images", {{"if-none-match", tag}});
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(body_of(again), "");
  EXPECT_EQ(get("/api/v1/images", {{"if-none-match", "W/\"1-1\""}}).status, 200);
  fleet.views = {a_view("m-2")};
  EXPECT_EQ(get("/api/v1/images", {{"if-none-match", tag}}).status, 200);
}

TEST_F(WebRoutesTest, LongAnswersAreZippedForThoseWhoTakeIt) {
  for (int i = 0; i < 100; ++i)
    fleet.views.push_back(a_view("m-" + std::to_string(i)));
  const ServerResponse zipped = get("/api/v1/images", {{"accept-encoding", "br, gzip"}});
  EXPECT_EQ(header_of(zipped, "Content-Encoding"), "gzip");
  EXPECT_EQ(header_of(zipped, "Vary"), "Accept-Encoding");
  EXPECT_EQ(testing::gunzip(body_of(zipped)), body_of(get("/api/v1/images")));
  EXPECT_LT(body_of(zipped).size(), 10'000U);
  EXPECT_EQ(header_of(get("/api/v1/drift", {{"accept-encoding", "gzip"}}), "Content-Encoding"), std::nullopt)
      << "too short to be worth it";
}

TEST_F(WebRoutesTest, JsonAndPageSurviveEveryText) {
  testing::SeededRandom random(7);
  for (int i = 0; i < 300; ++i)
    fleet.views.push_back(testing::random_view(random, "m-" + std::to_string(i)));
  for (const char* path : {"/api/v1/images", "/api/v1/drift", "/api/v1/images/m-7"})
    EXPECT_NO_THROW(data(path)) << path;
  const std::string html = body_of(get("/"));
  EXPECT_EQ(html.find('\0'), std::string::npos);
  EXPECT_TRUE(is_valid_utf8(html));
}

}  // namespace
}  // namespace sharedrift
