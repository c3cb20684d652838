#include "core/event.hpp"
#include "log/logging.hpp"
#include "support/hostile_texts.hpp"
#include "support/pipe.hpp"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace sharedrift {
namespace {

TEST(Logger, EveryEventIsOneLineWithItsOwnTimeLevelAndSentence) {
  testing::Pipe pipe;
  LogOptions options;
  options.level = Level::debug;
  options.format = LogFormat::json;
  options.fd = pipe.in();
  Logger log(options);
  for (const EventSpec& row : event_table()) {
    Event event{row.type, WallTime{Millis{1'794'000'000'000}}, "m-1", {{"kind", std::string("unexpected")}}};
    for (std::size_t i = 0; i < testing::hostile_texts().size(); ++i)
      event.add("hostile_" + std::to_string(i), testing::hostile_texts().at(i));
    log.on_event(event);
    const std::string line = pipe.drain();
    ASSERT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << line;
    const auto parsed = nlohmann::json::parse(line, nullptr, false);
    ASSERT_FALSE(parsed.is_discarded()) << line;
    EXPECT_EQ(parsed["event"], std::string(to_string(row.type)));
    EXPECT_EQ(parsed["level"], to_string(row.level));
    EXPECT_EQ(parsed["ts"], format_rfc3339(event.at));
    EXPECT_EQ(parsed["msg"], message_of(event));
    EXPECT_EQ(parsed["image_id"], "m-1");
    EXPECT_EQ(parsed["kind"], "unexpected");
    EXPECT_EQ(parsed.size(), 6U + testing::hostile_texts().size());
  }
}

TEST(Logger, AnEventOfNoImageSaysSoByHavingNoImageId) {
  testing::Pipe pipe;
  LogOptions options;
  options.format = LogFormat::json;
  options.fd = pipe.in();
  Logger(options).on_event({EventType::started, WallTime{}, "", {}});
  EXPECT_EQ(nlohmann::json::parse(pipe.drain(), nullptr, false).count("image_id"), 0U);
}

}  // namespace
}  // namespace sharedrift
