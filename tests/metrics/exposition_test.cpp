#include "metrics/exposition.hpp"

#include "support/exposition_parser.hpp"
#include "support/golden.hpp"
#include "support/gunzip.hpp"
#include "support/page.hpp"
#include "support/views.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using testing::a_drift;
using testing::a_view;
using testing::account_number;
using ::testing::ElementsAre;
using testing::ExpositionParser;
using testing::find_family;
using testing::for_each_gauge;
using testing::page_of;
using testing::samples_of;
using ::testing::SizeIs;

constexpr WallTime kNoon{Millis{1'795'000'000'000}};

std::vector<testing::ParsedFamily> parsed(const ViewStore& store,
                                          TextFormat format = TextFormat::prometheus) {
  Exposition exposition(store);
  return ExpositionParser::parse(page_of(exposition, format), format == TextFormat::openmetrics);
}
std::string text(Exposition& exposition, TextFormat format = TextFormat::prometheus) {
  return page_of(exposition, format);
}
std::vector<double> values(const std::vector<testing::ParsedSample>& samples) {
  std::vector<double> out;
  out.reserve(samples.size());
  for (const auto& sample : samples)
    out.push_back(sample.value);
  return out;
}

TEST(Exposition, EveryAbsentSetIsAnAbsentSeriesAndNotAZero) {
  ViewStore store;
  auto view = std::make_shared<ImageView>(*a_view("m-1"));
  view->state = ImageState::never_read;
  for_each_gauge(*view, [](ImageView::Gauge& gauge) { gauge.reset(); });
  view->last_complete = view->last_poll = std::nullopt;
  view->counters = {};
  store.publish(view);
  const auto page = parsed(store);
  for (const ImageFamily& family : image_families()) {
    if (family.json != nullptr) {
      EXPECT_EQ(find_family(page, family.spec.name), nullptr) << family.spec.name;
    }
  }
  for (const char* name : {"share_drift_canary_drift_open", "share_drift_account_since_timestamp_seconds"}) {
    EXPECT_EQ(find_family(page, name), nullptr) << name;
  }
  for (const char* name : {"share_drift_listing_last_complete_timestamp_seconds",
                           "share_drift_listing_last_attempt_timestamp_seconds", "share_drift_listings_total",
                           "share_drift_listing_failures_total", "share_drift_flaps_total"}) {
    EXPECT_THAT(values(samples_of(page, name)), ElementsAre(0)) << name;
  }
  EXPECT_THAT(values(samples_of(page, "share_drift_opened_total")), ElementsAre(0, 0));
  EXPECT_THAT(values(samples_of(page, "share_drift_closed_total")), ElementsAre(0, 0));
  const auto states = samples_of(page, "share_drift_image_state");
  ASSERT_THAT(states, SizeIs(1));
  EXPECT_EQ(states[0].label("state"), "never_read");
}

TEST(Exposition, CanaryFeedsItsOwnSeriesAndNeverThePage) {
  ViewStore store;
  auto view = std::make_shared<ImageView>(*a_view("m-canary"));
  auto policy = std::make_shared<ImagePolicy>(*view->policy);
  policy->canary = true;
  view->policy = policy;
  view->unexpected_accounts = 3;
  view->drifts = {a_drift(1, DriftKind::unexpected, kNoon)};
  store.publish(view);
  const auto page = parsed(store);
  EXPECT_EQ(find_family(page, "share_drift_unexpected_accounts"), nullptr);
  EXPECT_EQ(find_family(page, "share_drift_account_since_timestamp_seconds"), nullptr);
  EXPECT_THAT(values(samples_of(page, "share_drift_canary_drift_open")), ElementsAre(1));
  EXPECT_THAT(values(samples_of(page, "share_drift_account_series_dropped")), ElementsAre(0));
}

TEST(Exposition, AccountSeriesStopAtTwoHundredOldestFirst) {
  ViewStore store;
  for (int image = 0; image < 3; ++image) {
    auto view = std::make_shared<ImageView>(*a_view("m-" + std::to_string(image)));
    for (std::uint64_t i = 0; i < 150; ++i) {
      // interleaved over the images, youngest first
      view->drifts.push_back(
          a_drift(i, DriftKind::unexpected, kNoon - Millis{static_cast<std::int64_t>(3 * i) + image}));
    }
    view->unexpected_accounts = 150;
    store.publish(view);
  }
  const auto page = parsed(store);
  const auto series = samples_of(page, "share_drift_account_since_timestamp_seconds");
  ASSERT_THAT(series, SizeIs(kMaxAccountSeries));
  EXPECT_TRUE(std::is_sorted(series.begin(), series.end(),
                             [](const auto& a, const auto& b) { return a.value < b.value; }));
  EXPECT_DOUBLE_EQ(series.front().value, unix_seconds(kNoon - Millis{449}));
  EXPECT_DOUBLE_EQ(series.back().value, unix_seconds(kNoon - Millis{250}));
  EXPECT_THAT(values(samples_of(page, "share_drift_account_series_dropped")), ElementsAre(250));
  EXPECT_THAT(values(samples_of(page, "share_drift_unexpected_accounts")), ElementsAre(150, 150, 150));
}

