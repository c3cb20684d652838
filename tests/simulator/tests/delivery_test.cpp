#include "simulator/delivery.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift::simulator {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

SimAnswer answer_with(Delivery delivery) {
  SimAnswer answer;
  answer.body = "0123456789";
  answer.headers = {{"Date", "today"}};
  answer.delivery = delivery;
  return answer;
}

/// What leaves, to a peer that takes `pieces` of it.
std::string sent(Delivery delivery, int pieces = 1'000) {
  const ServerResponse response = to_response(answer_with(delivery));
  std::string out;
  for (std::string piece; pieces > 0 && !(piece = response.raw().first).empty(); --pieces)
    out += piece;
  return out;
}

TEST(Delivery, PlainAnswersAreLeftToTheServer) {
  SimAnswer answer = answer_with({});
  answer.delay = Millis{5};
  const ServerResponse response = to_response(answer);
  EXPECT_FALSE(response.raw);
  EXPECT_EQ(response.delay, Millis{5});
  EXPECT_EQ(*response.body, "0123456789");
  EXPECT_EQ(response.headers.size(), 1U);
}

TEST(Delivery, CutsWithEachFraming) {
  using Framing = Delivery::Framing;
  const std::string length = sent({.how = Delivery::How::cut, .framing = Framing::length, .bytes = 4});
  EXPECT_THAT(length, HasSubstr("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(length, HasSubstr("Date: today\r\n"));
  EXPECT_THAT(length, HasSubstr("Content-Length: 10\r\n"));
  EXPECT_THAT(length, EndsWith("\r\n\r\n0123"));
  const std::string chunked = sent({.how = Delivery::How::cut, .framing = Framing::chunked, .bytes = 4});
  EXPECT_THAT(chunked, EndsWith("Transfer-Encoding: chunked\r\n\r\n4\r\n0123\r\n"));
  const std::string none = sent({.how = Delivery::How::cut, .framing = Framing::none, .bytes = 4});
  EXPECT_THAT(none, Not(HasSubstr("Content-Length")));
  EXPECT_THAT(none, EndsWith("\r\n\r\n0123"));
}

TEST(Delivery, DripsAllBytesInSteps) {
  const std::string all = sent({.how = Delivery::How::drip, .bytes = 3});
  EXPECT_THAT(all, HasSubstr("Content-Length: 10\r\n"));
  EXPECT_THAT(all, EndsWith("0123456789"));
  EXPECT_EQ(sent({.how = Delivery::How::drip, .bytes = 3}, 2), all.substr(0, 6));
  const ServerResponse slow = to_response(answer_with({.how = Delivery::How::drip, .interval = Millis{7}}));
  EXPECT_EQ(slow.raw().second, Millis{0});
  EXPECT_EQ(slow.raw().second, Millis{7});
}

TEST(Delivery, IsEndlessUntilThePeerLeaves) {
  const std::string chunked = sent({.how = Delivery::How::endless, .framing = Delivery::Framing::chunked}, 5);
  EXPECT_THAT(chunked, HasSubstr("\r\n\r\n4000\r\n   "));
  EXPECT_GT(chunked.size(), 4U * 16'384U);
  EXPECT_LT(chunked.size(), 5U * 16'384U);
}

TEST(Delivery, ResetsAfterSomeBytes) {
  EXPECT_EQ(sent({.how = Delivery::How::reset}), "");
  EXPECT_EQ(sent({.how = Delivery::How::reset, .bytes = 8}), "HTTP/1.1");
  EXPECT_TRUE(to_response(answer_with({.how = Delivery::How::reset})).reset);
  EXPECT_FALSE(to_response(answer_with({.how = Delivery::How::cut})).reset);
}

}  // namespace
}  // namespace sharedrift::simulator
