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
  EXPECT_FALSE(answers.refuse(image, listed({"A", "C"})));
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
