#include "core/inventory.hpp"

#include "support/image_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using ::testing::ElementsAre;
using testing::image_number;
using testing::ImageServer;
using ::testing::IsEmpty;
using testing::owned;
using ::testing::SizeIs;
using testing::walk;

constexpr ListingLimits kTen{10, 1000, 4};

TEST(InventoryCollector, ProvesAShortInventoryByOnePageThatCounts) {
  for (const int size : {0, 1, 9}) {
    ImageServer server(size);
    const InventoryListing found = walk(server, kTen);
    EXPECT_TRUE(found.complete) << size;
    EXPECT_THAT(found.rows, SizeIs(static_cast<std::size_t>(size)));
    EXPECT_EQ(server.requests, 1U);
  }
  ImageServer full(10);
  EXPECT_TRUE(walk(full, kTen).complete);
  EXPECT_EQ(full.requests, 2U) << "an empty page after it says that this one was all";
}

TEST(InventoryCollector, WithoutACountTwoPassesMustAgree) {
  for (const int size : {0, 1, 9, 10, 11, 30, 35}) {
    ImageServer server(size);
    server.counted = false;
    const InventoryListing found = walk(server, kTen);
    EXPECT_TRUE(found.complete) << size;
    EXPECT_THAT(found.rows, SizeIs(static_cast<std::size_t>(size)));
    EXPECT_EQ(server.requests % 2, 0U);
  }
}

