#include "gate_bench.hpp"

#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using testing::GateBench;
using testing::good;
using testing::refusal;
using Reply = testing::ScriptedTransport::Reply;

TEST(ApiGate, ACallInBackoffHoldsNeitherSlotNorQueue) {
  GateOptions options = GateBench::unlimited();
  options.concurrency = 1;
  GateBench bench(
      [](const HttpRequest& request, std::size_t /*index*/) {
        const bool sick = request.url.find("sick") != std::string::npos;
        return Reply{sick ? HttpResult(refusal("ServiceUnavailable", 503)) : good()};
      },
      options);
  const auto sick = bench.call(std::chrono::minutes{5}, "sick");
  std::vector<std::shared_ptr<GateBench::Outcome>> others;
  for (int i = 0; i < 20; ++i)
    others.push_back(bench.call(std::chrono::minutes{5}, "well"));
  // 10 ms each, one after the other; and the sick call's second, third and fourth attempt at most.
  bench.run_for(Millis{240});
  for (const auto& other : others)
    EXPECT_TRUE(other->ok());
  bench.run();
  EXPECT_EQ(sick->reason(), Reason::server_error);
  EXPECT_EQ(bench.transport.max_in_flight, 1U);
}

TEST(ApiGate, KeepsConcurrencyWithinItsBound) {
  GateOptions options = GateBench::unlimited();
  options.concurrency = 8;
  GateBench bench(GateBench::always(good(), Millis{100}), options);
  for (int i = 0; i < 50; ++i)
    bench.call();
  bench.run();
  EXPECT_EQ(bench.transport.max_in_flight, 8U);
  EXPECT_EQ(bench.clock.mono() - bench.start, Millis{700});  // seven rounds: no slot stood idle
}

TEST(ApiGate, KeepsThePace) {
  GateOptions options = GateBench::unlimited();
  options.requests_per_second = 5;
  GateBench bench(GateBench::always(good()), options);
  for (int i = 0; i < 40; ++i)
    bench.call();
  bench.run();
  for (int i = 0; i < 40; ++i)
    EXPECT_EQ(bench.sent_after(static_cast<std::size_t>(i)), Millis{i < 5 ? 0 : 200 * (i - 4)}) << i;
}

TEST(ApiGate, WakesOnlyWhenThereIsSomethingToDo) {
  GateOptions options = GateBench::unlimited();
  options.requests_per_second = 1;
  GateBench bench(GateBench::always(good()), options);
  bench.gate.on_wake();  // by somebody else's news
  EXPECT_EQ(bench.timers.next(), MonoTime::max());
  bench.call();
  bench.call();
  EXPECT_EQ(bench.timers.next(), bench.clock.mono());
  bench.timers.run_due(bench.clock.mono());
  EXPECT_EQ(bench.timers.next(), bench.clock.mono() + std::chrono::seconds{1});
}

TEST(ApiGate, AStormOfThrottlingCostsLittleAndPasses) {
  bool storm = true;
  GateOptions options = GateBench::unlimited();
  options.requests_per_second = 5;
  GateBench bench(
      [&storm](const HttpRequest& /*request*/, std::size_t /*index*/) {
        return Reply{storm ? HttpResult(refusal("Throttling.User", 400)) : good()};
      },
      options);
  for (int i = 0; i < 200; ++i)
    bench.call(std::chrono::minutes{5});
  EXPECT_DOUBLE_EQ(bench.gate.budget(), 5);
  bench.run();
  for (const auto& outcome : bench.outcomes) {
    EXPECT_EQ(outcome->reason(), Reason::throttled);
    EXPECT_EQ(outcome->times, 1);
  }
  // A tenth of the pace over five minutes, and not even one try for each of the 200 calls.
  EXPECT_LE(bench.transport.requests.size(), 170U);
  EXPECT_LE(bench.observer.retries, 20);
  EXPECT_DOUBLE_EQ(bench.gate.budget(), 0.5);

  storm = false;
  for (int i = 0; i < 60; ++i)
    bench.call(std::chrono::minutes{30});
  bench.run();
  EXPECT_TRUE(bench.outcomes.back()->ok());
  EXPECT_DOUBLE_EQ(bench.gate.budget(), 5);
}

TEST(ApiGate, GoodAnswersPayForRetriesAgain) {
  bool down = true;
  GateBench bench([&down](const HttpRequest& /*request*/, std::size_t /*index*/) {
    return Reply{down ? HttpResult(refusal("ServiceUnavailable", 503)) : good()};
  });
  const auto retries_of_an_outage = [&bench, &down] {
    down = true;
    const int before = bench.observer.retries;
    for (int i = 0; i < 20; ++i)
      bench.call(std::chrono::minutes{10});
    bench.run();
    down = false;
    return bench.observer.retries - before;
  };
  EXPECT_EQ(retries_of_an_outage(), 20);
  EXPECT_EQ(retries_of_an_outage(), 0) << "all of them are spent";
  for (int i = 0; i < 55; ++i)
    bench.call();
  bench.run();
  EXPECT_EQ(retries_of_an_outage(), 5) << "a tenth of the good ones";
}

