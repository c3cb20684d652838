#include "core/timer_queue.hpp"

#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using namespace std::chrono_literals;

constexpr MonoTime kStart{1h};

/// A queue, and what its callbacks have noted.
struct Noting {
  TimerQueue::Timer at(MonoTime when, const std::string& note) {
    return timers.at(when, [this, note] { notes += note; });
  }
  TimerQueue timers;
  std::string notes;
};

TEST(TimerQueue, CallsWhatIsDueInOrderOfTime) {
  Noting queue;
  const auto c = queue.at(kStart + 2s, "c");
  const auto a = queue.at(kStart + 1s, "a");
  const auto b = queue.at(kStart + 1s, "b");
  const auto d = queue.at(kStart + 3s, "d");
  EXPECT_EQ(queue.timers.next(), kStart + 1s);
  queue.timers.run_due(kStart);
  EXPECT_EQ(queue.notes, "");
  queue.timers.run_due(kStart + 2s);
  EXPECT_EQ(queue.notes, "abc") << "those of one moment in the order in which they were set";
  EXPECT_EQ(queue.timers.next(), kStart + 3s);
}

TEST(TimerQueue, NeverIsNoTime) {
  Noting queue;
  EXPECT_EQ(queue.timers.next(), MonoTime::max());
  const auto never = queue.at(MonoTime::max(), "x");
  EXPECT_EQ(queue.timers.next(), MonoTime::max());
}

TEST(TimerQueue, WhatIsCancelledReplacedOrGoneIsNotCalled) {
  Noting queue;
  auto cancelled = queue.at(kStart, "x");
  cancelled.cancel();
  auto replaced = queue.at(kStart, "x");
  replaced = queue.at(kStart + 1s, "a");
  { const auto gone = queue.at(kStart, "x"); }
  queue.timers.run_due(kStart + 1s);
  EXPECT_EQ(queue.notes, "a");
}

TEST(TimerQueue, ATimerThatIsMovedStaysSet) {
  Noting queue;
  std::optional<TimerQueue::Timer> first = queue.at(kStart, "a");
  const TimerQueue::Timer second = std::move(*first);
  first.reset();
  EXPECT_EQ(second.when(), kStart);
  queue.timers.run_due(kStart);
  EXPECT_EQ(queue.notes, "a");
  EXPECT_EQ(second.when(), MonoTime::max()) << "it was called";
}

TEST(TimerQueue, ACallbackMaySetAndCancelOthersAndItself) {
  Noting queue;
  TimerQueue::Timer again;
  TimerQueue::Timer other = queue.at(kStart + 1s, "x");
  again = queue.timers.at(kStart, [&] {
    queue.notes += "a";
    other.cancel();
    again = queue.at(kStart, "b");
  });
  queue.timers.run_due(kStart + 1s);
  EXPECT_EQ(queue.notes, "ab");
  EXPECT_EQ(queue.timers.next(), MonoTime::max());
}

}  // namespace
}  // namespace sharedrift
