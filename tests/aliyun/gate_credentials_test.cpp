#include "gate_bench.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using testing::GateBench;
using testing::good;
using testing::header_of;
using testing::refusal;
using Reply = testing::ScriptedTransport::Reply;
using ::testing::ElementsAre;

TEST(ApiGate, HoldsCallsWhileTheFirstCredentialsAreUnderWay) {
  GateBench bench(GateBench::always(good()));
  bench.credentials.now.reset();
  bench.credentials.waiting = true;
  for (int i = 0; i < 3; ++i)
    bench.call();
  bench.run_for(Millis{100});
  EXPECT_EQ(bench.credentials.asked, 0);
  EXPECT_EQ(bench.ended(), 0U);
  bench.credentials.give(1);
  bench.run();
  for (const auto& outcome : bench.outcomes)
    EXPECT_TRUE(outcome->ok());
}

TEST(ApiGate, HoldsCallsWhenCredentialsTurnOutToHaveRunOut) {
  GateBench bench(GateBench::always(good()));
  bench.credentials.now.reset();
  bench.credentials.on_asked = [&bench] { bench.credentials.waiting = true; };
  for (int i = 0; i < 3; ++i)
    bench.call();
  bench.run_for(Millis{100});
  EXPECT_EQ(bench.credentials.asked, 1);
  EXPECT_EQ(bench.ended(), 0U);
  EXPECT_TRUE(bench.transport.requests.empty());
  bench.credentials.on_asked = nullptr;
  bench.credentials.give(1);
  bench.run();
  for (const auto& outcome : bench.outcomes)
    EXPECT_TRUE(outcome->ok());
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

TEST(ApiGate, CredentialsThatAreThereAlreadyAreUsedAtOnce) {
  GateBench bench(refuse_key("LTAI-1"));
  bench.credentials.on_rejected = [&bench](std::uint64_t) { bench.credentials.give(2); };
  const auto outcome = bench.call();
  bench.run();
  EXPECT_TRUE(outcome->ok());
  EXPECT_EQ(bench.sent_after(1), Millis{10});
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
  EXPECT_EQ(bench.sent_after(1), Millis{10}) << "new credentials need no pause";
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

}  // namespace
}  // namespace sharedrift
