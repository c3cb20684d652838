#include "metrics/view_store.hpp"

#include "support/views.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using testing::a_view;
using ::testing::ElementsAre;

std::vector<std::string> ids(const ViewStore& store) {
  std::vector<std::string> out;
  for (const ViewPtr& view : store.fleet().views)
    out.push_back(view->policy->id.str());
  return out;
}
ImageId id(const std::string& text) {
  return *ImageId::parse(text);
}
std::vector<Metric> grown(const ImageVersions& before, const ImageVersions& after) {
  std::vector<Metric> out;
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_GE(after.at(i), before.at(i));
    if (before.at(i) != after.at(i)) out.push_back(static_cast<Metric>(i));
  }
  return out;
}

TEST(ViewStore, HoldsTheNewestViewOfEachImageSortedById) {
  ViewStore store;
  for (const char* name : {"m-c", "m-a", "m-b"})
    store.publish(a_view(name));
  const ViewPtr newest = a_view("m-b");
  store.publish(newest);
  EXPECT_THAT(ids(store), ElementsAre("m-a", "m-b", "m-c"));
  EXPECT_EQ(store.fleet().views[1], newest);
  store.remove(id("m-a"));
  store.remove(id("m-unknown"));
  EXPECT_THAT(ids(store), ElementsAre("m-b", "m-c"));
}

TEST(ViewStore, ReadersKeepTheFleetTheyTook) {
  ViewStore store;
  store.publish(a_view("m-1"));
  const Fleet before = store.fleet();
  store.remove(id("m-1"));
  ASSERT_EQ(before.views.size(), 1U);
  EXPECT_EQ(before.views[0]->policy->id.str(), "m-1");
}

TEST(ViewStore, WhoeverHasSeenNothingHasSomethingToRead) {
  const ViewStore store;
  EXPECT_GT(store.version(), 0U);
  EXPECT_THAT(store.fleet().versions, ::testing::Each(store.version()));
}

TEST(ViewStore, AnUnchangedViewGrowsNothing) {
  ViewStore store;
  store.publish(a_view("m-1"));
  const std::uint64_t before = store.version();
  store.publish(a_view("m-1"));
  store.remove(id("m-unknown"));
  EXPECT_EQ(store.version(), before);
}

TEST(ViewStore, GrowsJustTheFamiliesThatAPollChanges) {
  ViewStore store;
  store.publish(a_view("m-1"));
  const ImageVersions before = store.fleet().versions;
  auto view = std::make_shared<ImageView>(*a_view("m-1"));
  view->last_attempt = *view->last_attempt + Millis{1};
  view->last_complete = view->last_attempt;
  ++view->counters.listings;
  store.publish(view);
  EXPECT_THAT(grown(before, store.fleet().versions),
              ElementsAre(Metric::listing_last_complete, Metric::listing_last_attempt, Metric::listings));
  EXPECT_THAT(store.fleet().versions, ::testing::Contains(store.version()));
}

TEST(ViewStore, GrowsEveryFamilyWhenAnImageComesOrGoes) {
  ViewStore store;
  ImageVersions before = store.fleet().versions;
  store.publish(a_view("m-1"));
  EXPECT_EQ(grown(before, store.fleet().versions).size(), before.size());
  before = store.fleet().versions;
  store.remove(id("m-1"));
  EXPECT_EQ(grown(before, store.fleet().versions).size(), before.size());
}

TEST(ViewStore, GrowsTheAccountFamiliesByDriftNamesAndExceptions) {
  ViewStore store;
  store.publish(a_view("m-1"));
  ImageVersions before = store.fleet().versions;
  auto view = std::make_shared<ImageView>(*a_view("m-1"));
  view->drifts = {testing::a_drift(1, DriftKind::unexpected, WallTime{})};
  store.publish(view);
  EXPECT_THAT(grown(before, store.fleet().versions),
              ElementsAre(Metric::account_since, Metric::account_series_dropped));
  before = store.fleet().versions;
  store.set_account_names({{testing::account_number(1), "partner"}});
  EXPECT_THAT(grown(before, store.fleet().versions), ElementsAre(Metric::account_since));
  before = store.fleet().versions;
  auto excepted = std::make_shared<ImageView>(*view);
  auto policy = std::make_shared<ImagePolicy>(*view->policy);
  policy->exceptions = {{testing::account_number(2), WallTime{}, "", "", ""}};
  excepted->policy = policy;
  store.publish(excepted);
  EXPECT_THAT(grown(before, store.fleet().versions),
              ElementsAre(Metric::exception_expiry, Metric::account_series_dropped));
}

}  // namespace
}  // namespace sharedrift
