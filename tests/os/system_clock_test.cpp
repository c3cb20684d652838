#include "os/system_clock.hpp"

#include "os/system_random.hpp"

#include <algorithm>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using namespace std::chrono_literals;

TEST(SystemClock, SleepsUntilItsTime) {
  SystemClock clock;
  const MonoTime when = clock.mono() + 30ms;
  EXPECT_TRUE(clock.sleep_until(when, {}));
  EXPECT_GE(clock.mono(), when);
  EXPECT_TRUE(clock.sleep_until(clock.mono() - 1h, {}));
}

TEST(SystemClock, WakesWhenItShallStop) {
  SystemClock clock;
  std::stop_source stop;
  const std::jthread stopper([&stop] {
    std::this_thread::sleep_for(30ms);
    stop.request_stop();
  });
  EXPECT_FALSE(clock.sleep_until(MonoTime::max(), stop.get_token()));
  EXPECT_FALSE(clock.sleep_until(clock.mono() + 1h, stop.get_token()));
}

TEST(SystemClock, CountsTheTimeInWhichTheMachineSlept) {
  const auto now_on = [](clockid_t id) {
    timespec now{};
    ::clock_gettime(id, &now);
    return MonoTime{std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec}};
  };
  const MonoTime before = now_on(CLOCK_BOOTTIME);
  const MonoTime read = SystemClock{}.mono();
  EXPECT_LE(before, read);
  EXPECT_LE(read, now_on(CLOCK_BOOTTIME));
}

TEST(SystemRandom, GivesNoNumberTwice) {
  SystemRandom random;
  constexpr std::size_t kThreads = 4;
  constexpr std::size_t kEach = 1000;
  std::vector<std::uint64_t> all(kThreads * kEach);
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([&random, &all, t] {
        for (std::size_t i = 0; i < kEach; ++i)
          all[t * kEach + i] = random.next();
      });
    }
  }
  std::sort(all.begin(), all.end());
  EXPECT_EQ(std::adjacent_find(all.begin(), all.end()), all.end());
  for (int i = 0; i < 1000; ++i) {
    const double unit = random.unit();
    EXPECT_TRUE(unit >= 0.0 && unit < 1.0);
  }
}

}  // namespace
}  // namespace sharedrift