TEST(Exposition, CountsTheAccountsBeyondEachImagesOwnRoom) {
  ViewStore store;
  const auto with_accounts = [&store](const char* id, std::uint64_t count) {
    auto view = std::make_shared<ImageView>(*a_view(id));
    auto policy = std::make_shared<ImagePolicy>(*view->policy);
    policy->required = policy->allowed = {};
    policy->exceptions = {};
    view->policy = policy;
    view->sightings.clear();
    for (std::uint64_t i = 0; i < count; ++i)
      view->sightings.push_back(account_number(i));
    store.publish(view);
  };
  with_accounts("m-1", 25);
  with_accounts("m-2", 10);
  with_accounts("m-3", 11);
  const auto page = parsed(store);
  EXPECT_THAT(values(samples_of(page, "share_drift_remembered_accounts")), ElementsAre(15 + 0 + 1));
  EXPECT_THAT(values(samples_of(page, "share_drift_remembered_accounts_limit")), ElementsAre(250'000));
}

TEST(Exposition, ExceptionsStopAtTwoHundredToo) {
  ViewStore store;
  const auto view = a_view("m-1");
  auto policy = std::make_shared<ImagePolicy>(*view->policy);
  for (std::uint64_t i = 0; i < 201; ++i) {
    policy->exceptions.push_back(
        {account_number(i), kNoon + Millis{static_cast<std::int64_t>(i)}, "", "", ""});
  }
  view->policy = policy;
  store.publish(view);
  const auto page = parsed(store);
  const auto series = samples_of(page, "share_drift_exception_expiry_timestamp_seconds");
  ASSERT_THAT(series, SizeIs(kMaxAccountSeries));
  EXPECT_EQ(series.back().label("account_id"), account_number(199).str());
  EXPECT_THAT(values(samples_of(page, "share_drift_account_series_dropped")), ElementsAre(1));
}

TEST(Exposition, NamesComeFromTheAddressBookAndAreEmptyWithoutOne) {
  ViewStore store;
  auto view = std::make_shared<ImageView>(*a_view("m-1"));
  view->drifts = {a_drift(1, DriftKind::unexpected, kNoon), a_drift(2, DriftKind::missing, kNoon)};
  store.publish(view);
  Exposition exposition(store);
  text(exposition);
  store.set_account_names({{account_number(1), "partner \"north\"\n"}});
  const auto series = samples_of(ExpositionParser::parse(text(exposition), false),
                                 "share_drift_account_since_timestamp_seconds");
  ASSERT_THAT(series, SizeIs(2));
  EXPECT_EQ(series[0].label("account_name"), "partner \"north\"\n");
  EXPECT_EQ(series[0].label("kind"), "unexpected");
  EXPECT_EQ(series[1].label("account_name"), "");
  EXPECT_EQ(series[1].label("kind"), "missing");
}

TEST(Exposition, HostileStringsComeBackAsTheyWere) {
  ViewStore store;
  std::vector<std::string> expected;
  for (std::size_t i = 0; i < testing::hostile_texts().size(); ++i) {
    auto view = std::make_shared<ImageView>(*a_view("m-" + std::to_string(i)));
    auto policy = std::make_shared<ImagePolicy>(*view->policy);
    policy->name = testing::hostile_texts().at(i);
    view->policy = policy;
    store.publish(view);
    expected.push_back(is_valid_utf8(policy->name) ? policy->name
                                                   : "bad \xEF\xBF\xBD\xEF\xBF\xBD bytes \xEF\xBF\xBD");
  }
  for (const TextFormat format : {TextFormat::prometheus, TextFormat::openmetrics}) {
    std::vector<std::string> names;
    for (const auto& sample : samples_of(parsed(store, format), "share_drift_image_info"))
      names.push_back(sample.label("image_name"));
    EXPECT_EQ(names, expected);
  }
}

TEST(Exposition, EverySampleHasTheLabelsOfItsFamily) {
  testing::SeededRandom random(3);
  ViewStore store;
  for (int i = 0; i < 40; ++i)
    store.publish(random_view(random, "m-" + std::to_string(i)));
  const auto page = parsed(store);
  for (const ImageFamily& family : image_families()) {
    const auto samples = samples_of(page, family.spec.name);
    EXPECT_FALSE(samples.empty()) << family.spec.name;
    for (const auto& sample : samples)
      EXPECT_EQ(sample.label_names(), family.spec.labels) << family.spec.name;
  }
  EXPECT_THAT(page, SizeIs(image_families().size() + fleet_families().size()));
}

TEST(Exposition, AnEmptyStoreIsStillAPage) {
  const ViewStore store;
  const auto page = parsed(store);
  EXPECT_THAT(values(samples_of(page, "share_drift_watched_images")), ElementsAre(0));
  EXPECT_THAT(page, SizeIs(fleet_families().size()));
}

TEST(Exposition, PutsTheDaemonsOwnFamiliesBeforeTheEnd) {
  struct Own : prometheus::Collectable {
    [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override {
      auto family =
          family_of({"share_drift_listing_overruns_total", prometheus::MetricType::Counter, "", "Own."});
      add_sample(family, 4);
      return {family};
    }
  };
  const ViewStore store;
  const Own own;
  Exposition exposition(store, &own);
  for (const TextFormat format : {TextFormat::prometheus, TextFormat::openmetrics}) {
    const bool openmetrics = format == TextFormat::openmetrics;
    const std::string page = text(exposition, format);
    const std::string zipped = page_of(exposition, format, Encoding::gzip);
    EXPECT_EQ(testing::gunzip(zipped), page);
    const auto families = ExpositionParser::parse(page, openmetrics);
    EXPECT_EQ(families.back().name,
              openmetrics ? "share_drift_listing_overruns" : "share_drift_listing_overruns_total");
  }
}

TEST(Exposition, LooksLikeTheGoldenPages) {
  ViewStore store;
  store.set_account_names({{account_number(1), "partner-north"}});
  auto drifting = std::make_shared<ImageView>(*a_view("m-5s7qotzavwbrnzaqh4unm0000"));
  for_each_gauge(*drifting, [](ImageView::Gauge& gauge) { gauge = gauge.value_or(0); });
  auto policy = std::make_shared<ImagePolicy>(*drifting->policy);
  policy->name = "edge-base";
  policy->team = R"(edge "os" \ core)";
  policy->severity = "page";
  policy->exceptions = {{account_number(3), kNoon + Millis{86'400'000}, "jane", "SEC-12", "pilot"}};
  drifting->policy = policy;
  drifting->shared_accounts = 3;
  drifting->unexpected_accounts = 1;
  drifting->missing_accounts = 1;
  drifting->last_poll = kNoon + Millis{250};
  drifting->counters = {42, 2, {1, 1}, {0, 0}, 0};
  drifting->drifts = {a_drift(1, DriftKind::unexpected, kNoon - Millis{60'001}),
                      a_drift(2, DriftKind::missing, kNoon - Millis{120'000})};
  store.publish(drifting);
  auto blind = std::make_shared<ImageView>(*a_view("m-blind"));
  blind->state = ImageState::forbidden;
  auto refused = make_failure(Reason::forbidden, "the key may not do this");
  refused.code = "NoPermission";
  blind->last_failure = std::make_shared<const Failure>(std::move(refused));
  blind->listing_complete = false;
  blind->last_complete = std::nullopt;
  for_each_gauge(*blind, [](ImageView::Gauge& gauge) { gauge.reset(); });
  blind->allowed_accounts = 2;
  blind->counters = {7, 7, {}, {}, 0};
  store.publish(blind);
  auto canary = std::make_shared<ImageView>(*a_view("m-canary"));
  auto canary_policy = std::make_shared<ImagePolicy>(*canary->policy);
  canary_policy->canary = true;
  canary_policy->interval = Millis{60'000};
  canary->policy = canary_policy;
  canary->unexpected_accounts = 1;
  store.publish(canary);
  Exposition exposition(store);
  const std::string page = text(exposition);
  testing::expect_golden("images-text.prom", page);
  EXPECT_EQ(text(exposition, TextFormat::openmetrics), testing::as_openmetrics(page));
}

}  // namespace
}  // namespace sharedrift
