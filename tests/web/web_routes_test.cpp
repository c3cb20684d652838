#include "metrics/self_metrics.hpp"
#include "support/gunzip.hpp"
#include "web_bench.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using testing::a_view;
using testing::body_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::header_of;
using testing::kNow;
using ::testing::Not;
using ::testing::Pair;
using ::testing::StartsWith;
using testing::WebRoutesTest;
using Json = nlohmann::json;

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

TEST_F(WebRoutesTest, BehindAProxyAllPathsHaveThePrefix) {
  options.route_prefix = "/a/share-drift";
  for (const char* path : {"/", "/metrics", "/-/healthy", "/api/v1/images"})
    EXPECT_EQ(get(options.route_prefix + path).status, 200) << path;
  for (const char* path : {"/metrics", "/-/healthy", "/a/share-drifter/", "/a/share-driftmetrics", "/a"})
    EXPECT_EQ(get(path).status, 404) << path;
  EXPECT_EQ(header_of(get("/"), "Location"), "a/share-drift/");
  EXPECT_EQ(header_of(get("/a/share-drift"), "Location"), "share-drift/");
  EXPECT_EQ(get("/").status, 302);
  options.enable_lifecycle = true;
  EXPECT_EQ(ask("POST", "/-/reload").status, 404);
}

TEST_F(WebRoutesTest, WhoIsLuredHereByANameOfHisOwnIsRefused) {
  ServerRequest request;
  request.method = "GET";
  request.path = "/metrics";
  const auto status = [&](bool loopback, const std::string& host) {
    request.loopback = loopback;
    request.headers = {{"host", host}};
    return WebRoutes(backend, options).answer(request).status;
  };
  for (const char* ours :
       {"localhost", "LOCALHOST:10191", "127.0.0.1:10191", "127.9.9.9", "[::1]", "[::1]:10191", ""})
    EXPECT_EQ(status(true, ours), 200) << ours;
  for (const char* foreign :
       {"evil.example", "evil.example:10191", "localhost.evil.example", "127.0.0.1.evil.example"}) {
    EXPECT_EQ(status(true, foreign), 421) << foreign;
    EXPECT_EQ(status(false, foreign), 200) << "any name may lead to another address than loopback";
  }
  options.external_url = *parse_url("https://monitor.example/");
  EXPECT_EQ(status(false, "evil.example"), 421);
  EXPECT_EQ(status(false, "Monitor.example:443"), 200);
}

TEST_F(WebRoutesTest, WhatChangesSomethingComesFromOurOwnPages) {
  options.enable_lifecycle = true;
  const auto status = [this](const std::string& origin) {
    routes.reset();
    return ask("POST", "/-/reload", {{"host", "localhost:1"}, {"origin", origin}}).status;
  };
  EXPECT_EQ(status("http://localhost:1"), 200);
  for (const char* foreign :
       {"http://evil.example", "null", "http://localhost:2", "https://localhost:1", "localhost:1",
        "http://localhost:1.evil.example", "http://localhost:1@evil.example"})
    EXPECT_EQ(status(foreign), 403) << foreign;
  options.external_url = *parse_url("https://monitor.example/x/");
  EXPECT_EQ(status("https://monitor.example"), 200);
  EXPECT_EQ(status("https://monitor.example:443"), 200);
  EXPECT_EQ(status("http://monitor.example"), 403) << "a page that anybody on the way can write";
  EXPECT_EQ(status("https://monitor.example:8443"), 403);
}

