// The pace of the state database's writer, in real time.
#include "store/state_db.hpp"
#include "support/recording_sink.hpp"
#include "support/temp_dir.hpp"

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using namespace std::chrono_literals;
using testing::RecordingSink;
using testing::TempDir;

/// Asked for the wall time once for each transaction.
class CountingClock final : public Clock {
 public:
  [[nodiscard]] MonoTime mono() const override { return MonoTime{}; }
  [[nodiscard]] WallTime wall() const override {
    ++asked;
    return WallTime{};
  }
  bool sleep_until(MonoTime /*when*/, std::stop_token /*stop*/) override { return true; }
  mutable std::atomic<int> asked{0};
};

TEST(StateDb, ABurstIsFewTransactionsAndAllOfItIsKept) {
  const TempDir dir;
  const CountingClock clock;
  RecordingSink sink;
  constexpr std::size_t kImages = 60;
  {
    const auto db = *std::move(StateDb::open(dir.file("state.db"), Millis{1'000}, sink, clock));
    db->load();
    const auto begin = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < kImages; ++i) {
      db->save(ImageRecord{*ImageId::parse("m-" + std::to_string(i))}, {});
      std::this_thread::sleep_for(1ms);
    }
    const auto took = std::chrono::steady_clock::now() - begin;
    EXPECT_GE(clock.asked, 1) << "the first does not wait for the last";
    EXPECT_LE(clock.asked, took / 5ms + 2);
  }
  const auto again = *std::move(StateDb::open(dir.file("state.db"), Millis{1'000}, sink, clock));
  EXPECT_EQ(again->load().images.size(), kImages);
}

}  // namespace
}  // namespace sharedrift
