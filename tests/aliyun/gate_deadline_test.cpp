#include "gate_bench.hpp"

#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using testing::GateBench;
using testing::good;
using testing::refusal;
using Reply = testing::ScriptedTransport::Reply;

TEST(ApiGate, OneRequestMayTakeItsTimeoutOnly) {
  GateOptions options = GateBench::unlimited();
  options.timeout = Millis{3000};
  GateBench bench(
      [](const HttpRequest& /*request*/, std::size_t index) {
        return index == 0 ? Reply{good(), std::chrono::hours{1}} : Reply{good()};
      },
      options);
  const auto outcome = bench.call();
  bench.run();
  EXPECT_TRUE(outcome->ok());
  EXPECT_EQ(bench.observer.failures.at(Reason::timeout), 1);
  EXPECT_GE(bench.sent_after(1), Millis{3000});
  EXPECT_LT(bench.sent_after(1), Millis{3501});
}

TEST(ApiGate, EndsAtTheDeadlineThoughTheAnswerDoesNotCome) {
  GateBench bench(GateBench::always(good(), std::chrono::hours{1}));
  const auto outcome = bench.call(Millis{1500});
  bench.run();
  EXPECT_EQ(outcome->reason(), Reason::timeout);
  EXPECT_EQ(outcome->when - bench.start, Millis{1500});
}

TEST(ApiGate, EndsAtTheDeadlineThoughItsTurnDoesNotCome) {
  GateOptions paced = GateBench::unlimited();
  paced.requests_per_second = 0.01;
  GateBench tokens(GateBench::always(good()), paced);
  tokens.call();
  const auto no_token = tokens.call(Millis{1500});
  tokens.run();
  EXPECT_EQ(no_token->reason(), Reason::throttled);
  EXPECT_EQ(no_token->when - tokens.start, Millis{1500});

  GateOptions narrow = GateBench::unlimited();
  narrow.concurrency = 1;
  GateBench slots(GateBench::always(good(), Millis{9000}), narrow);
  slots.call();
  const auto no_slot = slots.call(Millis{1500});
  slots.run();
  EXPECT_EQ(no_slot->reason(), Reason::timeout);
  EXPECT_EQ(no_slot->when - slots.start, Millis{1500});
}

TEST(ApiGate, ACallThatThrottlingLeavesNoTurnSaysSo) {
  GateOptions options = GateBench::unlimited();
  options.concurrency = 2;
  options.max_attempts = 1;
  GateBench bench(
      [](const HttpRequest& /*request*/, std::size_t index) {
        return index == 0 ? Reply{refusal("Throttling", 400)} : Reply{good(), Millis{9000}};
      },
      options);
  bench.call();
  bench.run();
  bench.call();  // takes the one place of two that throttling left
  const auto no_turn = bench.call(Millis{1500});
  bench.run();
  EXPECT_EQ(no_turn->reason(), Reason::throttled) << "though nothing is held back any more";
}

TEST(ApiGate, SendsNothingAfterTheDeadline) {
  GateBench bench(GateBench::always(good()));
  const auto outcome = bench.call(Millis{0});
  bench.run();
  EXPECT_EQ(outcome->reason(), Reason::timeout);
  EXPECT_TRUE(bench.transport.requests.empty());
}

TEST(ApiGate, DoesNotHoldBadNewsBackForARetryThatCannotBe) {
  GateBench bench(GateBench::always(refusal("Throttling", 400, {{"retry-after", "30"}})));
  const auto outcome = bench.call(Millis{20'000});
  bench.run();
  EXPECT_EQ(outcome->reason(), Reason::throttled);
  EXPECT_EQ(outcome->when - bench.start, Millis{10});
  EXPECT_EQ(bench.observer.retries, 0);
}

TEST(ApiGate, ARetryThatWouldBeDueAtTheDeadlineCannotBe) {
  for (const Millis more : {Millis{0}, Millis{1}}) {
    GateBench bench(GateBench::always(testing::refusal("ServiceUnavailable", 503, {{"retry-after", "5"}})));
    const auto outcome = bench.call(Millis{5010} + more);  // the refusal comes after ten
    bench.run();
    EXPECT_EQ(outcome->reason(), more == Millis{0} ? Reason::server_error : Reason::timeout);
    EXPECT_EQ(bench.transport.requests.size(), more == Millis{0} ? 1U : 2U);
    EXPECT_EQ(bench.observer.retries, more == Millis{0} ? 0 : 1);
    EXPECT_EQ(outcome->when - bench.start, more == Millis{0} ? Millis{10} : Millis{5011});
  }
}

TEST(ApiGate, ACallThatIsWithdrawnIsNotSent) {
  GateOptions options = GateBench::unlimited();
  options.concurrency = 1;
  GateBench bench(GateBench::always(good(), Millis{1000}), options);
  const char poll = 'a';
  const char other_poll = 'b';
  const auto first = bench.call(std::chrono::minutes{1}, "m-1", &poll);
  const auto second = bench.call(std::chrono::minutes{1}, "m-1", &poll);
  const auto other = bench.call(std::chrono::minutes{1}, "m-2", &other_poll);
  bench.run_for(Millis{500});
  EXPECT_EQ(bench.gate.withdraw(&poll), 1U) << "the first is in flight";
  EXPECT_EQ(bench.gate.withdraw(&poll), 0U);
  bench.run();
  EXPECT_TRUE(first->ok());  // it was on its way
  EXPECT_TRUE(other->ok());
  EXPECT_EQ(second->times, 0);
  EXPECT_EQ(bench.transport.requests.size(), 2U);
}

TEST(ApiGate, ACallInBackoffIsWithdrawnToo) {
  GateBench bench(GateBench::always(testing::refusal("ServiceUnavailable", 503)));
  const char poll = 'a';
  const auto outcome = bench.call(std::chrono::minutes{1}, "m-1", &poll);
  bench.run_for(Millis{10});
  ASSERT_EQ(bench.observer.answers, 1);
  EXPECT_EQ(bench.gate.withdraw(&poll), 1U);
  bench.run_for(std::chrono::minutes{2});
  EXPECT_EQ(outcome->times, 0);
  EXPECT_EQ(bench.transport.requests.size(), 1U);
}

}  // namespace
}  // namespace sharedrift
