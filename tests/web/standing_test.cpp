#include "web/standing.hpp"

#include "support/views.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using testing::a_drift;
using testing::a_view;
using ::testing::HasSubstr;

constexpr Millis kStaleAfter{900'000};
const WallTime kProven{Millis{1'795'000'000'000}};

Judgement judged(const ImageView& view, Millis later = Millis{60'000}) {
  return judge(view, kProven + later, kStaleAfter);
}

TEST(Standing, InSyncNeedsAFreshAndCompleteProof) {
  const auto view = a_view("m-1");
  EXPECT_EQ(judged(*view).standing, Standing::in_sync);
  EXPECT_EQ(judged(*view).why, "");
  EXPECT_EQ(judged(*view, kStaleAfter).standing, Standing::in_sync);
}

TEST(Standing, AnOldProofIsNoneEvenIfNobodyTouchesTheView) {
  const auto view = a_view("m-1");
  const Judgement old = judged(*view, kStaleAfter + Millis{1});
  EXPECT_EQ(old.standing, Standing::unknown);
  EXPECT_TRUE(old.stale);
  EXPECT_EQ(old.why, "the last proof is 15 min old");
}

TEST(Standing, NoStateIsGreenWithoutACompleteListing) {
  for (const ImageState state : kAllImageStates) {
    const auto view = a_view("m-1");
    view->state = state;
    view->listing_complete = false;
    EXPECT_EQ(judged(*view).standing, Standing::unknown) << to_string(state);
    EXPECT_NE(judged(*view).why, "") << to_string(state);
  }
}

TEST(Standing, WithdrawnZerosAreUnknown) {
  const auto view = a_view("m-1");
  view->missing_accounts.reset();
  EXPECT_EQ(judged(*view).standing, Standing::unknown);
}

TEST(Standing, DriftStaysWhileBlindAndSaysSo) {
  const auto view = a_view("m-1");
  view->drifts = {a_drift(1, DriftKind::unexpected, kProven), a_drift(2, DriftKind::missing, kProven)};
  EXPECT_EQ(judged(*view).standing, Standing::leaking);
  view->listing_complete = false;
  view->state = ImageState::forbidden;
  EXPECT_EQ(judged(*view).standing, Standing::leaking);
  EXPECT_EQ(judged(*view).why, "access refused");
  view->drifts.erase(view->drifts.begin());
  EXPECT_EQ(judged(*view).standing, Standing::missing);
}

TEST(Standing, ACanaryIsWellWhileItSings) {
  const auto view = a_view("m-1");
  auto policy = std::make_shared<ImagePolicy>(*view->policy);
  policy->canary = true;
  view->policy = policy;
  EXPECT_EQ(judged(*view).standing, Standing::unknown);
  EXPECT_THAT(judged(*view).why, HasSubstr("canary lost"));
  view->drifts = {a_drift(1, DriftKind::unexpected, kProven)};
  EXPECT_EQ(judged(*view).standing, Standing::in_sync);
  view->listing_complete = false;
  EXPECT_EQ(judged(*view).standing, Standing::unknown);
}

TEST(Standing, AgesAreShort) {
  const auto age = [](std::int64_t seconds) { return format_age(kProven, kProven + Millis{seconds * 1000}); };
  EXPECT_EQ(age(-5), "0 s");
  EXPECT_EQ(age(119), "119 s");
  EXPECT_EQ(age(120), "2 min");
  EXPECT_EQ(age(7199), "119 min");
  EXPECT_EQ(age(7200), "2 h");
  EXPECT_EQ(age(172'799), "47 h");
  EXPECT_EQ(age(172'800), "2 d");
}

}  // namespace
}  // namespace sharedrift
