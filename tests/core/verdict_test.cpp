#include "core/verdict.hpp"

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
  return judge(view, kProven + later);
}

TEST(Verdict, InSyncNeedsAFreshAndCompleteProof) {
  const auto view = a_view("m-1");
  EXPECT_EQ(judged(*view).verdict, Verdict::in_sync);
  EXPECT_EQ(judged(*view).why, "");
  EXPECT_EQ(judged(*view, kStaleAfter).verdict, Verdict::in_sync);
}

TEST(Verdict, AnOldProofIsNoneEvenIfNobodyTouchesTheView) {
  const auto view = a_view("m-1");
  const Judgement old = judged(*view, kStaleAfter + Millis{1});
  EXPECT_EQ(old.verdict, Verdict::unknown);
  EXPECT_TRUE(old.stale);
  EXPECT_EQ(old.why, "the last proof is 15 min old");
}

TEST(Verdict, NoStateIsGreenWithoutACompleteListing) {
  for (const ImageState state : kAllImageStates) {
    const auto view = a_view("m-1");
    view->state = state;
    view->listing_complete = false;
    EXPECT_EQ(judged(*view).verdict, Verdict::unknown) << to_string(state);
    EXPECT_NE(judged(*view).why, "") << to_string(state);
  }
}

TEST(Verdict, AnImageThatWasThereIsGoneAndAnotherWasNeverSeen) {
  const auto view = a_view("m-1");
  view->state = ImageState::gone;
  view->listing_complete = false;
  EXPECT_EQ(judged(*view).why, "not among the images of the account any more");
  view->last_complete.reset();
  EXPECT_EQ(judged(*view).why, "not among the images of the account") << "mistyped, or another account's";
}

