#include "simulator/delivery.hpp"

#include <string>
#include <thread>

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

/// What leaves, with a peer that takes `writes` writes.
std::string sent(Delivery delivery, int writes = 1'000) {
  Nap nap;
  const ServerResponse response = to_response(answer_with(delivery), nap);
  std::string out;
  response.raw([&](std::string_view bytes) {
    out += bytes;
    return --writes > 0;
  });
  return out;
}

TEST(Delivery, PlainAnswersAreLeftToTheServer) {
  Nap nap;
  const ServerResponse response = to_response(answer_with({}), nap);
  EXPECT_FALSE(response.raw);
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
  Nap nap;
  EXPECT_TRUE(to_response(answer_with({.how = Delivery::How::reset}), nap).reset);
  EXPECT_FALSE(to_response(answer_with({.how = Delivery::How::cut}), nap).reset);
}

TEST(Nap, EndsWhenTheProgramDoes) {
  Nap nap;
  EXPECT_TRUE(nap.wait(Millis{0}));
  std::thread stopper([&nap] { nap.stop(); });
  EXPECT_FALSE(nap.wait(std::chrono::hours{1}));
  stopper.join();
  EXPECT_FALSE(nap.wait(Millis{0}));
}

}  // namespace
}  // namespace sharedrift::simulator
