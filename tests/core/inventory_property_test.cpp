// The inventory against a model that shares nothing with it: whatever happens between two pages, no image is
// dropped that was there, none is invented, and what is proven was true.
#include "core/owned_images.hpp"
#include "support/fakes.hpp"
#include "support/image_server.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using namespace std::chrono_literals;
using testing::ImageServer;

/// An account whose images change while they are read, and answers that lie.
struct Adversary {
  explicit Adversary(std::uint64_t seed) : random(seed) {}
  bool one_in(std::uint64_t n) { return random.next() % n == 0; }
  void disturb(ImageServer& server, std::uint64_t calm) {
    if (!one_in(calm)) return;
    const auto at = static_cast<std::size_t>(random.next() % (server.images.size() + 1));
    switch (random.next() % 3) {
      case 0: return server.remove(at);
      case 1: return server.insert_front();
      default: return server.swap(at);
    }
  }
  testing::SeededRandom random;
};

std::set<int> numbers_of(const std::vector<InventoryRow>& rows) {
  std::set<int> out;
  for (const InventoryRow& row : rows)
    out.insert(std::stoi(row.id.str().substr(2)));
  return out;
}

TEST(InventoryProperty, WhatIsProvenWasTrueUnlessTwoChangesHideInTheGapsOfTwoPasses) {
  std::size_t complete = 0;
  for (std::uint64_t seed = 1; seed <= 4'000; ++seed) {
    Adversary adversary(seed);
    ImageServer server(static_cast<int>(adversary.random.next() % 14));
    server.counted = !adversary.one_in(2);
    server.cap = adversary.one_in(3) ? 3 : 0;
    int changes = 0;
    server.before = [&](ImageServer& s) {
      if (changes == 0 && adversary.one_in(6)) {
        ++changes;
        adversary.disturb(s, 1);
      }
    };
    const InventoryListing found = testing::walk(server, {4, 100, 4});
    const std::set<int> numbers = numbers_of(found.rows);
    for (const InventoryRow& row : found.rows)
      EXPECT_TRUE(server.returned.contains(row.id)) << "invented, seed " << seed;
    if (!found.complete) continue;
    ++complete;
    EXPECT_TRUE(server.true_at_some_time.contains(numbers)) << "never true, seed " << seed;
  }
  EXPECT_GT(complete, 3'000U);
}

/// What must be known after each walk, from the whole history and nothing else.
struct Model {
  struct Walk {
    bool complete = false;
    std::set<int> rows;
    bool counts = true;  ///< no mass change for those whose absence it begins
    std::set<int> began;
  };
  std::vector<Walk> walks;

  [[nodiscard]] bool known_before(int image, std::size_t end, int confirm) const {
    int absences = -1;  // not known
    for (std::size_t i = 0; i < end; ++i) {
      const Walk& walk = walks[i];
      if (walk.rows.contains(image)) {
        absences = 0;
      } else if (walk.complete && absences >= 0 && !(walk.began.contains(image) && !walk.counts)) {
        ++absences;
      }
      if (absences >= confirm) absences = -1;
    }
    return absences >= 0;
  }
  /// The last proven walk before `end` lacks it, and no row came since.
  [[nodiscard]] bool missed_before(int image, std::size_t end) const {
    for (std::size_t i = end; i-- > 0;) {
      if (walks[i].rows.contains(image)) return false;
      if (walks[i].complete) return true;
    }
    return false;
  }
  void add(Walk walk, int all, int confirm, int percent) {
    const std::size_t now = walks.size();
    std::size_t known = 0;
    for (int image = 0; image < all; ++image) {
      const bool was = known_before(image, now, confirm);
      if (was || walk.rows.contains(image)) ++known;
      if (was && walk.complete && !walk.rows.contains(image) && !missed_before(image, now))
        walk.began.insert(image);
    }
    walk.counts = known < 10 || walk.began.size() * 100 <= known * static_cast<std::size_t>(percent);
    walks.push_back(std::move(walk));
  }
};

TEST(InventoryProperty, KnowsWhatAnIndependentModelKnowsThroughEveryHistory) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    Adversary adversary(seed);
    testing::ManualClock clock;
    ImageServer server(static_cast<int>(5 + adversary.random.next() % 12));
    server.counted = !adversary.one_in(2);
    const int confirm = static_cast<int>(1 + adversary.random.next() % 3);
    const OwnedImages::Rules rules{5min, confirm, 20};
    OwnedImages owned;
    Model model;
    for (int step = 0; step < 25; ++step) {
      clock.advance(5min);
      if (adversary.one_in(8)) server.images.clear();  // another key
      for (int i = 0; i < 3; ++i)
        adversary.disturb(server, 2);
      server.before = [&](ImageServer& s) { adversary.disturb(s, 12); };
      InventoryListing seen = testing::walk(server, {4, 100, 4});
      if (adversary.one_in(4)) {  // cut
        seen.complete = false;
        seen.rows.resize(seen.rows.size() / 2, seen.rows.empty() ? testing::owned(0) : seen.rows.front());
      }
      owned.take(seen, clock.now(), rules);
      model.add({seen.complete, numbers_of(seen.rows), true, {}}, server.next, confirm, 20);
      std::set<int> known;
      for (int image = 0; image < server.next; ++image) {
        if (model.known_before(image, model.walks.size(), confirm)) known.insert(image);
      }
      std::set<int> is;
      for (const auto& [id, image] : owned.images())
        is.insert(std::stoi(id.str().substr(2)));
      ASSERT_EQ(known, is) << "seed " << seed << ", step " << step;
    }
  }
}

}  // namespace
}  // namespace sharedrift
