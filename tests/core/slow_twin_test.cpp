// What the core does fast, done again slowly and obviously: both must agree. daemon/README.md lists all
// twins.
#include "core/ids.hpp"
#include "core/schedule.hpp"
#include "support/fakes.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using namespace std::chrono_literals;
using testing::SeededRandom;

/// Schedule keeps its deadlines in order; the twin looks at all of them each time, and counts what it adds
/// up.
class SlowSchedule {
 public:
  struct Slot {
    ImageId id;
    Millis interval{};
    MonoTime base;
    MonoTime due;
    bool settled = false;
    bool flying = false;
  };

  explicit SlowSchedule(Schedule::Spread spread) : spread_(spread) {}

  void reconfigure(const std::vector<Schedule::Entry>& entries, Schedule::Spread spread, MonoTime now) {
    spread_ = spread;
    std::vector<Slot> next;
    for (const Schedule::Entry& entry : entries) {
      Slot slot{entry.id, entry.interval, now, now};
      if (const Slot* old = find(entry.id)) {
        slot = *old;
        slot.interval = entry.interval;
        slot.base = std::min(slot.base, now + entry.interval);
        slot.due = std::min(slot.due, now + entry.interval);
        slot.flying = false;
      }
      next.push_back(slot);
    }
    slots_ = next;
  }
  /// Whether the image may be the next to take: it waits, and nothing waits for longer.
  bool take(const ImageId& id) {
    Slot* slot = find(id);
    if (slot == nullptr || slot->flying || slot->due != next_due()) return false;
    slot->flying = true;
    return true;
  }
  std::uint64_t finish(const ImageId& id, MonoTime now, double jitter) {
    Slot* slot = find(id);
    if (slot == nullptr || !slot->flying) return 0;
    std::uint64_t passed = 0;
    for (MonoTime t = slot->base + slot->interval; t <= now; t += slot->interval)
      ++passed;
    if (spread_ == Schedule::Spread::even && !slot->settled) {
      slot->settled = true;
      const auto length = static_cast<std::uint64_t>(slot->interval.count());
      slot->base = MonoTime{Millis{static_cast<std::int64_t>(stable_hash(id.str()) % length)}};
      while (slot->base <= now)
        slot->base += slot->interval;
    } else {
      slot->base += slot->interval;
      for (std::uint64_t i = 1; i < passed; ++i)
        slot->base += slot->interval;
    }
    slot->due = slot->base;
    if (spread_ == Schedule::Spread::even) {
      slot->due +=
          Millis{static_cast<std::int64_t>(jitter * static_cast<double>(slot->interval.count()) / 10)};
    }
    slot->flying = false;
    return passed;
  }
  void release_all() {
    for (Slot& slot : slots_)
      slot.flying = false;
  }
  [[nodiscard]] MonoTime next_due() const {
    MonoTime next = MonoTime::max();
    for (const Slot& slot : slots_) {
      if (!slot.flying) next = std::min(next, slot.due);
    }
    return next;
  }

 private:
  Slot* find(const ImageId& id) {
    const auto found =
        std::find_if(slots_.begin(), slots_.end(), [&id](const Slot& s) { return s.id == id; });
    return found == slots_.end() ? nullptr : &*found;
  }
  Schedule::Spread spread_;
  std::vector<Slot> slots_;
};

std::vector<Schedule::Entry> random_entries(SeededRandom& random) {
  std::vector<Schedule::Entry> entries;
  for (int i = 0; i < 25; ++i) {
    if (random.next() % 3 == 0) continue;
    entries.push_back({*ImageId::parse("m-" + std::to_string(i)),
                       Millis{static_cast<std::int64_t>(1'000 * (1 + random.next() % 60))}});
  }
  return entries;
}

TEST(Schedule, AgreesWithItsSlowTwinThroughEveryChange) {
  for (const auto spread : {Schedule::Spread::even, Schedule::Spread::none}) {
    SeededRandom random(5);
    MonoTime now{1h};
    auto entries = random_entries(random);
    Schedule fast(entries, spread, now);
    SlowSchedule slow(spread);
    slow.reconfigure(entries, spread, now);
    std::vector<ImageId> flying;
    for (int round = 0; round < 3'000; ++round) {
      now += Millis{static_cast<std::int64_t>(random.next() % (round % 100 == 0 ? 300'000 : 900))};
      const std::uint64_t action = random.next() % 200;
      if (action == 0) {
        fast.release_all();
        slow.release_all();
        flying.clear();
      } else if (action == 1) {
        entries = random_entries(random);
        fast.reconfigure(entries, spread, now);
        slow.reconfigure(entries, spread, now);
        flying.clear();  // whose end is told later all the same is tried below
      } else if (action < 100 && !flying.empty()) {
        const std::size_t at = random.next() % flying.size();
        const ImageId id = flying.at(at);
        flying.erase(flying.begin() + static_cast<std::ptrdiff_t>(at));
        const double jitter = random.unit();
        ASSERT_EQ(fast.finish(id, now, jitter), slow.finish(id, now, jitter)) << "round " << round;
      } else if (action < 110) {
        const ImageId id = *ImageId::parse("m-" + std::to_string(random.next() % 25));
        ASSERT_EQ(fast.finish(id, now, 0), slow.finish(id, now, 0)) << "round " << round;
        std::erase(flying, id);
      } else {
        const auto taken = fast.take_due(now);
        for (const ImageId& id : taken) {
          ASSERT_LE(slow.next_due(), now) << "round " << round;
          ASSERT_TRUE(slow.take(id)) << "round " << round;
        }
        ASSERT_GT(slow.next_due(), now) << "round " << round;
        flying.insert(flying.end(), taken.begin(), taken.end());
      }
      ASSERT_EQ(fast.next_due(), slow.next_due()) << "round " << round;
    }
  }
}

}  // namespace
}  // namespace sharedrift
