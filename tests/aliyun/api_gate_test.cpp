#include "aliyun/api_gate.hpp"

#include "gate_bench.hpp"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace sharedrift {
namespace {

using testing::answer;
using testing::GateBench;
using testing::header_of;
using testing::refusal;
using Reply = testing::ScriptedTransport::Reply;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

HttpResult good() {
  return answer(200, R"({"RequestId":"R"})");
}
HttpResult broken(Reason reason) {
  return Err(TransportError{reason, "what the transport says"});
}

TEST(ApiGate, SignsEveryAttemptAnew) {
  GateBench bench(GateBench::in_turn({refusal("ServiceUnavailable", 503), broken(Reason::reset), good()}));
  const auto outcome = bench.call();
  bench.run();
  EXPECT_TRUE(outcome->ok());
  ASSERT_EQ(bench.transport.requests.size(), 3U);
  std::set<std::string> nonces;
  std::set<std::string> signatures;
  for (const HttpRequest& request : bench.transport.requests) {
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.url, "https://ens.example/?ImageId=m-1");
    EXPECT_EQ(request.body, "");
    const std::string nonce = header_of(request, "x-acs-signature-nonce");
    EXPECT_EQ(nonce.size(), 32U);
    EXPECT_EQ(nonce.find_first_not_of("0123456789abcdef"), std::string::npos);
    nonces.insert(nonce);
    signatures.insert(header_of(request, "authorization"));
  }
  EXPECT_EQ(nonces.size(), 3U);
  EXPECT_EQ(signatures.size(), 3U);
  EXPECT_EQ(bench.observer.requests, 3);
  EXPECT_EQ(bench.observer.answers, 3);
  EXPECT_EQ(bench.observer.retries, 2);
  EXPECT_EQ(bench.observer.failures, (std::map<Reason, int>{{Reason::server_error, 1}, {Reason::reset, 1}}));
}

TEST(ApiGate, TriesAgainOnlyWhatMayHelp) {
  struct Row {
    HttpResult result;
    std::size_t requests;
  };
  std::vector<Row> rows;
  for (const Reason reason :
       {Reason::dns, Reason::connect, Reason::proxy, Reason::timeout, Reason::reset, Reason::local})
    rows.push_back({broken(reason), 4});
  for (const Reason reason : {Reason::tls, Reason::protocol, Reason::too_large})
    rows.push_back({broken(reason), 1});
  rows.push_back({answer(200, "{}}"), 1});
  rows.push_back({answer(302, ""), 1});
  rows.push_back({answer(502, "<html>"), 4});
  for (const auto& row : nlohmann::json::parse(testing::kept_text("refusals"))) {
    const std::string remedy = row["remedy"];
    const bool again = remedy == "retry" || remedy == "retry_at_once";
    const nlohmann::json body{{"Code", row["code"]}};
    rows.push_back({answer(row["status"], body.dump()), again ? 4U : 1U});
  }
  for (const Row& row : rows) {
    GateBench bench(GateBench::always(row.result));
    const auto outcome = bench.call(std::chrono::minutes{10});
    bench.run();
    EXPECT_FALSE(outcome->ok());
    EXPECT_EQ(bench.transport.requests.size(), row.requests)
        << (row.result ? row.result->body : std::string{to_string(row.result.error().reason)});
    EXPECT_EQ(bench.observer.retries, static_cast<int>(row.requests) - 1);
  }
}

TEST(ApiGate, MaxAttemptsOfOneMeansNoRetry) {
  GateOptions options = GateBench::unlimited();
  options.max_attempts = 1;
  GateBench bench(GateBench::always(refusal("InternalError", 500)), options);
  const auto outcome = bench.call();
  bench.run();
  EXPECT_EQ(outcome->reason(), Reason::server_error);
  EXPECT_EQ(bench.transport.requests.size(), 1U);
}

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
  EXPECT_EQ(bench.gate.next_wake(bench.clock.mono()), MonoTime::max());
  bench.call();
  bench.call();
  EXPECT_EQ(bench.gate.next_wake(bench.clock.mono()), bench.clock.mono());
  bench.gate.pump(bench.clock.now());
  EXPECT_EQ(bench.gate.next_wake(bench.clock.mono()), bench.clock.mono() + std::chrono::seconds{1});
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