TEST_F(WebRoutesTest, ThatAPasswordWasRightIsSaidWhateverTheAnswerIs) {
  int refused_with = 0;
  backend.refuse = [&refused_with](const ServerRequest&) {
    return refused_with == 0 ? std::nullopt : std::optional(ServerResponse::text(refused_with, ""));
  };
  const auto knew_password = [this](const std::string& path, Lane lane) {
    ServerRequest request;
    request.method = "GET";
    request.path = path;
    request.lane = lane;
    return WebRoutes(backend, options).answer(request).knew_password;
  };
  for (const char* path : {"/metrics", "/nowhere", "/config"}) {
    EXPECT_TRUE(knew_password(path, Lane::password)) << path;
    EXPECT_FALSE(knew_password(path, Lane::quick)) << "it was known before, or none is needed";
  }
  refused_with = 401;
  EXPECT_FALSE(knew_password("/metrics", Lane::password));
  refused_with = 429;
  EXPECT_TRUE(knew_password("/metrics", Lane::password)) << "who may come in may come too fast";
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

TEST_F(WebRoutesTest, AnEventMayCauseALook) {
  fleet.views = {a_view("m-1")};
  EXPECT_EQ(ask("POST", "/-/poll?image=m-1").status, 403) << "off unless asked for";
  options.enable_lifecycle = true;
  routes.reset();
  EXPECT_EQ(ask("POST", "/-/poll?image=m-none").status, 404);
  EXPECT_EQ(ask("POST", "/-/poll").status, 400);
  EXPECT_EQ(ask("POST", "/-/poll?image=not an id").status, 400);
  EXPECT_THAT(polled, ElementsAre());
  EXPECT_EQ(ask("POST", "/-/poll?image=m-1").status, 202);
  EXPECT_THAT(polled, ElementsAre("m-1"));
}

TEST_F(WebRoutesTest, OtherSitesCannotReload) {
  options.enable_lifecycle = true;
  EXPECT_EQ(ask("POST", "/-/reload", {{"sec-fetch-site", "cross-site"}}).status, 403);
  EXPECT_EQ(ask("POST", "/-/reload", {{"sec-fetch-site", "same-site"}}).status, 403);
  EXPECT_EQ(reloads, 0);
  EXPECT_EQ(ask("POST", "/-/reload", {{"sec-fetch-site", "same-origin"}}).status, 200);
}

TEST_F(WebRoutesTest, WrongMethodsAreToldTheRightOnes) {
  for (const char* path :
       {"/", "/metrics", "/-/healthy", "/-/ready", "/config", "/api/v1/images", "/api/v1/images/m-1",
        "/images/m-1", "/api/v1/drift", "/api/v1/events", "/assets/app.js"}) {
    const ServerResponse response = ask("POST", path);
    EXPECT_EQ(response.status, 405) << path;
    EXPECT_EQ(header_of(response, "Allow"), "GET, HEAD, OPTIONS") << path;
    const bool absent = std::string(path).ends_with("/images/m-1");
    EXPECT_EQ(ask("HEAD", path).status, absent ? 404 : 200) << path;
  }
  const ServerResponse reload = get("/-/reload");
  EXPECT_EQ(reload.status, 405);
  EXPECT_EQ(header_of(reload, "Allow"), "POST, OPTIONS");
  EXPECT_EQ(ask("POST", "/nothing").status, 404);
}

TEST_F(WebRoutesTest, OptionsAreAnswered) {
  for (const char* path : {"/", "/metrics", "/-/healthy", "/api/v1/images"}) {
    const ServerResponse response = ask("OPTIONS", path);
    EXPECT_EQ(response.status, 204) << path;
    EXPECT_EQ(header_of(response, "Allow"), "GET, HEAD, OPTIONS") << path;
    EXPECT_EQ(body_of(response), "");
  }
  options.enable_lifecycle = true;
  EXPECT_EQ(header_of(ask("OPTIONS", "/-/reload"), "Allow"), "POST, OPTIONS");
  EXPECT_EQ(reloads, 0);
  EXPECT_EQ(ask("OPTIONS", "/nothing").status, 404);
  EXPECT_THAT(counted, ::testing::Contains(Pair("/metrics", 204)));
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
  for (const char* path : {"/", "/metrics", "/-/healthy", "/-/ready", "/-/reload", "/config",
                           "/api/v1/images", "/api/v1/images/m-secret", "/images/m-secret", "/api/v1/drift",
                           "/api/v1/events", "/assets/app.css", "/x/y/z"}) {
    get(path);
  }
  for (const auto& [path, code] : counted)
    EXPECT_NE(std::find(kHttpPaths.begin(), kHttpPaths.end(), path), kHttpPaths.end()) << path;
  EXPECT_EQ(counted.size(), 13U);
  EXPECT_THAT(counted, ::testing::Contains(Pair("/images/ID", 404)));
  EXPECT_THAT(counted, ::testing::Contains(Pair("/api/v1/images/ID", 404)));
}

TEST_F(WebRoutesTest, OnlyHealthIsOpenToThoseWhoAreRefused) {
  backend.refuse = [](const ServerRequest&) { return ServerResponse::text(401, "no\n"); };
  options.enable_lifecycle = true;
  for (const char* path : {"/", "/metrics", "/config", "/api/v1/images", "/api/v1/images/x", "/images/x",
                           "/api/v1/drift", "/api/v1/events", "/assets/app.js", "/nothing"}) {
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

TEST_F(WebRoutesTest, PagesTrustNothingButThemselves) {
  fleet.views = {a_view("m-1")};
  for (const char* path : {"/", "/images/m-1"}) {
    const ServerResponse page = get(path);
    EXPECT_EQ(page.content_type, "text/html; charset=utf-8") << path;
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
}

TEST_F(WebRoutesTest, ThePageOfAnImageAsksForItsOwnEvents) {
  fleet.views = {a_view("m-1")};
  events = {{EventType::listing_recovered, kNow, "m-1", {{"failures", std::int64_t{3}}}}};
  EXPECT_THAT(body_of(get("/images/m-1")), HasSubstr("is listed completely again after 3 failures"));
  ASSERT_EQ(queries.size(), 1U);
  EXPECT_EQ(queries[0].image_id, "m-1");
  events_error = "the database is busy";
  const ServerResponse without = get("/images/m-1");
  EXPECT_EQ(without.status, 200);
  EXPECT_THAT(body_of(without), HasSubstr("the database is busy"));
  EXPECT_EQ(get("/images/m-2").status, 404);
  EXPECT_EQ(get("/images/").status, 404);
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

}  // namespace
}  // namespace sharedrift
