#include "core/text.hpp"
#include "web_bench.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using testing::a_drift;
using testing::a_view;
using testing::body_of;
using ::testing::HasSubstr;
using testing::kNow;
using testing::WebRoutesTest;
using Json = nlohmann::json;

TEST_F(WebRoutesTest, ImagesTellAllThatIsKnownAndNullForTheRest) {
  const auto shared = a_view("m-1");
  shared->drifts = {a_drift(1, DriftKind::unexpected, WallTime{Millis{1'794'990'000'000}})};
  shared->unexpected_accounts = 1;
  auto policy = std::make_shared<ImagePolicy>(*shared->policy);
  policy->name = "edge \"base\"";
  shared->policy = policy;
  const auto blind = a_view("m-2");
  blind->listing_complete = false;
  blind->state = ImageState::forbidden;
  blind->last_complete.reset();
  blind->unexpected_accounts.reset();
  blind->shared_accounts.reset();
  blind->last_failure = std::make_shared<const Failure>(
      Failure{Reason::forbidden, "may not\n<see>", "NoPermission", 403, "R-1"});
  fleet.views = {shared, blind};
  const Json images = data("/api/v1/images");
  ASSERT_EQ(images.size(), 2U);
  EXPECT_EQ(images[0].at("image_name"), "edge \"base\"");
  EXPECT_EQ(images[0].at("verdict"), "unexpected");
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

TEST_F(WebRoutesTest, AnImageHasEachGaugeOfTheTableUnderItsName) {
  const auto view = a_view("m-1");
  std::int64_t number = 0;
  testing::for_each_gauge(*view, [&number](ImageView::Gauge& gauge) { gauge = ++number; });
  const auto unread = a_view("m-2");
  testing::for_each_gauge(*unread, [](ImageView::Gauge& gauge) { gauge.reset(); });
  fleet.views = {view, unread};
  const Json images = data("/api/v1/images");
  EXPECT_GT(number, 0);
  for (const ImageFamily& family : image_families()) {
    if (family.json == nullptr) continue;
    const std::string name = family.json_name();
    EXPECT_EQ("share_drift_" + name, family.spec.name);
    EXPECT_EQ(images[0].at(name), *(*view.*family.json)) << name;
    EXPECT_EQ(images[1].at(name), nullptr) << name;
  }
}

TEST_F(WebRoutesTest, AnImageThatIsNotWatchedAnyMoreStillTellsWhatWasOpen) {
  const auto view = a_view("m-1");
  view->unwatched_since = kNow;
  view->drifts = {a_drift(1, DriftKind::unexpected, kNow)};
  fleet.views = {view, a_view("m-2")};
  const Json images = data("/api/v1/images");
  EXPECT_EQ(images[0].at("verdict"), "unexpected");
  EXPECT_EQ(images[0].at("unwatched_since"), "2026-11-18T11:07:40.000Z");
  EXPECT_EQ(images[1].at("unwatched_since"), nullptr);
  EXPECT_EQ(data("/api/v1/drift")[0].at("unwatched_since"), images[0].at("unwatched_since"));
  EXPECT_EQ(data("/api/v1/images/m-1").at("verdict"), "unexpected");
  EXPECT_EQ(get("/images/m-1").status, 200);
}

TEST_F(WebRoutesTest, OneImageTellsWhoHasItAndWhy) {
  const auto view = a_view("m-1");
  auto policy = std::make_shared<ImagePolicy>(*view->policy);
  policy->required = {testing::account_number(1)};
  policy->exceptions = {{testing::account_number(2), kNow + Millis{1}, "jane", "SEC-1", "pilot"}};
  view->policy = policy;
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
  EXPECT_EQ(list.at(0).at("msg"), message_of(events.front()));
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

TEST_F(WebRoutesTest, ManyEventsKeepNoPageWaiting) {
  const auto lane = [this](const std::string& name, const std::string& value) {
    ServerRequest request;
    request.method = "GET";
    request.path = "/api/v1/events";
    if (!name.empty()) request.query = {{"limit", "5"}, {name, value}};
    return WebRoutes(backend, options).answer(request).later;
  };
  EXPECT_EQ(lane("", ""), Lane::slow);
  EXPECT_EQ(lane("image", "m-1"), Lane::slow);
  EXPECT_EQ(lane("limit", "100"), Lane::slow);
  EXPECT_EQ(lane("limit", "101"), Lane::large);
  EXPECT_EQ(lane("since", "1794990000"), Lane::large);
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
