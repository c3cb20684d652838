#include "gate_bench.hpp"

#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using testing::answer;
using testing::GateBench;
using testing::header_of;
using testing::refusal;
using Reply = testing::ScriptedTransport::Reply;

/// An API with a right clock of its own, which takes time stamps within 15 minutes of it; the bench's wall
/// clock is told how wrong it is.
struct ClockedBench {
  explicit ClockedBench(Millis api_ahead) : bench(nullptr) {
    bench.clock.jump_wall(api_time() - api_ahead - bench.clock.wall());
    bench.script = [this](const HttpRequest& request, std::size_t /*index*/) {
      const HttpHeaders headers{{"date", testing::http_date(api_time())}};
      const auto stamp = parse_rfc3339(header_of(request, "x-acs-date"));
      const bool near = stamp && std::chrono::abs(*stamp - api_time()) <= std::chrono::minutes{15};
      return Reply{near ? answer(200, "{}", headers) : refusal("InvalidTimeStamp.Expired", 400, headers)};
    };
  }
  [[nodiscard]] WallTime api_time() const {
    return WallTime{Millis{1'800'000'000'000}} +
           std::chrono::duration_cast<Millis>(bench.clock.mono() - bench.start);
  }
  bool call() {
    const auto outcome = bench.call();
    bench.run();
    return outcome->ok();
  }
  GateBench bench;
};

TEST(ApiGate, SignsWithTheApisTimeWhenTheLocalClockIsWrong) {
  for (const std::chrono::minutes ahead : {std::chrono::minutes{47}, std::chrono::minutes{-47},
                                           std::chrono::minutes{500'000}, std::chrono::minutes{-500'000}}) {
    SCOPED_TRACE(ahead.count());
    ClockedBench clocked(ahead);
    GateBench& bench = clocked.bench;
    EXPECT_TRUE(clocked.call());
    EXPECT_EQ(bench.transport.requests.size(), 2U);
    EXPECT_EQ(bench.sent_after(1), Millis{10}) << "there is nothing to wait for";
    EXPECT_NEAR(bench.observer.skew, std::chrono::duration<double>(ahead).count(), 1.0);
    EXPECT_TRUE(clocked.call());  // from now on at once
    EXPECT_EQ(bench.transport.requests.size(), 3U);
    // Somebody sets the clock right: what was learnt is wrong now, and is learnt anew.
    bench.clock.jump_wall(ahead);
    EXPECT_TRUE(clocked.call());
    EXPECT_EQ(bench.transport.requests.size(), 5U);
    EXPECT_NEAR(bench.observer.skew, 0, 1.0);
  }
}

TEST(ApiGate, TrustsTheLocalClockWhenItIsNearlyRight) {
  ClockedBench clocked(std::chrono::seconds{50});
  EXPECT_TRUE(clocked.call());
  EXPECT_TRUE(clocked.call());
  const GateBench& bench = clocked.bench;
  ASSERT_EQ(bench.transport.requests.size(), 2U);
  const auto stamp = parse_rfc3339(header_of(bench.transport.requests[1], "x-acs-date"));
  ASSERT_TRUE(stamp);
  EXPECT_LT(std::chrono::abs(*stamp - bench.clock.wall()), std::chrono::seconds{2});
  EXPECT_NEAR(bench.observer.skew, 50, 1.0);
}

TEST(ClockCorrection, AMinuteIsStillTrusted) {
  const WallTime told{Millis{1'800'000'000'000}};
  const HttpResponse response = answer(200, "{}", {{"date", testing::http_date(told)}});
  const auto learnt = [&](Millis ahead) {
    ClockCorrection correction;
    correction.learn(response, MonoTime{}, {MonoTime{}, told + Millis{500} - ahead});
    return correction();
  };
  for (const int sign : {1, -1}) {
    EXPECT_EQ(learnt(sign * Millis{60'000}), Millis{0});
    EXPECT_EQ(learnt(sign * Millis{60'001}), sign * Millis{60'001});
  }
}

TEST(ClockCorrection, AnAnswerWasWrittenHalfWayThroughItsExchange) {
  const WallTime told{Millis{1'800'000'000'000}};
  const HttpResponse response = answer(200, "{}", {{"date", testing::http_date(told)}});
  ClockCorrection correction;
  const MonoTime sent{std::chrono::hours{1}};
  correction.learn(response, sent, {sent + std::chrono::seconds{10}, told + Millis{5'500}});
  EXPECT_EQ(correction.skew(), Millis{0});
}

TEST(ApiGate, ARefusedTimeThatNothingExplainsIsFinal) {
  GateBench bench(nullptr);
  bench.script = [&bench](const HttpRequest& /*request*/, std::size_t /*index*/) {
    return Reply{refusal("IllegalTimestamp", 400, {{"date", testing::http_date(bench.clock.wall())}})};
  };
  const auto outcome = bench.call();
  bench.run();
  EXPECT_EQ(outcome->reason(), Reason::clock_skew);
  EXPECT_EQ(bench.transport.requests.size(), 1U);
}

TEST(ApiGate, AnApiThatNeverTakesTheTimeIsAskedTwice) {
  GateBench bench(nullptr);
  Millis drift{};
  bench.script = [&bench, &drift](const HttpRequest& /*request*/, std::size_t /*index*/) {
    drift += std::chrono::hours{1};
    return Reply{
        refusal("InvalidTimeStamp.Expired", 400, {{"date", testing::http_date(bench.clock.wall() + drift)}})};
  };
  const auto outcome = bench.call();
  bench.run();
  EXPECT_EQ(outcome->reason(), Reason::clock_skew);
  EXPECT_EQ(bench.transport.requests.size(), 2U);
}

}  // namespace
}  // namespace sharedrift
