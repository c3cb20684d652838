#include "app/app.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const WallTime kNoon{Millis{1'795'521'600'123}};

std::vector<Event> some_events() {
  return {{EventType::started, kNoon, "", {{"version", std::string("1")}}},
          {EventType::drift_opened,
           kNoon + std::chrono::seconds{61},
           "m-1",
           {{"account_id", std::string("4242")}, {"kind", std::string("unexpected")}}},
          {EventType::listing_failed, kNoon + std::chrono::seconds{62}, "m-2", {}}};
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

TEST(History, TellsHowMuchAndHowBadBeforeTheRows) {
  const auto lines = lines_of(history_table(some_events(), {}));
  ASSERT_EQ(lines.size(), 6U);
  EXPECT_EQ(lines[0], "3 events from 2026-11-24 12:00:00 to 2026-11-24 12:01:02: 1 error, 1 warning");
  EXPECT_EQ(lines[2], "TIME (UTC)           LEVEL  EVENT           WHAT HAPPENED");
  EXPECT_THAT(lines[3], StartsWith("2026-11-24 12:00:00  info   started         share-drift-exporter 1"));
  EXPECT_THAT(lines[4], StartsWith("2026-11-24 12:01:01  error  drift_opened    Account 4242 has access"));
  EXPECT_EQ(history_table({}, {}), "No event is recorded\n");
}

TEST(History, FoldsSentencesInTheirColumnOnAScreen) {
  const std::string table = history_table(some_events(), {80, false});
  for (const std::string& line : lines_of(table))
    EXPECT_LE(line.size(), 80U) << line;
  EXPECT_THAT(table, HasSubstr("\n" + std::string(44, ' ') + "and is not on its allow-list: remove"));
  EXPECT_THAT(history_table(some_events(), {10, false}), HasSubstr("Account 4242 has"));
}

TEST(History, OfAnImageMarksWhatIsNotOfItAlone) {
  const auto lines = lines_of(history_table(some_events(), {}, true));
  EXPECT_EQ(lines[1], "* marks what is not of this image, but of a profile or of the exporter");
  EXPECT_THAT(lines[4], StartsWith("2026-11-24 12:00:00  info   * started       share-drift-exporter 1"));
  EXPECT_THAT(lines[5], StartsWith("2026-11-24 12:01:01  error  drift_opened    Account 4242 has access"));
}

TEST(History, ColoursWhatIsBadWhereColoursAreWanted) {
  EXPECT_THAT(history_table(some_events(), {80, true}), HasSubstr("\033[31merror  \033[0m"));
  EXPECT_THAT(history_table(some_events(), {80, true}), HasSubstr("\033[33mwarn   \033[0m"));
  EXPECT_THAT(history_table(some_events(), {80, false}), Not(HasSubstr("\033")));
}

TEST(History, WhatCameFromOutsideMovesNoCursor) {
  auto events = some_events();
  events[1].add("account_name", std::string("evil\033[2J\n2026"));
  const std::string table = history_table(events, {80, false});
  EXPECT_THAT(table, Not(HasSubstr("\033")));
  EXPECT_THAT(table, Not(HasSubstr("\n2026 ")));
}

TEST(History, WideLettersAreCountedAsWide) {
  EXPECT_EQ(columns_of("abc"), 3U);
  EXPECT_EQ(columns_of("\xc3\xa9"), 1U);
  EXPECT_EQ(columns_of("\xe9\x98\xbf\xe9\x87\x8c"), 4U);
}

}  // namespace
}  // namespace sharedrift
