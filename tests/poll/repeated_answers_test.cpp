#include "poll/repeated_answers.hpp"

#include "support/fake_source.hpp"
#include "support/fleet.hpp"

#include <gtest/gtest.h>

namespace sharedrift {
namespace {

Observation listed(std::vector<std::string> request_ids) {
  Observation out = testing::listed(testing::accounts({1}));
  out.request_ids = std::move(request_ids);
  return out;
}

TEST(RepeatedAnswers, AnAnswerThatSomebodyKeptProvesNothing) {
  RepeatedAnswers answers;
  const ImageId image = *ImageId::parse("m-1");
  EXPECT_FALSE(answers.refuse(image, listed({"A", "B"})));
  for (int poll = 0; poll < 2; ++poll) {
    const auto refused = answers.refuse(image, listed({"A", "B"}));
    ASSERT_TRUE(refused);
    EXPECT_FALSE(refused->complete);
    EXPECT_EQ(refused->accounts, testing::accounts({1})) << "what it shows was there";
    EXPECT_EQ(refused->failure.reason, Reason::bad_payload);
    EXPECT_EQ(refused->failure.request_id, "B");
  }
  EXPECT_FALSE(answers.refuse(image, listed({"C", "D"})));
  EXPECT_TRUE(answers.refuse(image, listed({"A", "E"}))) << "a part of it is old";
  EXPECT_TRUE(answers.refuse(image, listed({"F", "F"}))) << "two passes that are one answer";
  Observation broken = listed({"G"});
  broken.complete = false;
  EXPECT_FALSE(answers.refuse(image, broken)) << "it proves nothing itself";
  EXPECT_TRUE(answers.refuse(image, listed({"G"}))) << "and its answer came before";
}

TEST(RepeatedAnswers, AnyNumberOfKeptAnswersInTurnProvesNothing) {
  constexpr std::size_t kMost = RepeatedAnswers::kRemembered;
  for (const std::size_t kept : {std::size_t{2}, std::size_t{3}, std::size_t{50}, kMost}) {
    SCOPED_TRACE(kept);
    RepeatedAnswers answers;
    const ImageId image = *ImageId::parse("m-1");
    for (std::size_t poll = 0; poll < 3 * kept; ++poll)
      EXPECT_EQ(answers.refuse(image, listed({std::to_string(poll % kept)})).has_value(), poll >= kept);
  }
}

TEST(RepeatedAnswers, WhatIsRememberedHasABound) {
  RepeatedAnswers answers;
  const ImageId image = *ImageId::parse("m-1");
  for (std::size_t poll = 0; poll <= RepeatedAnswers::kRemembered; ++poll)
    EXPECT_FALSE(answers.refuse(image, listed({std::to_string(poll)})));
  EXPECT_TRUE(answers.refuse(image, listed({"1"})));
  EXPECT_FALSE(answers.refuse(image, listed({"0"}))) << "the oldest is forgotten";
}

TEST(RepeatedAnswers, AnImageThatIsGoneByAKeptAnswerIsNotProvenToBe) {
  RepeatedAnswers answers;
  const ImageId image = *ImageId::parse("m-1");
  Observation gone = listed({"A"});
  gone.complete = false;
  gone.gone = true;
  EXPECT_FALSE(answers.refuse(image, gone));
  const auto refused = answers.refuse(image, gone);
  ASSERT_TRUE(refused);
  EXPECT_FALSE(refused->gone);
}

TEST(RepeatedAnswers, AWalkThatSomebodyKeptProvesNothing) {
  RepeatedAnswers answers;
  InventoryListing walked;
  walked.complete = true;
  walked.request_ids = {"A"};
  EXPECT_FALSE(answers.refuse("default", walked));
  EXPECT_FALSE(answers.refuse("other", walked));
  const auto refused = answers.refuse("default", walked);
  ASSERT_TRUE(refused);
  EXPECT_FALSE(refused->complete);
  EXPECT_EQ(refused->failure.reason, Reason::bad_payload);
  EXPECT_NE(refused->failure.detail.find("exclude the endpoint from that cache"), std::string::npos);
}

TEST(RepeatedAnswers, ForgetsWhatTheTrackerForgets) {
  RepeatedAnswers answers;
  EXPECT_FALSE(answers.refuse(*ImageId::parse("m-1"), listed({"A"})));
  EXPECT_FALSE(answers.refuse(*ImageId::parse("m-2"), listed({"A"})));
  answers.forget({*ImageId::parse("m-2")});
  EXPECT_TRUE(answers.refuse(*ImageId::parse("m-1"), listed({"A"})));
  EXPECT_FALSE(answers.refuse(*ImageId::parse("m-2"), listed({"A"})));
}

TEST(RepeatedAnswers, OfAnotherImageOrWithoutIdsTheyAreNews) {
  RepeatedAnswers answers;
  EXPECT_FALSE(answers.refuse(*ImageId::parse("m-1"), listed({"A"})));
  EXPECT_FALSE(answers.refuse(*ImageId::parse("m-2"), listed({"A"})));
  EXPECT_FALSE(answers.refuse(*ImageId::parse("m-1"), listed({})));
  EXPECT_FALSE(answers.refuse(*ImageId::parse("m-1"), listed({})));
}

}  // namespace
}  // namespace sharedrift
