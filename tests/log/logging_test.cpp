#include "log/logging.hpp"

#include "support/fakes.hpp"
#include "support/pipe.hpp"

#include <array>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sharedrift {
namespace {

using testing::Pipe;

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    out.push_back(text.substr(at, end - at));
    if (end == std::string::npos) break;
    at = end + 1;
  }
  return out;
}

TEST(Logger, WritesWhatIsAtOrAboveItsLevelAndCountsIt) {
  Pipe pipe;
  const testing::ManualClock clock;
  LogOptions options;
  options.fd = pipe.in();
  Logger logger(clock, options);
  logger.log(Level::debug, "unseen");
  logger.log(Level::info, "started", {{"images", std::int64_t{3}}});
  logger.log(Level::error, "failed");
  EXPECT_EQ(pipe.drain(),
            "ts=2026-11-18T11:06:40.000Z level=info event=started images=3\n"
            "ts=2026-11-18T11:06:40.000Z level=error event=failed\n");
  EXPECT_EQ(logger.counts().lines, (std::array<std::uint64_t, 4>{0, 1, 0, 1}));
  EXPECT_EQ(logger.counts().dropped, 0U);
}

TEST(Logger, TellsTheJournalThePriority) {
  Pipe pipe;
  const testing::ManualClock clock;
  LogOptions options;
  options.level = Level::debug;
  options.fd = pipe.in();
  options.priority_prefix = true;
  Logger logger(clock, options);
  for (const Level level : {Level::debug, Level::info, Level::warn, Level::error})
    logger.log(level, "x");
  std::string prefixes;
  for (const std::string& line : lines(pipe.drain()))
    prefixes += line.substr(0, 3);
  EXPECT_EQ(prefixes, "<7><6><4><3>");
  options.format = LogFormat::json;
  Logger(clock, options).log(Level::info, "x");
  EXPECT_EQ(pipe.drain().front(), '{');
}

TEST(Logger, AFullPipeCostsABoundedTimeOnceAndIsToldAfterwards) {
  Pipe pipe;
  const testing::ManualClock clock;
  LogOptions options;
  options.format = LogFormat::json;
  options.fd = pipe.in();
  Logger logger(clock, options);
  pipe.fill();
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 200; ++i)
    logger.log(Level::info, "lost");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));  // 200 patient lines: 10 s
  EXPECT_EQ(logger.counts().dropped, 200U);
  pipe.drain();
  logger.log(Level::info, "back");
  const auto seen = lines(pipe.drain());
  ASSERT_EQ(seen.size(), 2U);
  const auto note = nlohmann::json::parse(seen[0], nullptr, false);
  EXPECT_EQ(note["event"], "log_lines_dropped");
  EXPECT_EQ(note["lines"], 200);
  EXPECT_EQ(nlohmann::json::parse(seen[1], nullptr, false)["event"], "back");
  logger.log(Level::info, "again");
  EXPECT_EQ(lines(pipe.drain()).size(), 1U);
}

TEST(Logger, ALineTornByAFullPipeDoesNotSwallowTheNext) {
  Pipe pipe;
  const testing::ManualClock clock;
  LogOptions options;
  options.format = LogFormat::json;
  options.fd = pipe.in();
  options.patience = Millis{1};
  Logger logger(clock, options);
  const std::string big(4000, 'x');
  const std::vector<Field> bulk(20, Field{"k", big});  // one line larger than the pipe
  logger.log(Level::info, "torn", bulk);
  EXPECT_EQ(logger.counts().dropped, 1U);
  const std::string part = pipe.drain();
  EXPECT_FALSE(part.empty());
  logger.log(Level::info, "whole");
  const auto seen = lines(part + pipe.drain());
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(nlohmann::json::parse(seen[1], nullptr, false)["event"], "log_lines_dropped");
  EXPECT_EQ(nlohmann::json::parse(seen[2], nullptr, false)["event"], "whole");
}

TEST(Logger, AFullDiskIsCountedAndForgotten) {
  const testing::ManualClock clock;
  LogOptions options;
  options.fd = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(options.fd, 0);
  Logger logger(clock, options);
  logger.log(Level::error, "lost");
  EXPECT_EQ(logger.counts().dropped, 1U);
  EXPECT_EQ(logger.counts().lines, (std::array<std::uint64_t, 4>{}));
  ::close(options.fd);
}

TEST(Logger, AJournalThatIsStuckOrGoneEndsNothing) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  const testing::ManualClock clock;
  LogOptions options;
  options.fd = ends[0];
  options.patience = Millis{1};
  Logger logger(clock, options);
  logger.log(Level::info, "read");
  std::array<char, 256> read{};
  const ssize_t got = ::read(ends[1], read.data(), read.size());
  EXPECT_EQ(std::string(read.data(), got > 0 ? static_cast<std::size_t>(got) : 0),
            "ts=2026-11-18T11:06:40.000Z level=info event=read\n");
  for (int i = 0; i < 10'000 && logger.counts().dropped == 0; ++i)
    logger.log(Level::info, "unread", {{"k", std::string(4000, 'x')}});
  EXPECT_EQ(logger.counts().dropped, 1U) << "nobody reads";
  ::close(ends[1]);
  logger.log(Level::info, "unheard");
  EXPECT_EQ(logger.counts().dropped, 2U) << "and no signal ends the process";
  ::close(ends[0]);
}

TEST(Logger, LinesOfManyThreadsStayWhole) {
  Pipe pipe;
  const testing::ManualClock clock;
  LogOptions options;
  options.format = LogFormat::json;
  options.fd = pipe.in();
  options.patience = Millis{10'000};
  Logger logger(clock, options);
  std::string all;
  {
    std::vector<std::jthread> writers;
    writers.reserve(4);
    for (int t = 0; t < 4; ++t) {
      writers.emplace_back([&logger] {
        for (int i = 0; i < 100; ++i)
          logger.log(Level::info, "x", {{"text", std::string(50, 'y')}});
      });
    }
  }
  all = pipe.drain();
  const auto seen = lines(all);
  EXPECT_EQ(seen.size(), 400U);
  for (const std::string& line : seen)
    ASSERT_FALSE(nlohmann::json::parse(line, nullptr, false).is_discarded()) << line;
}

TEST(Logger, KnowsTheStreamToTheJournalByItsDeviceAndInode) {
  Pipe pipe;
  struct stat status {};
  ASSERT_EQ(fstat(pipe.in(), &status), 0);
  const std::string named = std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
  EXPECT_TRUE(is_journal_stream(pipe.in(), named.c_str()));
  EXPECT_FALSE(is_journal_stream(pipe.in(), (named + "0").c_str()));
  for (const char* other : {"", ":", "1", "1:", "x:1", "1:2 "})
    EXPECT_FALSE(is_journal_stream(pipe.in(), other)) << other;
  EXPECT_FALSE(is_journal_stream(pipe.in(), nullptr));
}

}  // namespace
}  // namespace sharedrift
