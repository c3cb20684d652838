#include "wire/field_json.hpp"

#include <gtest/gtest.h>

namespace sharedrift {
namespace {

TEST(FieldJson, FieldsComeBackAsTheyWereButForTimes) {
  const std::vector<Field> fields{{"text", std::string{"a \"b\"\n"}},
                                  {"count", std::int64_t{-7}},
                                  {"share", 0.5},
                                  {"first", true},
                                  {"at", *parse_rfc3339("2026-11-24T09:20:44.123Z")}};
  const auto back = fields_from_json(fields_to_json(fields));
  ASSERT_EQ(back.size(), fields.size());
  for (std::size_t i = 0; i < fields.size(); ++i) {
    EXPECT_EQ(back[i].key, fields[i].key);
    EXPECT_EQ(to_text(back[i].value), to_text(fields[i].value));
  }
  for (const char* odd : {"", "[1]", "{\"a\":", R"({"a":{},"b":[]})"})
    EXPECT_TRUE(fields_from_json(odd).empty()) << odd;
}

TEST(FieldJson, EscapesAllButAsciiWhereAsked) {
  const std::vector<Field> fields{{"name", std::string{"\xe4\xb8\xad\x7f\xff"}}};
  EXPECT_EQ(fields_to_json(fields), "{\"name\":\"\xe4\xb8\xad\x7f\xef\xbf\xbd\"}");
  EXPECT_EQ(fields_to_json(fields, true), R"({"name":"\u4e2d\u007f\ufffd"})");
}

}  // namespace
}  // namespace sharedrift
