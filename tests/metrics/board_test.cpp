#include "metrics/board.hpp"

#include "support/views.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using testing::a_view;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> ids(const Board& board) {
  std::vector<std::string> out;
  for (const ViewPtr& view : board.fleet().views)
    out.push_back(view->policy->id.str());
  return out;
}
ImageId id(const std::string& text) {
  return *ImageId::parse(text);
}
BlockReading without_views(const Board& board) {
  return board.read_blocks([](const std::vector<Block>& blocks) { return std::vector<bool>(blocks.size()); });
}
ImageVersions versions_of_one_block(const Board& board) {
  const BlockReading reading = without_views(board);
  EXPECT_EQ(reading.blocks.size(), 1U);
  return reading.blocks.at(0).versions;
}
std::vector<Metric> grown(const ImageVersions& before, const ImageVersions& after) {
  std::vector<Metric> out;
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (before.at(i) != after.at(i)) out.push_back(static_cast<Metric>(i));
  }
  return out;
}

TEST(Board, KeepsTheOrderInWhichImagesCame) {
  Board board;
  for (const char* name : {"m-c", "m-a", "m-b"})
    board.publish(a_view(name));
  board.publish(a_view("m-a"));
  EXPECT_THAT(ids(board), ElementsAre("m-c", "m-a", "m-b"));
  board.remove(id("m-c"));
  board.publish(a_view("m-c"));
  EXPECT_THAT(ids(board), ElementsAre("m-a", "m-b", "m-c"));
}

TEST(Board, FindsWhatIsThereAfterMostWasRemoved) {
  Board board;
  for (int i = 0; i < 100; ++i)
    board.publish(a_view("m-" + std::to_string(i)));
  for (int i = 0; i < 100; ++i) {
    if (i % 10 != 7) board.remove(id("m-" + std::to_string(i)));
  }
  board.remove(id("m-unknown"));
  EXPECT_THAT(ids(board),
              ElementsAre("m-7", "m-17", "m-27", "m-37", "m-47", "m-57", "m-67", "m-77", "m-87", "m-97"));
  EXPECT_EQ(board.find(id("m-47"))->policy->id.str(), "m-47");
  EXPECT_EQ(board.find(id("m-48")), nullptr);
  for (int i = 7; i < 100; i += 10)
    board.remove(id("m-" + std::to_string(i)));
  EXPECT_THAT(ids(board), IsEmpty());
}

std::vector<ViewPtr> views_by_blocks(const Board& board) {
  const BlockReading reading = board.read_blocks(
      [](const std::vector<Block>& blocks) { return std::vector<bool>(blocks.size(), true); });
  std::vector<ViewPtr> views;
  for (const Block& block : reading.blocks)
    views.insert(views.end(), block.views.begin(), block.views.end());
  return views;
}

/// The board finds a view by its place; the twin looks at each.
TEST(Board, AgreesWithItsSlowTwinThroughEveryChange) {
  testing::SeededRandom random(23);
  Board board(7);
  std::vector<ViewPtr> slow;
  for (int step = 0; step < 3000; ++step) {
    const std::string name = "m-" + std::to_string(random.next() % 40);
    const auto place = std::find_if(slow.begin(), slow.end(),
                                    [&name](const ViewPtr& view) { return view->policy->id.str() == name; });
    // Long runs of removals among publications: that is where gaps are closed.
    if (random.next() % 100 < (step / 200 % 2 == 0 ? 80U : 20U)) {
      const ViewPtr fresh = a_view(name);
      board.publish(fresh);
      if (place == slow.end()) {
        slow.push_back(fresh);
      } else {
        *place = fresh;
      }
    } else {
      board.remove(id(name));
      if (place != slow.end()) slow.erase(place);
    }
    ASSERT_EQ(board.fleet().views, slow) << "step " << step;
    ASSERT_EQ(views_by_blocks(board), slow) << "step " << step;
    const std::string asked = "m-" + std::to_string(random.next() % 40);
    const auto found = std::find_if(
        slow.begin(), slow.end(), [&asked](const ViewPtr& view) { return view->policy->id.str() == asked; });
    ASSERT_EQ(board.find(id(asked)), found == slow.end() ? nullptr : *found);
  }
}

