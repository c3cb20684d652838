// Pages, deadlines and the pace of polls.
#include "ens_bench.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using namespace std::chrono_literals;
using testing::accounts_from;
using testing::answer;
using testing::EnsBench;
using testing::failing;
using testing::parameter;
using testing::refusal;
using Reply = testing::ScriptedTransport::Reply;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(EnsClient, AsksForWholePagesAndProvesAShortListByOne) {
  EnsBench bench;
  bench.shares["m-1"] = accounts_from(1, 3);
  const Observation seen = bench.fetch("m-1");
  EXPECT_TRUE(seen.complete);
  EXPECT_THAT(seen.accounts, SizeIs(3));
  ASSERT_THAT(bench.transport.requests, SizeIs(1));
  EXPECT_EQ(parameter(bench.transport.requests[0], "PageSize"), "100");
  EXPECT_EQ(parameter(bench.transport.requests[0], "AliyunId"), "") << "undocumented: never sent";
}

TEST(EnsClient, ALongListHoldsUpNobody) {
  EnsOptions options = EnsBench::plain();
  options.gate.requests_per_second = 5;
  EnsBench bench(std::move(options));
  bench.shares["m-huge"] = accounts_from(1, 9'950);
  for (int i = 0; i < 5; ++i)
    bench.fetch("m-warm-up");  // the burst is spent: from here on it is five a second
  const auto huge = bench.begin("m-huge");
  const MonoTime start = bench.clock.mono();
  std::vector<std::shared_ptr<EnsBench::Outcome>> others;
  while (bench.actions.size() < 7) {  // the first page is there: a hundred more are known
    bench.timers.run_due(bench.clock.mono());
    bench.transport.run_once(bench.timers.next());
  }
  for (int i = 0; i < 10; ++i)
    others.push_back(bench.begin("m-" + std::to_string(i)));
  bench.run();
  for (const auto& other : others)
    EXPECT_LT(other->when - start, 6s) << "a hundred pages at five a second are twenty seconds";
  EXPECT_TRUE(huge->seen->complete);
}

TEST(EnsClient, OfALongListNoMorePagesWaitThanCanBeInFlight) {
  EnsOptions options = EnsBench::plain();
  options.gate.requests_per_second = 5;
  options.gate.concurrency = 8;
  EnsBench bench(std::move(options));
  bench.shares["m-huge"] = accounts_from(1, 9'950);
  bench.begin("m-huge");
  while (bench.actions.size() < 12) {  // pages come, and others are asked for
    bench.timers.run_due(bench.clock.mono());
    bench.transport.run_once(bench.timers.next());
  }
  bench.begin("m-1");
  bench.run();
  const auto& sent = bench.transport.requests;
  const auto first = std::find_if(sent.begin() + 12, sent.end(), [](const HttpRequest& request) {
    return parameter(request, "ImageId") == "m-1";
  });
  EXPECT_LE(first - (sent.begin() + 12), 8) << "are before the other image's";
}

TEST(EnsClient, AnImageWhoseAnswersNeverComeHoldsUpNobody) {
  EnsBench bench;
  bench.instead = [](const HttpRequest& request, const std::string& /*action*/) -> std::optional<Reply> {
    if (parameter(request, "ImageId") != "m-dead") return std::nullopt;
    return Reply{HttpResult(answer(200, "")), 3600s};
  };
  const auto dead = bench.begin("m-dead");
  std::vector<std::shared_ptr<EnsBench::Outcome>> others;
  for (int i = 0; i < 50; ++i)
    others.push_back(bench.begin("m-" + std::to_string(i)));
  const MonoTime start = bench.clock.mono();
  bench.run();
  for (const auto& other : others)
    EXPECT_LT(other->when - start, 1s);
  EXPECT_EQ(dead->seen->failure.reason, Reason::timeout);
}

TEST(EnsClient, RowsOnTheirWayStillCountWhenAPageFails) {
  EnsBench bench;
  bench.shares["m-1"] = accounts_from(1, 250);
  bench.instead = [](const HttpRequest& request, const std::string& /*action*/) -> std::optional<Reply> {
    if (parameter(request, "PageNumber") != "2") return std::nullopt;
    return Reply{HttpResult(refusal("NoPermission", 400)), 1ms};
  };
  const Observation seen = bench.fetch("m-1");
  EXPECT_FALSE(seen.complete);
  EXPECT_EQ(seen.failure.reason, Reason::forbidden);
  EXPECT_THAT(seen.accounts, SizeIs(150)) << "pages 1 and 3";
  EXPECT_EQ(seen.total_count, 250);
}

TEST(EnsClient, APollThatIsBrokenOffEndsWithTheRowsThatCame) {
  EnsBench bench;
  bench.shares["m-1"] = accounts_from(1, 250);
  bench.instead = [](const HttpRequest& request, const std::string& /*action*/) -> std::optional<Reply> {
    if (parameter(request, "PageNumber") == "1" && parameter(request, "ImageId") == "m-1")
      return std::nullopt;
    return Reply{HttpResult(answer(200, "")), 3600s};
  };
  const auto begun = bench.begin("m-1");
  const auto without_rows = bench.begin("m-2");
  const MonoTime start = bench.clock.mono();
  while (bench.clock.mono() - start < 1s) {
    bench.timers.run_due(bench.clock.mono());
    bench.transport.run_once(std::min(bench.timers.next(), start + 1s));
  }
  bench.transport.cancel_all();
  bench.client.break_off(make_failure(Reason::timeout, "a reload"));
  ASSERT_EQ(begun->times, 1);
  EXPECT_FALSE(begun->seen->complete);
  EXPECT_EQ(begun->seen->failure.detail, "a reload");
  EXPECT_THAT(begun->seen->accounts, SizeIs(100));
  EXPECT_EQ(without_rows->times, 0) << "it has nothing to say";
}

TEST(EnsClient, TheDeadlineEndsAPollWithWhatWasSeen) {
  EnsBench bench;
  bench.shares["m-1"] = accounts_from(1, 250);
  bench.instead = [](const HttpRequest& request, const std::string& /*action*/) -> std::optional<Reply> {
    if (parameter(request, "PageNumber") == "1") return std::nullopt;
    return Reply{HttpResult(answer(200, "")), 3600s};
  };
  const MonoTime start = bench.clock.mono();
  const Observation seen = bench.fetch("m-1", false, 7s);
  EXPECT_LE(bench.clock.mono() - start, 7s + 1ms);
  EXPECT_FALSE(seen.complete);
  EXPECT_EQ(seen.failure.reason, Reason::timeout);
  EXPECT_THAT(seen.accounts, SizeIs(100));
}

TEST(EnsClient, AnotherImagesAnswerIsNotThisOnes) {
  EnsBench bench;
  bench.instead = [](const HttpRequest& /*request*/, const std::string& /*action*/) {
    return std::optional(Reply{HttpResult(testing::page_of("m-other", accounts_from(1, 2), 1))});
  };
  const Observation seen = bench.fetch("m-1");
  EXPECT_FALSE(seen.complete);
  EXPECT_EQ(seen.failure.reason, Reason::echo_mismatch);
  EXPECT_THAT(seen.accounts, IsEmpty());
}

TEST(EnsClient, ANewConfigurationIsNoNewBudget) {
  EnsOptions options = EnsBench::plain();
  options.gate.requests_per_second = 5;
  EnsBench bench(options);
  for (int i = 0; i < 5; ++i)
    bench.fetch("m-1");
  EnsClient next(options, bench.transport, bench.timers, bench.credentials, bench.clock, bench.random,
                 bench.observer);
  next.continue_pace_of(bench.client);
  std::optional<Observation> seen;
  next.fetch(
      *ImageId::parse("m-1"), [] { return false; }, bench.clock.mono() + 60s,
      [&seen](Observation found) { seen = std::move(found); });
  const MonoTime start = bench.clock.mono();
  while (!seen) {
    bench.timers.run_due(bench.clock.mono());
    bench.transport.run_once(bench.timers.next());
  }
  EXPECT_GT(bench.clock.mono() - start, 100ms) << "the burst was spent";

  bench.instead = failing("DescribeImageSharePermission", HttpResult(refusal("Throttling.User", 400)));
  bench.fetch("m-1", false, 1s);
  ASSERT_LT(bench.client.budget(), 5);
  EnsClient throttled(options, bench.transport, bench.timers, bench.credentials, bench.clock, bench.random,
                      bench.observer);
  throttled.continue_pace_of(bench.client);
  EXPECT_EQ(throttled.budget(), bench.client.budget()) << "nor an end of the slow start";
}

}  // namespace
}  // namespace sharedrift