TEST(InventoryCollector, ALongInventoryTakesTwoPasses) {
  ImageServer server(10'000);
  EXPECT_TRUE(walk(server).complete);
  EXPECT_EQ(server.requests, 2U * 101);
}

TEST(InventoryCollector, APauseIsBeforeEveryPassButTheFirst) {
  ImageServer server(15);
  InventoryCollector collector(kTen, WallTime{});
  std::string pauses;
  while (!collector.done()) {
    pauses += collector.pause_before_next() ? "pause " : "";
    pauses += std::to_string(collector.next_page()) + " ";
    collector.add(server.page(collector.next_page(), 10));
  }
  EXPECT_EQ(pauses, "1 2 pause 1 2 ");
  EXPECT_FALSE(collector.pause_before_next()) << "nothing comes after the proof";
}

TEST(InventoryCollector, AShortPageAfterFullOnesIsTheEnd) {
  for (const auto& [size, pages] : {std::pair{15, 2U}, std::pair{25, 3U}}) {
    ImageServer server(size);
    EXPECT_TRUE(walk(server, kTen).complete);
    EXPECT_EQ(server.requests, 2 * pages) << size;
  }
}

TEST(InventoryCollector, AFullPageIsNotTheEndWhateverTheCountSays) {
  ImageServer server(15);
  server.tamper = [](int, InventoryPage& page) { page.total_count = 10; };
  const InventoryListing found = walk(server, kTen);
  EXPECT_FALSE(found.complete);
  EXPECT_EQ(found.failure.reason, Reason::count_mismatch);
  EXPECT_NE(found.find(image_number(14)), nullptr);
}

TEST(InventoryCollector, PagesThatAreSmallerThanAskedForHideNothing) {
  for (const bool counted : {true, false}) {
    for (const int size : {3, 4, 5, 8, 9}) {
      ImageServer server(size);
      server.counted = counted;
      server.cap = 4;
      const InventoryListing found = walk(server, kTen);
      EXPECT_TRUE(found.complete) << size << ", counted: " << counted;
      EXPECT_THAT(found.rows, SizeIs(static_cast<std::size_t>(size)));
    }
  }
}

TEST(InventoryCollector, ContradictionsProveNothingAndRowsStillCount) {
  const std::vector<std::pair<Reason, std::function<void(int, InventoryPage&)>>> lies{
      {Reason::count_mismatch, [](int, InventoryPage& page) { page.total_count = 99; }},
      {Reason::count_mismatch, [](int, InventoryPage& page) { page.total_count = -1; }},
      {Reason::count_changed, [](int number, InventoryPage& page) { page.total_count = 25 + number; }},
      {Reason::echo_mismatch, [](int, InventoryPage& page) { page.page_number = 7; }},
      {Reason::bad_row, [](int, InventoryPage& page) { ++page.unusable_rows; }},
      {Reason::duplicate_row,
       [](int, InventoryPage& page) {
         if (!page.rows.empty()) page.rows.push_back(page.rows.front());
       }},
  };
  for (const auto& [reason, lie] : lies) {
    ImageServer server(25);
    server.tamper = lie;
    const InventoryListing found = walk(server, kTen);
    EXPECT_FALSE(found.complete);
    EXPECT_EQ(found.failure.reason, reason);
    EXPECT_NE(found.find(image_number(3)), nullptr);
  }
}

TEST(InventoryCollector, AnImageWithoutAUsableIdHidesNoneOfThePagesAfterIt) {
  for (const int bad : {1, 2}) {
    ImageServer server(29);
    server.tamper = [bad](int number, InventoryPage& page) {
      if (number != bad) return;
      page.rows.pop_back();
      ++page.unusable_rows;
    };
    const InventoryListing found = walk(server, kTen);
    EXPECT_EQ(found.failure.reason, Reason::bad_row);
    EXPECT_NE(found.find(image_number(28)), nullptr) << "after a bad row on page " << bad;
    EXPECT_EQ(server.requests, 3U) << "it is a row of its page, which is full";
  }
}

TEST(InventoryCollector, AnInventoryThatShrankToOnePageIsProvenByThatPage) {
  ImageServer server(15);
  server.before = [](ImageServer& at) {
    const std::size_t left = at.requests == 1 ? 14 : at.requests == 2 ? 9 : 15;
    while (at.images.size() > left)
      at.remove(0);
  };
  const InventoryListing found = walk(server, kTen);
  EXPECT_TRUE(found.complete);
  EXPECT_THAT(found.rows, SizeIs(9));
  EXPECT_EQ(server.requests, 3U) << "two pages that contradict one another, and the one that counts";
}

TEST(InventoryCollector, AnInventoryThatMovedOnceIsProvenByThePassesAfterThat) {
  for (const bool counted : {true, false}) {
    for (const bool removed : {true, false}) {
      ImageServer server(25);
      server.counted = counted;
      server.before = [removed](ImageServer& at) {
        if (at.requests != 1) return;
        if (removed) {
          at.remove(0);
        } else {
          at.insert_front();
        }
      };
      const InventoryListing found = walk(server, kTen);
      EXPECT_TRUE(found.complete) << "counted: " << counted << ", removed: " << removed;
      EXPECT_THAT(found.rows, SizeIs(removed ? 24U : 26U));
    }
  }
}

TEST(InventoryCollector, AnEndlessInventoryEnds) {
  ImageServer server(0);
  server.tamper = [](int number, InventoryPage& page) {
    for (int i = 0; i < 10; ++i)
      page.rows.push_back(owned(number * 10 + i));
    page.total_count.reset();
  };
  const InventoryListing found = walk(server, {10, 20, 4});
  EXPECT_FALSE(found.complete);
  EXPECT_EQ(found.failure.reason, Reason::too_large);
  EXPECT_EQ(server.requests, 20U) << "reading again would not help";
}

TEST(InventoryCollector, PagesThatAreLongerThanAskedForEnd) {
  constexpr ListingLimits kFiveOfTen{10, 5, 4};
  int served = 0;
  ImageServer server(0);
  server.tamper = [&served](int, InventoryPage& page) {
    page.total_count = std::nullopt;
    for (int i = 0; i < 30; ++i)
      page.rows.push_back(owned(served++));
  };
  const InventoryListing found = walk(server, kFiveOfTen);
  EXPECT_FALSE(found.complete);
  EXPECT_EQ(found.failure.reason, Reason::too_large);
  EXPECT_EQ(server.requests, 2U);
  EXPECT_THAT(found.rows, SizeIs(60)) << "what came was seen";
}

TEST(InventoryCollector, AFailureKeepsWhatWasSeen) {
  ImageServer server(25);
  InventoryCollector collector(kTen, WallTime{});
  collector.add(server.page(1, 10));
  EXPECT_TRUE(collector.saw(image_number(3)));
  EXPECT_FALSE(collector.saw(image_number(13)));
  collector.fail(make_failure(Reason::throttled, "too many"));
  ASSERT_TRUE(collector.done());
  const InventoryListing found = collector.take();
  EXPECT_FALSE(found.complete);
  EXPECT_THAT(found.rows, SizeIs(10));
}

TEST(InventoryCollector, OneRowThatSaysOursOutweighsAnother) {
  InventoryCollector collector(kTen, WallTime{});
  InventoryRow theirs = owned(1);
  theirs.ours = false;
  collector.add({{theirs}, 0, {}, {}});
  EXPECT_FALSE(collector.saw(image_number(1)));
  collector.add({{owned(1)}, 0, {}, {}});
  EXPECT_TRUE(collector.saw(image_number(1)));
}

TEST(InventoryCollector, OfABrokenWalkTheNameThatWasSeenFirstStands) {
  for (const bool ours : {true, false}) {
    InventoryCollector collector(kTen, WallTime{});
    for (const char* name : {"before", "after"}) {
      InventoryRow row = owned(1, name);
      row.ours = ours;
      collector.add({{row}, 0, {}, {}});
    }
    collector.fail(make_failure(Reason::timeout, "test"));
    EXPECT_EQ(collector.take().rows.at(0).name, "before");
  }
}

TEST(InventoryCollector, KeepsTheIdOfEachAnswerAsEvidence) {
  ImageServer server(15);
  server.tamper = [&server](int number, InventoryPage& page) {
    if (number == 1) page.request_id = "R-" + std::to_string(server.requests + 1);
  };
  EXPECT_THAT(walk(server, kTen).request_ids, ElementsAre("R-1", "R-3")) << "the others had none";
}

TEST(InventoryCollector, ANewNameIsNoContradiction) {
  InventoryCollector collector(kTen, WallTime{});
  collector.add({{owned(1, "before")}, 0, {}, {}});
  collector.add({});
  collector.add({{owned(1, "after")}, 0, {}, {}});
  collector.add({});
  ASSERT_TRUE(collector.done());
  EXPECT_TRUE(collector.take().complete);
}

}  // namespace
}  // namespace sharedrift