TEST(Verdict, WhatWasOpenStaysSoWhereNobodyWatchesAnyMore) {
  const auto view = a_view("m-1");
  view->unwatched_since = kProven;
  EXPECT_EQ(judged(*view).verdict, Verdict::unknown);
  view->drifts = {a_drift(1, DriftKind::missing, kProven)};
  EXPECT_EQ(judged(*view).verdict, Verdict::missing);
  view->drifts = {a_drift(1, DriftKind::unexpected, kProven)};
  EXPECT_EQ(judged(*view).verdict, Verdict::unexpected);
  EXPECT_EQ(judged(*view, Millis{180'000}).why, "not watched here for 3 min; its drift was open then");
}

TEST(Verdict, SaysWhetherTheApiAnswered) {
  const auto view = a_view("m-1");
  view->state = ImageState::unreachable;
  view->listing_complete = false;
  const auto why = [&view](Reason reason) {
    view->last_failure = std::make_shared<const Failure>(make_failure(reason, "test"));
    return judged(*view).why;
  };
  EXPECT_EQ(judged(*view).why, "the API could not be asked");
  EXPECT_EQ(why(Reason::connect), "the API could not be reached");
  EXPECT_EQ(why(Reason::server_error), "the API answered with an error");
  EXPECT_EQ(why(Reason::throttled), "the API throttles");
  EXPECT_EQ(why(Reason::credentials), "there are no usable credentials to ask the API with");
  EXPECT_EQ(why(Reason::local), "the exporter has trouble of its own");
}

TEST(Verdict, WithdrawnZerosAreUnknown) {
  const auto view = a_view("m-1");
  view->missing_accounts.reset();
  EXPECT_EQ(judged(*view).verdict, Verdict::unknown);
}

TEST(Verdict, DriftStaysWhileBlindAndSaysSo) {
  const auto view = a_view("m-1");
  view->drifts = {a_drift(1, DriftKind::unexpected, kProven), a_drift(2, DriftKind::missing, kProven)};
  EXPECT_EQ(judged(*view).verdict, Verdict::unexpected);
  view->listing_complete = false;
  view->state = ImageState::forbidden;
  EXPECT_EQ(judged(*view).verdict, Verdict::unexpected);
  EXPECT_EQ(judged(*view).why, "access refused");
  view->drifts.erase(view->drifts.begin());
  EXPECT_EQ(judged(*view).verdict, Verdict::missing);
}

TEST(Verdict, ACanaryIsInSyncWhileItsDriftShows) {
  const auto view = a_view("m-1");
  auto policy = std::make_shared<ImagePolicy>(*view->policy);
  policy->canary = true;
  view->policy = policy;
  EXPECT_EQ(judged(*view).verdict, Verdict::unknown);
  EXPECT_THAT(judged(*view).why, HasSubstr("canary lost"));
  view->drifts = {a_drift(1, DriftKind::unexpected, kProven)};
  EXPECT_EQ(judged(*view).verdict, Verdict::in_sync);
  view->drifts.push_back(a_drift(2, DriftKind::missing, kProven));
  EXPECT_EQ(judged(*view).verdict, Verdict::missing) << "a canary has required accounts, too";
  view->drifts.pop_back();
  view->listing_complete = false;
  EXPECT_EQ(judged(*view).verdict, Verdict::unknown);
}

TEST(Verdict, TheHeadlineIsTheWorst) {
  using enum Verdict;
  const auto counts = [](const std::vector<Verdict>& verdicts) {
    VerdictCounts out;
    for (const Verdict verdict : verdicts)
      out.add(verdict);
    return out;
  };
  EXPECT_EQ(counts({}).headline(), "No image is watched here");
  EXPECT_EQ(counts({in_sync}).headline(), "The image is in sync");
  EXPECT_EQ(counts({in_sync, in_sync}).headline(), "All 2 images are in sync");
  EXPECT_EQ(counts({in_sync, unknown}).headline(), "1 image cannot be judged");
  EXPECT_EQ(counts({unknown, unknown}).headline(), "No image can be judged");
  EXPECT_EQ(counts({in_sync, missing, unknown}).headline(), "1 image has missing accounts");
  const VerdictCounts all = counts({in_sync, missing, unknown, unexpected, unexpected});
  EXPECT_EQ(all.headline(), "2 images are shared with unexpected accounts");
  EXPECT_EQ(all.subline(), "1 with missing accounts · 1 cannot be judged · 1 of 5 in sync");
  EXPECT_EQ(all.worst(), unexpected);
  EXPECT_EQ(counts({in_sync}).subline(), "");
  EXPECT_EQ(counts({unexpected, in_sync}).subline(), "1 of 2 in sync");
  EXPECT_EQ(counts({unexpected, unknown}).subline(), "1 cannot be judged · 0 of 2 in sync");
  EXPECT_EQ(counts({unexpected, missing, unknown}).subline(),
            "1 with missing accounts · 1 cannot be judged · 0 of 3 in sync");
  EXPECT_EQ(counts({missing, missing}).headline(), "2 images have missing accounts");
  EXPECT_EQ(counts({missing, missing}).subline(), "0 of 2 in sync");
  EXPECT_EQ(counts({unknown, in_sync}).subline(), "1 of 2 in sync");
  EXPECT_EQ(counts({in_sync, unknown, unknown}).headline(), "2 images cannot be judged");
  EXPECT_EQ(counts({}).worst(), unknown);
}

TEST(Verdict, WhereImagesMayBeUnknownNothingIsInSync) {
  VerdictCounts counts;
  counts.add_unknown_images();
  EXPECT_EQ(counts.headline(), "It is not known which images there are");
  EXPECT_EQ(counts.subline(), "");
  counts.add(Verdict::in_sync);
  EXPECT_EQ(counts.worst(), Verdict::unknown);
  EXPECT_EQ(counts.headline(), "It is not known which images there are");
  EXPECT_EQ(counts.subline(), "1 of 1 in sync");
  counts.add(Verdict::missing);
  EXPECT_EQ(counts.worst(), Verdict::missing);
  EXPECT_EQ(counts.headline(), "1 image has missing accounts");
}

TEST(Verdict, AgesAreShort) {
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
