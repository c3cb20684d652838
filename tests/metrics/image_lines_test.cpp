#include "metrics/image_lines.hpp"

#include "support/views.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using Change = std::function<void(ImageView&, ImagePolicy&)>;

/// One thing each: whatever a page shows must be found out by itself, not in the company of something else.
const std::vector<Change>& changes() {
  static const std::vector<Change> all{
      [](ImageView& v, ImagePolicy&) { v.state = ImageState::forbidden; },
      [](ImageView& v, ImagePolicy&) { v.listing_complete = !v.listing_complete; },
      [](ImageView& v, ImagePolicy&) { v.last_complete = WallTime{Millis{77}}; },
      [](ImageView& v, ImagePolicy&) { v.last_complete = std::nullopt; },
      [](ImageView& v, ImagePolicy&) { v.last_attempt = WallTime{Millis{77}}; },
      [](ImageView& v, ImagePolicy&) { ++v.counters.listings; },
      [](ImageView& v, ImagePolicy&) { ++v.counters.failures; },
      [](ImageView& v, ImagePolicy&) { ++v.counters.opened[0]; },
      [](ImageView& v, ImagePolicy&) { ++v.counters.opened[1]; },
      [](ImageView& v, ImagePolicy&) { ++v.counters.closed[0]; },
      [](ImageView& v, ImagePolicy&) { ++v.counters.closed[1]; },
      [](ImageView& v, ImagePolicy&) { ++v.counters.flaps; },
      [](ImageView& v, ImagePolicy&) { ++v.allowed_accounts; },
      [](ImageView& v, ImagePolicy&) { v.shared_accounts = 4711; },
      [](ImageView& v, ImagePolicy&) { v.shared_accounts = std::nullopt; },
      [](ImageView& v, ImagePolicy&) { v.unexpected_accounts = 4711; },
      [](ImageView& v, ImagePolicy&) { v.unexpected_accounts = std::nullopt; },
      [](ImageView& v, ImagePolicy&) { v.unexpected_accounts_min = 4711; },
      [](ImageView& v, ImagePolicy&) { v.missing_accounts = 4711; },
      [](ImageView& v, ImagePolicy&) { v.unlisted_accounts = 4711; },
      [](ImageView& v, ImagePolicy&) { v.unused_entries = 4711; },
      [](ImageView& v, ImagePolicy&) { v.drifts.push_back(testing::a_drift(99, DriftKind::missing, {})); },
      [](ImageView& v, ImagePolicy&) {
        if (!v.drifts.empty()) v.drifts.pop_back();
      },
      [](ImageView& v, ImagePolicy&) {
        if (!v.drifts.empty()) v.drifts.back().since += Millis{1};
      },
      [](ImageView& v, ImagePolicy&) {
        if (!v.drifts.empty()) v.drifts.back().account = testing::account_number(1234);
      },
      [](ImageView& v, ImagePolicy&) {
        if (v.drifts.size() == 1 && v.drifts.back().kind == DriftKind::missing) {
          v.drifts.back().kind = DriftKind::unexpected;
        }
      },
      [](ImageView&, ImagePolicy& p) {
        if (!p.exceptions.empty()) p.exceptions.back().expires += Millis{1};
      },
      [](ImageView&, ImagePolicy& p) {
        if (!p.exceptions.empty()) p.exceptions.back().account = testing::account_number(1234);
      },
      [](ImageView&, ImagePolicy& p) { p.exceptions.clear(); },
      [](ImageView&, ImagePolicy& p) { p.name += "x"; },
      [](ImageView&, ImagePolicy& p) { p.team += "x"; },
      [](ImageView&, ImagePolicy& p) { p.severity += "x"; },
      [](ImageView&, ImagePolicy& p) { p.profile += "x"; },
      [](ImageView&, ImagePolicy& p) { p.interval += Millis{1}; },
      [](ImageView&, ImagePolicy& p) { p.canary = !p.canary; },
      // what no page shows
      [](ImageView& v, ImagePolicy&) { v.sightings.push_back(testing::account_number(1)); },
      [](ImageView& v, ImagePolicy&) { v.last_failure = std::make_shared<const Failure>(); },
      [](ImageView&, ImagePolicy& p) {
        if (!p.exceptions.empty()) p.exceptions.back().reason += "x";
        p.required.push_back(testing::account_number(1));
      },
  };
  return all;
}

std::string lines(std::size_t family, const ViewPtr& view) {
  std::string out;
  append_image_family(out, static_cast<Metric>(family), {view}, {});
  return out;
}

TEST(ImageLines, DifferingNamesTheFamiliesWhoseLinesDifferAndNoOthers) {
  testing::SeededRandom random(11);
  // of this one only a total is shown, and it counts from 200 on
  constexpr auto kDropped = static_cast<std::size_t>(Metric::account_series_dropped);
  constexpr auto kAccounts = static_cast<std::size_t>(Metric::account_since);
  for (int round = 0; round < 60; ++round) {
    const ViewPtr before = random_view(random, "m-1");
    EXPECT_TRUE(differing(*before, *before).none());
    for (std::size_t c = 0; c < changes().size(); ++c) {
      auto after = std::make_shared<ImageView>(*before);
      auto policy = std::make_shared<ImagePolicy>(*before->policy);
      changes().at(c)(*after, *policy);
      after->policy = policy;
      const ImageMetrics told = differing(*before, *after);
      for (std::size_t family = 0; family < kImageMetricCount; ++family) {
        if (family == kDropped) continue;
        const bool differs = lines(family, before) != lines(family, after);
        // a canary shows no accounts, so that their changes may be told in vain
        if (family == kAccounts && (before->policy->canary || policy->canary)) {
          ASSERT_TRUE(told.test(family) || !differs);
          continue;
        }
        ASSERT_EQ(told.test(family), differs)
            << "change " << c << ", " << spec(static_cast<Metric>(family)).name;
      }
    }
  }
}

}  // namespace
}  // namespace sharedrift
