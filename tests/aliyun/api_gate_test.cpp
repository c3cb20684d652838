#include "aliyun/api_gate.hpp"

#include "gate_bench.hpp"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace sharedrift {
namespace {

using testing::answer;
using testing::broken;
using testing::GateBench;
using testing::good;
using testing::header_of;
using testing::refusal;
using Reply = testing::ScriptedTransport::Reply;
using ::testing::HasSubstr;
using ::testing::Not;

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

TEST(ApiGate, WaitsAsLongAsTheApiAsksFor) {
  struct Row {
    const char* what;
    HttpHeaders headers;
    Millis from;
    Millis to;
  };
  const WallTime wall = testing::ManualClock{}.wall();
  const std::string soon = testing::http_date(wall + std::chrono::seconds{9});
  const std::string gone_by = testing::http_date(wall - std::chrono::seconds{9});
  const std::vector<Row> rows{
      {"milliseconds", {{"x-acs-retry-after", "5000"}}, Millis{5000}, Millis{5020}},
      {"seconds", {{"retry-after", "7"}}, Millis{7000}, Millis{7020}},
      {"a second", {{"retry-after", "1"}}, Millis{1000}, Millis{1020}},
      {"a date", {{"retry-after", soon}}, Millis{8000}, Millis{9020}},
      {"its own first", {{"retry-after", "30"}, {"x-acs-retry-after", "3000"}}, Millis{3000}, Millis{3020}},
      {"its own first, however little",
       {{"retry-after", "30"}, {"x-acs-retry-after", "1"}},
       Millis{250},
       Millis{520}},
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

TEST(ApiGate, WaitsLongerFromAttemptToAttempt) {
  std::array<Millis, 3> longest{};
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    GateBench bench(GateBench::always(refusal("ServiceUnavailable", 503)));
    for (std::uint64_t i = 0; i < seed; ++i)
      bench.random.next();
    bench.call(std::chrono::minutes{10});
    bench.run();
    ASSERT_EQ(bench.sent_at.size(), 4U);
    for (std::size_t i = 0; i < longest.size(); ++i)
      longest[i] = std::max(longest[i], bench.sent_after(i + 1) - bench.sent_after(i) - Millis{10});
  }
  Millis most{500};
  for (const Millis wait : longest) {
    EXPECT_GT(wait, most / 2);
    EXPECT_LE(wait, most);
    most *= 2;
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

TEST(ApiGate, NoRefusalIsRepeatedWithoutEnd) {
  for (const char* code : {"ServiceUnavailable", "SignatureNonceUsed", "InvalidTimeStamp.Expired",
                           "InvalidAccessKeyId.NotFound", "SomethingNew"}) {
    GateBench bench(GateBench::always(refusal(code, 400)));
    for (int i = 0; i < 200; ++i)
      bench.call(std::chrono::minutes{30});
    bench.run();
    EXPECT_LE(bench.transport.requests.size(), 221U) << code << ": the budget of retries, and no more";
  }
}

TEST(ApiGate, ARefusalNamesTheRightThatIsMissingOnce) {
  GateBench bench(GateBench::always(refusal("NoPermission", 403)));
  const auto listing = bench.call();
  std::string identity;
  bench.gate.call(
      {"https", "sts.example", "GetCallerIdentity", "2015-04-01", ""},
      bench.clock.mono() + std::chrono::minutes{1},
      [&identity](const Result<ApiAnswer, Failure>& result) { identity = result.error().detail; });
  bench.run_for(std::chrono::seconds{1});
  const std::string& detail = listing->result->error().detail;
  const std::size_t at = detail.find("grant ens:DescribeImageSharePermission");
  ASSERT_NE(at, std::string::npos) << detail;
  EXPECT_EQ(detail.find("grant", at + 1), std::string::npos) << detail;
  EXPECT_THAT(identity, HasSubstr("sts:GetCallerIdentity"));
}

TEST(ApiGate, ARefusalForAnotherCauseAsksForNoRight) {
  for (const char* code : {"Account.Arrearage", "Forbidden.RiskControl", "Forbidden.NeverSeen"}) {
    GateBench bench(GateBench::always(refusal(code, 403)));
    const auto listing = bench.call();
    bench.run_for(std::chrono::seconds{1});
    EXPECT_THAT(listing->result->error().detail, Not(HasSubstr("grant"))) << code;
  }
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
