#include "aliyun/owner_pin.hpp"

#include "gate_bench.hpp"

#include <optional>
#include <string>

#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using testing::answer;
using testing::GateBench;

TEST(OwnerPin, AKeyThatWasReplacedBeforeAnybodyKnewItsOwnerStaysNobodys) {
  GateBench bench(GateBench::always(answer(200, R"({"AccountId":"1111111111111111"})")));
  OwnerPin pin(AccountId::parse("1111111111111111"),
               {"https", "sts.example", "GetCallerIdentity", "2015-04-01", {}}, bench.gate, bench.timers,
               bench.credentials, bench.clock);
  bench.credentials.give(3);
  bool ours = false;
  pin.check({}, bench.clock.mono() + std::chrono::minutes{1},
            [&ours](const Failure* problem) { ours = problem == nullptr; });
  while (bench.transport.in_flight() == 0)
    bench.timers.run_due(bench.clock.mono());
  std::optional<std::string> of_replaced;
  // STS answers about the present key before the loop has its next turn.
  bench.clock.advance(Millis{10});
  pin.check({2}, bench.clock.mono() + std::chrono::minutes{1}, [&of_replaced](const Failure* problem) {
    of_replaced = problem == nullptr ? "ours" : to_string(problem->reason);
  });
  bench.transport.run_once(bench.clock.mono());
  EXPECT_TRUE(ours);
  EXPECT_FALSE(of_replaced) << "that answer is not about it";
  bench.timers.run_due(bench.clock.mono());
  EXPECT_EQ(of_replaced, "credentials");
  EXPECT_FALSE(pin.proves({2}));
  EXPECT_TRUE(pin.proves({3}));
}

}  // namespace
}  // namespace sharedrift