TEST(Board, ReadersKeepTheFleetTheyTook) {
  Board board;
  board.publish(a_view("m-1"));
  const Fleet before = board.fleet();
  board.remove(id("m-1"));
  ASSERT_EQ(before.views.size(), 1U);
  EXPECT_EQ(before.views[0]->policy->id.str(), "m-1");
}

TEST(Board, AnUnchangedViewGrowsNothing) {
  Board board;
  board.publish(a_view("m-1"));
  const ImageVersions before = versions_of_one_block(board);
  board.publish(a_view("m-1"));
  EXPECT_THAT(grown(before, versions_of_one_block(board)), IsEmpty());
}

TEST(Board, GrowsTheBlockOfTheImageOnly) {
  Board board(2);
  for (const char* name : {"m-1", "m-2", "m-3", "m-4", "m-5"})
    board.publish(a_view(name));
  const BlockReading before = without_views(board);
  ASSERT_EQ(before.blocks.size(), 3U);
  auto view = std::make_shared<ImageView>(*a_view("m-3"));
  ++view->counters.flaps;
  board.publish(view);
  const BlockReading after = without_views(board);
  EXPECT_GT(after.moment, before.moment);
  EXPECT_THAT(grown(before.blocks[0].versions, after.blocks[0].versions), IsEmpty());
  EXPECT_THAT(grown(before.blocks[1].versions, after.blocks[1].versions), ElementsAre(Metric::flaps));
  EXPECT_THAT(grown(before.blocks[2].versions, after.blocks[2].versions), IsEmpty());
}

TEST(Board, ReadsTheViewsOfWantedBlocksOnly) {
  Board board(2);
  for (const char* name : {"m-1", "m-2", "m-3", "m-4", "m-5"})
    board.publish(a_view(name));
  board.remove(id("m-3"));
  const BlockReading reading = board.read_blocks([](const std::vector<Block>& /*blocks*/) {
    return std::vector<bool>{false, true, true};
  });
  ASSERT_EQ(reading.blocks.size(), 3U);
  EXPECT_THAT(reading.blocks[0].views, IsEmpty());
  EXPECT_THAT(reading.blocks[1].views, ElementsAre(board.find(id("m-4"))));
  EXPECT_THAT(reading.blocks[2].views, ElementsAre(board.find(id("m-5"))));
}

TEST(Board, GrowsJustTheFamiliesThatAPollChanges) {
  Board board;
  board.publish(a_view("m-1"));
  const ImageVersions before = versions_of_one_block(board);
  auto view = std::make_shared<ImageView>(*a_view("m-1"));
  view->last_attempt = *view->last_attempt + Millis{1};
  view->last_complete = view->last_attempt;
  ++view->counters.listings;
  board.publish(view);
  EXPECT_THAT(grown(before, versions_of_one_block(board)),
              ElementsAre(Metric::listing_last_complete, Metric::listing_last_attempt, Metric::listings));
}

TEST(Board, GrowsTheAccountFamiliesByDriftNamesAndExceptions) {
  Board board;
  board.publish(a_view("m-1"));
  ImageVersions before = versions_of_one_block(board);
  auto view = std::make_shared<ImageView>(*a_view("m-1"));
  view->drifts = {testing::a_drift(1, DriftKind::unexpected, WallTime{})};
  board.publish(view);
  EXPECT_THAT(grown(before, versions_of_one_block(board)),
              ElementsAre(Metric::account_since, Metric::account_series_dropped));
  before = versions_of_one_block(board);
  board.set_account_names({{testing::account_number(1), "partner"}});
  EXPECT_THAT(grown(before, versions_of_one_block(board)), ElementsAre(Metric::account_since));
  before = versions_of_one_block(board);
  auto excepted = std::make_shared<ImageView>(*view);
  auto policy = std::make_shared<ImagePolicy>(*view->policy);
  policy->exceptions = {{testing::account_number(2), WallTime{}, "", "", ""}};
  excepted->policy = policy;
  board.publish(excepted);
  EXPECT_THAT(grown(before, versions_of_one_block(board)),
              ElementsAre(Metric::exception_expiry, Metric::account_series_dropped));
}

}  // namespace
}  // namespace sharedrift
