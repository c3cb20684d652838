#include "log/log_record.hpp"

#include "core/text.hpp"
#include "support/hostile_texts.hpp"

#include <limits>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace sharedrift {
namespace {

constexpr WallTime kNoon{Millis{1'795'000'000'123}};

std::string record(LogFormat format, const std::vector<Field>& fields) {
  std::string out;
  append_record(out, format, {EventType::stopped, kNoon, "", fields});
  return out;
}

TEST(LogRecord, RendersEveryKindOfFieldInOrder) {
  const std::vector<Field> fields{{"text", std::string("a b")},
                                  {"word", std::string("m-1")},
                                  {"count", std::int64_t{-3}},
                                  {"ratio", 0.5},
                                  {"yes", true},
                                  {"since", kNoon},
                                  {"empty", std::string()},
                                  {"odd", std::numeric_limits<double>::infinity()}};
  EXPECT_EQ(record(LogFormat::logfmt, fields),
            "ts=2026-11-18T11:06:40.123Z level=info event=stopped msg=\"share-drift-exporter has stopped\" "
            "text=\"a b\" word=m-1 count=-3 ratio=0.5 "
            "yes=true since=2026-11-18T11:06:40.123Z empty=\"\" odd=null");
  EXPECT_EQ(
      record(LogFormat::json, fields),
      R"({"ts":"2026-11-18T11:06:40.123Z","level":"info","event":"stopped","msg":"share-drift-exporter has stopped","text":"a b","word":"m-1",)"
      R"("count":-3,"ratio":0.5,"yes":true,"since":"2026-11-18T11:06:40.123Z","empty":"","odd":null})");
}

TEST(LogRecord, HostileTextStaysOneRecordOnOneLine) {
  for (const std::string& text : testing::hostile_texts()) {
    const std::string json = record(LogFormat::json, {{"a", text}, {"b", std::string("end")}});
    const auto parsed = nlohmann::json::parse(json, nullptr, false);
    ASSERT_FALSE(parsed.is_discarded()) << json;
    EXPECT_EQ(parsed.size(), 6U);
    EXPECT_EQ(parsed["b"], "end");
    if (is_valid_utf8(text)) {
      EXPECT_EQ(parsed["a"], text);
    }
    const std::string logfmt = record(LogFormat::logfmt, {{"a", text}, {"b", std::string("end")}});
    for (const std::string& line : {json, logfmt}) {
      EXPECT_EQ(line.find_first_of(std::string("\n\r\t\x1b\0", 5)), std::string::npos);
      EXPECT_EQ(line.find(testing::right_to_left()), std::string::npos);
      EXPECT_TRUE(is_valid_utf8(line));
    }
    EXPECT_TRUE(logfmt.ends_with(" b=end"));
  }
}

TEST(LogRecord, QuotesWhateverCouldForgeAField) {
  for (const char* text : {"a=b", "a b", "\"", "\\", "", "level=error\nts=1", "\xc3\xa9"}) {
    const std::string line = record(LogFormat::logfmt, {{"k", std::string(text)}});
    const std::string value = line.substr(line.find(" k=") + 3);
    EXPECT_EQ(nlohmann::json::parse(value, nullptr, false), text) << line;
  }
}

TEST(LogRecord, CutsWhatIsTooLong) {
  const std::string line = record(LogFormat::json, {{"k", std::string(100'000, 'x')}});
  EXPECT_LT(line.size(), kMaxLoggedBytes + 250);
  EXPECT_FALSE(nlohmann::json::parse(line, nullptr, false).is_discarded());
}

}  // namespace
}  // namespace sharedrift
