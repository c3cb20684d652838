#include "web/answer_limit.hpp"

#include <future>

#include <gtest/gtest.h>

namespace sharedrift {
namespace {

TEST(AnswerLimit, WhoIsPatientComesInWhenAnotherLeaves) {
  AnswerLimit limit(1);
  auto first = limit.enter(Millis{0});
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(limit.enter(Millis{0}), nullptr);
  auto patient = std::async(std::launch::async, [&limit] { return limit.enter(std::chrono::minutes{1}); });
  EXPECT_EQ(patient.wait_for(Millis{50}), std::future_status::timeout) << "not turned away";
  first.reset();
  EXPECT_NE(patient.get(), nullptr);
}

}  // namespace
}  // namespace sharedrift