TEST(ApiGate, WaitsAsLongAsTheApiAsksFor) {
  struct Row {
    const char* what;
    std::vector<HttpHeader> headers;
    Millis from;
    Millis to;
  };
  const WallTime wall = testing::ManualClock{}.wall();
  const std::string soon = testing::http_date(wall + std::chrono::seconds{9});
  const std::string gone_by = testing::http_date(wall - std::chrono::seconds{9});
  const std::vector<Row> rows{
      {"milliseconds", {{"x-acs-retry-after", "5000"}}, Millis{5000}, Millis{5020}},
      {"seconds", {{"retry-after", "7"}}, Millis{7000}, Millis{7020}},
      {"a date", {{"retry-after", soon}}, Millis{8000}, Millis{9020}},
      {"its own first", {{"retry-after", "30"}, {"x-acs-retry-after", "3000"}}, Millis{3000}, Millis{3020}},
      {"too long", {{"x-acs-retry-after", "36000000"}}, Millis{60'000}, Millis{60'020}},
      {"beyond any number", {{"retry-after", "99999999999999999999"}}, Millis{250}, Millis{520}},
      {"zero", {{"x-acs-retry-after", "0"}}, Millis{250}, Millis{520}},
      {"negative", {{"x-acs-retry-after", "-5"}}, Millis{250}, Millis{520}},
      {"nonsense", {{"retry-after", "soon"}, {"x-acs-retry-after", "1e3"}}, Millis{250}, Millis{520}},
      {"a date gone by", {{"retry-after", gone_by}}, Millis{250}, Millis{520}},
      {"nothing", {}, Millis{250}, Millis{520}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    GateBench bench(GateBench::in_turn({refusal("Throttling", 400, row.headers), good()}));
    const auto outcome = bench.call();
    bench.run();
    EXPECT_TRUE(outcome->ok());
    ASSERT_EQ(bench.sent_at.size(), 2U);
    EXPECT_GE(bench.sent_after(1), row.from);
    EXPECT_LE(bench.sent_after(1), row.to);
  }
}

TEST(ApiGate, AHintOfAServerErrorDelaysThatCallOnly) {
  GateBench bench([](const HttpRequest& /*request*/, std::size_t index) {
    return Reply{index == 0 ? HttpResult(refusal("ServiceUnavailable", 503, {{"retry-after", "20"}}))
                            : good()};
  });
  const auto sick = bench.call();
  bench.run_for(Millis{100});
  const auto well = bench.call();
  bench.run_for(Millis{100});
  EXPECT_TRUE(well->ok());
  EXPECT_FALSE(sick->result);
  bench.run();
  EXPECT_TRUE(sick->ok());
  EXPECT_GE(bench.sent_after(2), Millis{20'000});
}

TEST(ApiGate, SendsNothingUnsigned) {
  using Key = std::optional<Credentials>;
  const std::vector<std::function<void(Key&)>> spoilers{[](Key& key) { key.reset(); },
                                                        [](Key& key) { key->access_key_secret = Secret{}; },
                                                        [](Key& key) { key->access_key_id.clear(); }};
  for (const auto& spoil : spoilers) {
    GateBench bench(GateBench::always(good()));
    spoil(bench.credentials.now);
    const auto outcome = bench.call();
    bench.run();
    EXPECT_EQ(outcome->reason(), Reason::credentials);
    EXPECT_FALSE(outcome->result->error().detail.empty());
    EXPECT_TRUE(bench.transport.requests.empty());
    EXPECT_EQ(bench.observer.requests, 0);
  }
}

TEST(ApiGate, CredentialsThatNeverComeEndEachCallAtItsDeadline) {
  GateBench bench(GateBench::always(good()));
  bench.credentials.waiting = true;
  const auto soon = bench.call(Millis{2000});
  const auto later = bench.call(Millis{5000});
  bench.run();
  EXPECT_EQ(soon->reason(), Reason::credentials);
  EXPECT_EQ(soon->when - bench.start, Millis{2000});
  EXPECT_EQ(later->when - bench.start, Millis{5000});
  EXPECT_TRUE(bench.transport.requests.empty());
}

TEST(ApiGate, TellsWhichCredentialsAreInUse) {
  GateBench bench(GateBench::always(good()));
  bench.call();
  bench.run();
  EXPECT_EQ(bench.observer.generation, 1U);
  bench.credentials.give(2);
  bench.call();
  bench.run();
  EXPECT_EQ(bench.observer.generation, 2U);
}

GateBench::Script refuse_key(const std::string& id) {
  return [id](const HttpRequest& request, std::size_t /*index*/) {
    const std::string authorization = header_of(request, "authorization");
    const bool refused = authorization.find("Credential=" + id + ",") != std::string::npos;
    return Reply{refused ? HttpResult(refusal("InvalidSecurityToken.Expired", 403)) : good()};
  };
}

TEST(ApiGate, TriesOnceMoreWithTheCredentialsThatComeAfterARefusal) {
  GateBench bench(refuse_key("LTAI-1"));
  bench.credentials.on_rejected = [&bench](std::uint64_t) { bench.credentials.waiting = true; };
  const auto outcome = bench.call();
  bench.run_for(Millis{3000});
  EXPECT_EQ(outcome->times, 0);
  EXPECT_EQ(bench.transport.requests.size(), 1U);
  bench.credentials.give(2);  // the refresh is done, and the loop was woken
  bench.run();
  ASSERT_TRUE(outcome->ok());
  EXPECT_EQ((*outcome->result)->generation, 2U);
  EXPECT_EQ(bench.transport.requests.size(), 2U);
  EXPECT_THAT(bench.credentials.rejected, ElementsAre(1));
}

TEST(ApiGate, AKeyThatNothingReplacesIsTriedOnce) {
  GateBench bench(refuse_key("LTAI-1"));
  const auto outcome = bench.call();
  bench.run();
  EXPECT_EQ(outcome->reason(), Reason::key_rejected);
  EXPECT_EQ(outcome->result->error().code, "InvalidSecurityToken.Expired");
  EXPECT_EQ(bench.transport.requests.size(), 1U);
  EXPECT_EQ(bench.observer.retries, 0);
  EXPECT_THAT(bench.credentials.rejected, ElementsAre(1));
}

TEST(ApiGate, ARefreshThatNeverEndsIsWaitedForUntilTheDeadline) {
  GateBench bench(refuse_key("LTAI-1"));
  bench.credentials.on_rejected = [&bench](std::uint64_t) { bench.credentials.waiting = true; };
  const auto outcome = bench.call(Millis{8000});
  bench.run();
  EXPECT_EQ(outcome->reason(), Reason::key_rejected);
  EXPECT_EQ(outcome->when - bench.start, Millis{8000});
}

TEST(ApiGate, ASecondRefusalIsFinal) {
  GateBench bench(GateBench::always(refusal("InvalidAccessKeyId.NotFound", 404)));
  bench.credentials.on_rejected = [&bench](std::uint64_t old) { bench.credentials.give(old + 1); };
  const auto outcome = bench.call();
  bench.run();
  EXPECT_EQ(outcome->reason(), Reason::key_rejected);
  EXPECT_EQ(bench.transport.requests.size(), 2U);
  EXPECT_THAT(bench.credentials.rejected, ElementsAre(1, 2));
}

TEST(ApiGate, TroubleAfterARenewalIsStillTriedAgain) {
  GateBench bench(GateBench::in_turn(
      {refusal("InvalidSecurityToken.Expired", 400), refusal("ServiceUnavailable", 503), good()}));
  bench.credentials.on_rejected = [&bench](std::uint64_t) { bench.credentials.give(2); };
  const auto outcome = bench.call();
  bench.run();
  EXPECT_TRUE(outcome->ok());
  EXPECT_EQ(bench.transport.requests.size(), 3U);
}

/// An API with a right clock of its own, which takes time stamps within 15 minutes of it; the bench's wall
/// clock is told how wrong it is.
struct ClockedBench {
  explicit ClockedBench(Millis api_ahead) : bench(nullptr) {
    bench.clock.jump_wall(api_time() - api_ahead - bench.clock.wall());
    bench.script = [this](const HttpRequest& request, std::size_t /*index*/) {
      const std::vector<HttpHeader> headers{{"date", testing::http_date(api_time())}};
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

TEST(ApiGate, ANonceThatWasUsedIsReplacedAtOnce) {
  GateBench bench(GateBench::in_turn({refusal("SignatureNonceUsed", 400), good()}));
  const auto outcome = bench.call();
  bench.run();
  EXPECT_TRUE(outcome->ok());
  EXPECT_EQ(bench.sent_after(1), Millis{10});
  EXPECT_NE(header_of(bench.transport.requests[0], "x-acs-signature-nonce"),
            header_of(bench.transport.requests[1], "x-acs-signature-nonce"));
}

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

TEST(ApiGate, ACallThatIsNotWantedAnyMoreIsNotSent) {
  GateOptions options = GateBench::unlimited();
  options.concurrency = 1;
  GateBench bench(GateBench::always(good(), Millis{1000}), options);
  bool wanted = true;
  const auto first = bench.call(std::chrono::minutes{1}, "m-1", [&wanted] { return wanted; });
  const auto second = bench.call(std::chrono::minutes{1}, "m-2", [&wanted] { return wanted; });
  const auto other = bench.call(std::chrono::minutes{1}, "m-3");
  bench.run_for(Millis{500});
  wanted = false;
  bench.gate.recheck();
  EXPECT_LE(bench.gate.next_wake(bench.clock.mono()), bench.clock.mono());
  bench.gate.pump(bench.clock.now());
  EXPECT_EQ(second->times, 1);
  EXPECT_FALSE(second->ok());
  bench.run();
  EXPECT_TRUE(first->ok());  // it was on its way
  EXPECT_TRUE(other->ok());
  EXPECT_EQ(bench.transport.requests.size(), 2U);
}

TEST(ApiGate, NoFailureHoldsASecret) {
  GateBench bench([](const HttpRequest& request, std::size_t index) {
    const std::string everything =
        request.url + header_of(request, "authorization") + " string to sign hush-1";
    const char* code = index == 0 ? "SignatureDoesNotMatch" : "NeverSeen";
    const nlohmann::json body{{"Code", code}, {"Message", everything}};
    return Reply{answer(400, body.dump())};
  });
  for (int i = 0; i < 2; ++i) {
    const auto outcome = bench.call();
    bench.run();
    const Failure& failure = outcome->result->error();
    for (const std::string& text : {failure.detail, failure.code, failure.request_id}) {
      EXPECT_THAT(text, Not(HasSubstr("hush")));
      EXPECT_THAT(text, Not(HasSubstr("Signature=")));
    }
  }
}

TEST(ApiGate, WhateverHappensEveryCallEndsOnceAndInTime) {
  const std::vector<HttpResult> results{good(),
                                        good(),
                                        good(),
                                        refusal("Throttling.User", 400),
                                        refusal("Throttling", 429, {{"retry-after", "3"}}),
                                        refusal("InternalError", 500),
                                        refusal("NoPermission", 400),
                                        refusal("InvalidSecurityToken.Expired", 400),
                                        refusal("InvalidTimeStamp.Expired", 400),
                                        refusal("SignatureNonceUsed", 400),
                                        broken(Reason::connect),
                                        broken(Reason::tls),
                                        answer(200, "<html>")};
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(seed);
    testing::SeededRandom dice(seed);
    const auto below = [&dice](int limit) { return static_cast<int>(dice.unit() * limit); };
    GateOptions options = GateBench::unlimited();
    options.concurrency = 1 + below(10);
    options.requests_per_second = below(2) == 0 ? 0 : 0.1 + dice.unit() * 50;
    options.timeout = Millis{500 + below(5000)};
    GateBench bench(nullptr, options);
    bench.script = [&results, &below](const HttpRequest& /*request*/, std::size_t /*index*/) {
      const auto pick = static_cast<std::size_t>(below(static_cast<int>(results.size())));
      return Reply{results[pick], Millis{below(3000)}};
    };
    std::vector<MonoTime> deadlines;
    for (int i = 0; i < 150; ++i) {
      const Millis allowed{below(30'000)};
      deadlines.push_back(bench.clock.mono() + allowed);
      bench.call(allowed);
      if (below(5) == 0) bench.run_for(Millis{below(2000)});
      if (below(20) == 0) bench.credentials.give(bench.credentials.now->generation + 1);
      bench.credentials.waiting = below(20) == 0;
    }
    bench.credentials.waiting = false;
    bench.run();
    for (std::size_t i = 0; i < deadlines.size(); ++i) {
      ASSERT_EQ(bench.outcomes[i]->times, 1);
      ASSERT_LE(bench.outcomes[i]->when, deadlines[i]);
    }
    EXPECT_LE(bench.transport.max_in_flight, static_cast<std::size_t>(options.concurrency));
    EXPECT_EQ(bench.transport.in_flight(), 0U);
    std::set<std::string> nonces;
    for (const HttpRequest& request : bench.transport.requests)
      nonces.insert(header_of(request, "x-acs-signature-nonce"));
    EXPECT_EQ(nonces.size(), bench.transport.requests.size());
  }
}

}  // namespace
}  // namespace sharedrift