TEST(ApiGate, ThrottlingNarrowsConcurrencyWhereThereIsNoRate) {
  GateOptions options = GateBench::unlimited();
  options.concurrency = 8;
  options.max_attempts = 1;
  bool storm = true;
  GateBench bench(
      [&storm](const HttpRequest& /*request*/, std::size_t /*index*/) {
        return Reply{storm ? HttpResult(refusal("Throttling", 400)) : good(), Millis{100}};
      },
      options);
  for (int i = 0; i < 40; ++i)
    bench.call();
  bench.run();
  storm = false;
  bench.transport.max_in_flight = 0;
  for (int i = 0; i < 4; ++i)
    bench.call();
  bench.run();
  EXPECT_EQ(bench.transport.max_in_flight, 1U);
}

TEST(ApiGate, ARefusedLoginIsNotTriedAtThePaceOfANetworkFault) {
  auto options = GateBench::unlimited();
  auto route = std::make_shared<HttpRoute>();
  route->proxy_url = "http://joe:wrong@proxy.example:3128";
  options.route = route;
  bool opens = false;
  GateBench bench(
      [&opens](const HttpRequest& /*request*/, std::size_t /*index*/) {
        return Reply{opens ? testing::good()
                           : HttpResult(Err(
                                 TransportError{Reason::proxy, "HTTP 407", TransportError::Kind::refused}))};
      },
      options);
  std::vector<std::shared_ptr<GateBench::Outcome>> outcomes;
  for (int i = 0; i < 20; ++i)
    outcomes.push_back(bench.call());
  bench.run();
  EXPECT_EQ(bench.transport.requests.size(), 1U)
      << "one at a time until it is known to be good, and no retry";
  for (const auto& outcome : outcomes)
    EXPECT_EQ(outcome->reason(), Reason::proxy);
  const MonoTime refused = bench.sent_at.front() + Millis{10};
  for (const auto& [waited, requests] : {std::pair{59'999, 1U}, std::pair{60'000, 2U}}) {
    bench.clock.advance(std::chrono::duration_cast<Millis>(refused + Millis{waited} - bench.clock.mono()));
    bench.call();
    bench.run();
    EXPECT_EQ(bench.sent_at.size(), requests) << "a minute's rest, and not more";
  }
  for (int polls = 0; polls < 120; ++polls) {  // for an hour, one each 30 seconds
    bench.call();
    bench.run_for(std::chrono::seconds{30});
  }
  EXPECT_LE(bench.transport.requests.size(), 8U) << "within an hour";
  bench.clock.advance(std::chrono::minutes{31});
  opens = true;
  const auto first = bench.call();
  bench.run();
  EXPECT_TRUE(first->ok());
  const auto second = bench.call();
  bench.run();
  EXPECT_TRUE(second->ok()) << "recovers by itself";
  bench.transport.max_in_flight = 0;
  for (int i = 0; i < 5; ++i)
    bench.call();
  bench.run();
  EXPECT_EQ(bench.transport.max_in_flight, 5U) << "and at full width";
}

TEST(ApiGate, ANewConfigurationRestsFromTheSameLoginAndTriesAnother) {
  const auto options_with = [](const std::string& proxy_url, bool from_environment) {
    auto options = GateBench::unlimited();
    auto route = std::make_shared<HttpRoute>();
    route->proxy_url = proxy_url;
    route->proxy_from_environment = from_environment;
    options.route = route;
    return options;
  };
  for (const bool from_environment : {false, true}) {
    const std::string url = from_environment ? "" : "http://joe:wrong@proxy.example:3128";
    GateBench bench(
        GateBench::always(Err(TransportError{Reason::proxy, "HTTP 407", TransportError::Kind::refused})),
        options_with(url, from_environment));
    bench.call();
    bench.run();
    ASSERT_EQ(bench.transport.requests.size(), 1U);
    struct Next {
      GateOptions options;
      std::size_t requests;
    };
    const std::vector<Next> all{{options_with(url, from_environment), 0},
                                {options_with("http://joe:right@proxy.example:3128", false), 1},
                                {options_with(url, !from_environment), 1},
                                {GateBench::unlimited(), 1}};
    for (const Next& next : all) {
      GateBench after(GateBench::always(testing::good()), next.options);
      after.gate.continue_pace_of(bench.gate);
      after.call();
      after.run();
      EXPECT_EQ(after.transport.requests.size(), next.requests);
    }
  }
}

TEST(ApiGate, AConnectionThatHadDiedIsReplacedUnseen) {
  int deaths = 2;
  GateBench bench([&deaths](const HttpRequest& /*request*/, std::size_t /*index*/) {
    if (deaths-- <= 0) return Reply{testing::good()};
    return Reply{HttpResult(Err(TransportError{Reason::reset, "kept-alive", TransportError::Kind::stale}))};
  });
  const auto repaired = bench.call();
  bench.run();
  EXPECT_TRUE(repaired->ok());
  EXPECT_EQ(bench.transport.requests.size(), 3U);
  EXPECT_EQ(bench.sent_after(2), Millis{20}) << "at once, both times";
  EXPECT_TRUE(bench.observer.failures.empty()) << "nothing failed";
  deaths = 100;
  const auto lost = bench.call();
  bench.run();
  EXPECT_EQ(lost->reason(), Reason::reset);
  EXPECT_EQ(bench.transport.requests.size(), 7U) << "no more than any call may";
  EXPECT_FALSE(bench.observer.failures.empty()) << "what is not repaired counts";
}

}  // namespace
}  // namespace sharedrift
