#include "log/logging.hpp"

#include "support/pipe.hpp"

#include <array>
#include <chrono>
#include <string>
#include <thread>
#include <utility>
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

Event event(EventType type, std::vector<Field> fields = {}) {
  return {type, WallTime{Millis{1'795'000'000'000}}, "", std::move(fields)};
}

TEST(Logger, WritesWhatIsAtOrAboveItsLevelAndCountsIt) {
  Pipe pipe;
  LogOptions options;
  options.fd = pipe.in();
  Logger logger(options);
  logger.on_event(event(EventType::credentials_renewed));
  logger.on_event(event(EventType::first_run, {{"images", std::int64_t{3}}}));
  logger.on_event(event(EventType::canary_lost));
  const auto seen = lines(pipe.drain());
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_TRUE(seen[0].starts_with("ts=2026-11-18T11:06:40.000Z level=info event=first_run msg=\"There is"))
      << seen[0];
  EXPECT_TRUE(seen[0].ends_with(" images=3")) << seen[0];
  EXPECT_TRUE(seen[1].starts_with("ts=2026-11-18T11:06:40.000Z level=error event=canary_lost msg="))
      << seen[1];
  EXPECT_EQ(logger.counts().lines, (std::array<std::uint64_t, 4>{0, 1, 0, 1}));
  EXPECT_EQ(logger.counts().dropped, 0U);
}

TEST(Logger, TellsTheJournalThePriority) {
  Pipe pipe;
  LogOptions options;
  options.level = Level::debug;
  options.fd = pipe.in();
  options.priority_prefix = true;
  Logger logger(options);
  for (const EventType type : {EventType::credentials_renewed, EventType::started, EventType::monitoring_gap,
                               EventType::canary_lost})
    logger.on_event(event(type));
  std::string prefixes;
  for (const std::string& line : lines(pipe.drain()))
    prefixes += line.substr(0, 3);
  EXPECT_EQ(prefixes, "<7><6><4><3>");
  options.format = LogFormat::json;
  Logger(options).on_event(event(EventType::started));
  EXPECT_EQ(pipe.drain().front(), '{');
}

TEST(Logger, AFullPipeCostsABoundedTimeOnceAndIsToldAfterwards) {
  Pipe pipe;
  LogOptions options;
  options.format = LogFormat::json;
  options.fd = pipe.in();
  Logger logger(options);
  pipe.fill();
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 200; ++i)
    logger.on_event(event(EventType::started));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(8))
      << "200 patient lines are 10 s";
  EXPECT_EQ(logger.counts().dropped, 200U);
  pipe.drain();
  logger.on_event(event(EventType::stopping));
  const auto seen = lines(pipe.drain());
  ASSERT_EQ(seen.size(), 2U);
  const auto note = nlohmann::json::parse(seen[0], nullptr, false);
  EXPECT_EQ(note["event"], "log_lines_dropped");
  EXPECT_EQ(note["lines"], 200);
  EXPECT_EQ(nlohmann::json::parse(seen[1], nullptr, false)["event"], "stopping");
  logger.on_event(event(EventType::stopped));
  EXPECT_EQ(lines(pipe.drain()).size(), 1U);
}

TEST(Logger, ALineTornByAFullPipeDoesNotSwallowTheNext) {
  Pipe pipe;
  LogOptions options;
  options.format = LogFormat::json;
  options.fd = pipe.in();
  options.patience = Millis{1};
  Logger logger(options);
  const std::string big(4000, 'x');
  std::vector<Field> bulk;  // one line larger than the pipe
  for (int i = 0; i < 20; ++i)
    bulk.push_back({"k" + std::to_string(i), big});
  logger.on_event(event(EventType::started, bulk));
  EXPECT_EQ(logger.counts().dropped, 1U);
  const std::string part = pipe.drain();
  EXPECT_FALSE(part.empty());
  logger.on_event(event(EventType::stopped));
  const auto seen = lines(part + pipe.drain());
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(nlohmann::json::parse(seen[1], nullptr, false)["event"], "log_lines_dropped");
  EXPECT_EQ(nlohmann::json::parse(seen[2], nullptr, false)["event"], "stopped");
}

TEST(Logger, AFullDiskIsCountedAndForgotten) {
  LogOptions options;
  options.fd = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(options.fd, 0);
  Logger logger(options);
  logger.on_event(event(EventType::canary_lost));
  EXPECT_EQ(logger.counts().dropped, 1U);
  EXPECT_EQ(logger.counts().lines, (std::array<std::uint64_t, 4>{}));
  ::close(options.fd);
}

TEST(Logger, AJournalThatIsStuckOrGoneEndsNothing) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  LogOptions options;
  options.fd = ends[0];
  options.patience = Millis{1};
  Logger logger(options);
  logger.on_event(event(EventType::stopped));
  std::array<char, 256> read{};
  const ssize_t got = ::read(ends[1], read.data(), read.size());
  EXPECT_EQ(
      std::string(read.data(), got > 0 ? static_cast<std::size_t>(got) : 0),
      "ts=2026-11-18T11:06:40.000Z level=info event=stopped msg=\"share-drift-exporter has stopped\"\n");
  for (int i = 0; i < 10'000 && logger.counts().dropped == 0; ++i)
    logger.on_event(event(EventType::started, {{"k", std::string(4000, 'x')}}));
  EXPECT_EQ(logger.counts().dropped, 1U) << "nobody reads";
  ::close(ends[1]);
  logger.on_event(event(EventType::stopped));
  EXPECT_EQ(logger.counts().dropped, 2U) << "and no signal ends the process";
  ::close(ends[0]);
}

TEST(Logger, LinesOfManyThreadsStayWhole) {
  Pipe pipe;
  LogOptions options;
  options.format = LogFormat::json;
  options.fd = pipe.in();
  options.patience = Millis{10'000};
  Logger logger(options);
  std::string all;
  {
    std::vector<std::jthread> writers;
    writers.reserve(4);
    for (int t = 0; t < 4; ++t) {
      writers.emplace_back([&logger] {
        for (int i = 0; i < 100; ++i)
          logger.on_event(event(EventType::stopped, {{"text", std::string(10, 'y')}}));
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
