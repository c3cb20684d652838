// What the table of the families promises of every gauge that is in it, also of one that comes.

#include "metrics/image_families.hpp"
#include "support/fleet.hpp"

#include <string>

#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using namespace std::chrono_literals;
using testing::an_image;
using testing::failed;
using testing::Fleet;
using testing::listed;

/// Calls `visit(name, value)` for each gauge that the JSON API has too.
template <class Visit>
void for_each_value(const ImageView& view, Visit visit) {
  for (const ImageFamily& family : image_families()) {
    if (family.json != nullptr) visit(family.json_name(), view.*family.json);
  }
}

TEST(ImageGauges, AreKnownWithAListingAndNoneIs0WithoutAProofThatIsYoung) {
  Fleet fleet({an_image("m-1").allowing({1})});
  for_each_value(*fleet.view("m-1"), [](const std::string& name, const ImageView::Gauge& value) {
    EXPECT_NE(value, 0) << name << " before the first listing";
  });
  fleet.apply("m-1", listed({}));
  for_each_value(*fleet.view("m-1"),
                 [](const std::string& name, const ImageView::Gauge& value) { EXPECT_TRUE(value) << name; });
  fleet.advance(24h);
  fleet.tick();
  fleet.apply("m-1", failed(Reason::throttled));
  for_each_value(*fleet.view("m-1"), [](const std::string& name, const ImageView::Gauge& value) {
    EXPECT_NE(value, 0) << name << " a day after the last one";
  });
}

TEST(ImageGauges, OfAnImageThatIsNotWatchedAnyMoreOpenDriftIsClaimedAndNothingElse) {
  Fleet fleet({an_image("m-1").allowing({1}).requiring({2}), an_image("m-2")});
  fleet.apply("m-1", listed({1, 9}));
  fleet.apply("m-1", listed({1, 9}));
  const Step step = fleet.reconfigure({an_image("m-2")});
  ASSERT_EQ(step.unwatched.size(), 1U);
  const ImageView& view = *step.unwatched.front().view;
  EXPECT_EQ(view.unexpected_accounts, 1);
  EXPECT_EQ(view.missing_accounts, 1);
  for_each_value(view, [](const std::string& name, const ImageView::Gauge& value) {
    if (name != "unexpected_accounts" && name != "missing_accounts") {
      EXPECT_FALSE(value) << name;
    }
  });
}

}  // namespace
}  // namespace sharedrift
