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
/// The families that grew since.
std::vector<std::string_view> grown(const Fleet& before, const ViewStore& store) {
  const Fleet after = store.fleet();
  std::vector<std::string_view> out;
  for (std::size_t i = 0; i < before.versions.size(); ++i) {
    EXPECT_GE(after.versions.at(i), before.versions.at(i));
    if (before.versions.at(i) != after.versions.at(i)) out.push_back(image_families()[i].spec.name);
  }
  EXPECT_EQ(after.version > before.version, !out.empty());
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

TEST(ViewStore, WhatLeftTheWatchWithDriftIsForPeopleAndForADay) {
  constexpr Millis kDay = std::chrono::hours{24};
  const WallTime now{Millis{1'795'000'000'000}};
  const auto left = [&now](const std::string& name, Millis later) {
    const auto view = a_view(name);
    view->unwatched_since = now + later;
    view->drifts = {testing::a_drift(1, DriftKind::unexpected, now)};
    return view;
  };
  const auto for_people = [](const ViewStore& store, WallTime at) {
    std::vector<std::string> out;
    for (const ViewPtr& view : store.fleet(at).views)
      out.push_back(view->policy->id.str());
    return out;
  };
  ViewStore store;
  for (const char* name : {"m-1", "m-2", "m-3", "m-4"})
    store.publish(a_view(name));
  store.unwatch(left("m-1", Millis{0}));
  store.unwatch(left("m-3", Millis{1}));
  const auto fine = a_view("m-4");
  fine->unwatched_since = now;
  store.unwatch(fine);
  EXPECT_THAT(ids(store), ElementsAre("m-2")) << "it has no series any more";
  EXPECT_THAT(for_people(store, now), ElementsAre("m-1", "m-2", "m-3"));
  EXPECT_THAT(for_people(store, now + kDay), ElementsAre("m-2", "m-3"));
  store.publish(a_view("m-3"));
  EXPECT_THAT(for_people(store, now), ElementsAre("m-1", "m-2", "m-3"));
  EXPECT_EQ(store.fleet(now).views[2]->unwatched_since, std::nullopt) << "it is watched again";
}

TEST(ViewStore, WhatIsShownNoMoreIsForgottenAsOthersLeave) {
  const WallTime now{Millis{1'795'000'000'000}};
  ViewStore store;
  const auto leave = [&store](int first, int count, WallTime at) {
    for (int i = first; i < first + count; ++i) {
      const auto view = a_view("m-" + std::to_string(i));
      view->unwatched_since = at;
      view->drifts = {testing::a_drift(1, DriftKind::unexpected, at)};
      store.unwatch(view);
    }
  };
  leave(0, 10, now);
  EXPECT_EQ(store.fleet(now).views.size(), 10U);
  leave(10, 90, now + std::chrono::hours{25});
  EXPECT_EQ(store.fleet(now).views.size(), 90U) << "the first are not kept, whatever the clock says later";
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
  const Fleet before = store.fleet();
  auto view = std::make_shared<ImageView>(*a_view("m-1"));
  view->last_poll = *view->last_poll + Millis{1};
  view->last_complete = view->last_poll;
  ++view->counters.listings;
  store.publish(view);
  EXPECT_THAT(grown(before, store), ElementsAre("share_drift_listing_last_complete_timestamp_seconds",
                                                "share_drift_listing_last_attempt_timestamp_seconds",
                                                "share_drift_listings_total"));
  EXPECT_EQ(store.fleet().version, store.version());
}

TEST(ViewStore, GrowsEveryFamilyWhenAnImageComesOrGoes) {
  ViewStore store;
  Fleet before = store.fleet();
  store.publish(a_view("m-1"));
  EXPECT_EQ(grown(before, store).size(), image_families().size());
  before = store.fleet();
  store.remove(id("m-1"));
  EXPECT_EQ(grown(before, store).size(), image_families().size());
}

TEST(ViewStore, GrowsTheAccountFamiliesByDriftNamesAndExceptions) {
  ViewStore store;
  store.publish(a_view("m-1"));
  Fleet before = store.fleet();
  auto view = std::make_shared<ImageView>(*a_view("m-1"));
  view->drifts = {testing::a_drift(1, DriftKind::unexpected, WallTime{})};
  store.publish(view);
  EXPECT_THAT(grown(before, store), ElementsAre("share_drift_account_since_timestamp_seconds"));
  before = store.fleet();
  store.set_account_names({{testing::account_number(1), "partner"}});
  EXPECT_THAT(grown(before, store), ElementsAre("share_drift_account_since_timestamp_seconds"));
  before = store.fleet();
  auto excepted = std::make_shared<ImageView>(*view);
  auto policy = std::make_shared<ImagePolicy>(*view->policy);
  policy->exceptions = {{testing::account_number(2), WallTime{}, "", "", ""}};
  excepted->policy = policy;
  store.publish(excepted);
  EXPECT_THAT(grown(before, store), ElementsAre("share_drift_exception_expiry_timestamp_seconds"));
}

}  // namespace
}  // namespace sharedrift
