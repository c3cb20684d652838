#include "log/event_log.hpp"

#include "support/fakes.hpp"
#include "support/pipe.hpp"
#include "support/views.hpp"

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace sharedrift {
namespace {

using ::testing::ElementsAre;

class RowStore final : public StateStore {
 public:
  SavedState load() override { return {}; }
  void save(ImageRecord /*record*/, std::vector<Event> /*events*/) override {}
  void forget(const ImageId& /*image*/) override {}
  void add_event(const Event& event) override { rows.push_back(event.type); }
  void set_fleet(const FleetRecord& /*fleet*/) override {}
  std::vector<EventType> rows;
};

class EventLogTest : public ::testing::Test {
 protected:
  EventLogTest() {
    LogOptions options;
    options.format = LogFormat::json;
    options.fd = pipe.in();
    logger = std::make_unique<Logger>(clock, options);
  }
  std::string written() { return pipe.drain(); }
  testing::ManualClock clock;
  testing::Pipe pipe;
  std::unique_ptr<Logger> logger;
};

TEST_F(EventLogTest, EveryEventIsOneLineWithItsOwnTimeAndLevel) {
  EventLog log(*logger, nullptr);
  for (const auto& [type, name, level] : event_table()) {
    Event event{type, WallTime{Millis{1'794'000'000'000}}, "m-1", {{"kind", std::string("unexpected")}}};
    for (std::size_t i = 0; i < testing::hostile_texts().size(); ++i)
      event.fields.push_back({"hostile_" + std::to_string(i), testing::hostile_texts().at(i)});
    log.on_event(event);
    const std::string line = written();
    ASSERT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << line;
    const auto parsed = nlohmann::json::parse(line, nullptr, false);
    ASSERT_FALSE(parsed.is_discarded()) << line;
    EXPECT_EQ(parsed["event"], name);
    EXPECT_EQ(parsed["level"], to_string(level));
    EXPECT_EQ(parsed["ts"], format_rfc3339(event.at));
    EXPECT_EQ(parsed["image_id"], "m-1");
    EXPECT_EQ(parsed["kind"], "unexpected");
    EXPECT_EQ(parsed.size(), 5U + testing::hostile_texts().size());
  }
}

TEST_F(EventLogTest, AnEventOfNoImageSaysSoByHavingNoImageId) {
  EventLog log(*logger, nullptr);
  log.on_event({EventType::started, clock.wall(), "", {}});
  EXPECT_EQ(nlohmann::json::parse(written(), nullptr, false).count("image_id"), 0U);
}

TEST_F(EventLogTest, OnlyRecordedEventsBecomeRows) {
  RowStore store;
  EventLog log(*logger, &store);
  log.on_event({EventType::drift_opened, clock.wall(), "m-1", {}});
  log.record({EventType::config_reloaded, clock.wall(), "", {}});
  EXPECT_THAT(store.rows, ElementsAre(EventType::config_reloaded));
  const std::string lines = written();
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 2);
}

}  // namespace
}  // namespace sharedrift
