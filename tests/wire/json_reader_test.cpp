#include "wire/json_reader.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using Kind = JsonValue::Kind;

TEST(JsonReader, GivesATreeInOrder) {
  const auto read = parse_json(
      "\xEF\xBB\xBF {\"b\": [null, true, \"\\u00e9\\ud83d\\ude00\\n\"], \"a\": {}, \"\": \"x\\u0000y\"} \n");
  ASSERT_TRUE(read);
  const JsonValue& root = read->root();
  ASSERT_TRUE(root.is(Kind::object));
  ASSERT_EQ(root.items.size(), 3U);
  EXPECT_EQ(root.items[0].name, "b");
  const std::vector<JsonValue>& list = root.find("b")->items;
  ASSERT_EQ(list.size(), 3U);
  EXPECT_TRUE(list[0].is(Kind::null));
  EXPECT_TRUE(list[1].is(Kind::boolean) && list[1].flag);
  EXPECT_EQ(list[2].text, "\xC3\xA9\xF0\x9F\x98\x80\n");
  EXPECT_TRUE(root.find("a")->is(Kind::object));
  EXPECT_EQ(root.string(""), std::string_view("x\0y", 3));
  EXPECT_EQ(root.string("a"), "") << "no string";
  EXPECT_EQ(root.find("c"), nullptr);
  EXPECT_EQ(list[1].find("b"), nullptr) << "no object";
}

TEST(JsonReader, NumbersKeepTheirDigits) {
  for (const std::string digits :
       {"0", "-17", "1715107400000001", "9007199254740993", "9223372036854775807", "-9223372036854775808",
        "18446744073709551615", "18446744073709551616", "99999999999999999999",
        "123456789012345678901234567890", "1.5", "-2e+7", "3E-2", "1e308"}) {
    const auto read = parse_json(digits);
    ASSERT_TRUE(read) << digits;
    EXPECT_TRUE(read->root().is(Kind::number));
    EXPECT_EQ(read->root().text, digits);
  }
  EXPECT_EQ(parse_json("9223372036854775807")->root().integer(), INT64_MAX);
  EXPECT_EQ(parse_json("\"-12\"")->root().integer(), -12);
  for (const char* none : {"9223372036854775808", "1.0", "1e3", "\"1 \"", "\"\"", "true", "[1]"})
    EXPECT_EQ(parse_json(none)->root().integer(), std::nullopt) << none;
}

TEST(JsonReader, RefusesWhatIsNotJson) {
  for (const std::string& text : {std::string{},
                                  std::string{" "},
                                  std::string{"{"},
                                  std::string{"[1,]"},
                                  std::string{"{,}"},
                                  std::string{"{\"a\"}"},
                                  std::string{"{\"a\":1,}"},
                                  std::string{"[1 2]"},
                                  std::string{"{}{}"},
                                  std::string{"{} x"},
                                  std::string{"01"},
                                  std::string{"1."},
                                  std::string{".5"},
                                  std::string{"+1"},
                                  std::string{"NaN"},
                                  std::string{"nul"},
                                  std::string{"\"\\x\""},
                                  std::string{"\"\t\""},
                                  std::string{"//x\n1"},
                                  std::string{"1e309"},
                                  std::string{"-1e999"},
                                  std::string(400, '9'),
                                  std::string{"{}\0", 3},
                                  std::string{"{}\0 x", 5},
                                  std::string{"\"a\0b\"", 5},
                                  std::string{"\xEF\xBB{}"}}) {
    const auto read = parse_json(text);
    ASSERT_FALSE(read) << text;
    EXPECT_FALSE(read.error().capped) << text;
  }
}

TEST(JsonReader, RefusesTextThatIsNotUtf8) {
  for (const char* text :
       {"\"\x80\"", "\"\xC3(\"", "\"\xED\xA0\x80\"", "\"\xC0\x80\"", "\"\xF4\x90\x80\x80\"", "\"\xE2\x82\"",
        "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "{\"\xFF\":1}"})
    EXPECT_FALSE(parse_json(text)) << text;
}

TEST(JsonReader, RefusesANameThatOccursTwice) {
  for (const char* text :
       {R"({"a":1,"b":{},"a":1})", R"({"a":null,"\u0061":null})", R"([{"x":{"a":1,"a":1}}])"}) {
    const auto read = parse_json(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().what, "a name occurs twice in an object");
    EXPECT_FALSE(read.error().capped) << "a lie, not a flood";
  }
  EXPECT_TRUE(parse_json(R"([{"a":1},{"a":1,"b":{"a":1}}])"));
}

TEST(JsonReader, CapsAreCaps) {
  const auto nested = [](int depth) {
    const auto levels = static_cast<std::size_t>(depth);
    return std::string(levels, '[') + std::string(levels, ']');
  };
  EXPECT_TRUE(parse_json(nested(32)));
  ASSERT_FALSE(parse_json(nested(33)));
  EXPECT_TRUE(parse_json(nested(1'000'000)).error().capped);
  const auto zeros = [](int count) {
    std::string text = "[0";
    for (int i = 1; i < count; ++i)
      text += ",0";
    return text + "]";
  };
  EXPECT_TRUE(parse_json(zeros(299'999)));
  ASSERT_FALSE(parse_json(zeros(300'000)));
  EXPECT_TRUE(parse_json(zeros(300'000)).error().capped);
  const auto wide = [](int count) {
    std::string text = "{\"n\":0";
    for (int i = 1; i < count; ++i)
      text += ",\"" + std::to_string(i) + "\":0";
    return text + "}";
  };
  EXPECT_TRUE(parse_json(wide(100)));
  ASSERT_FALSE(parse_json(wide(101)));
  EXPECT_TRUE(parse_json(wide(101)).error().capped);
}

TEST(JsonReader, SaysWhereItStoppedAndQuotesNothing) {
  EXPECT_EQ(parse_json("{\"a\": x}").error().what, "not JSON at byte 7");
  EXPECT_EQ(parse_json(R"({"secret":"hush)").error().what.find("hush"), std::string::npos);
}

TEST(JsonReader, OverwritesWhatItHolds) {
  auto read = parse_json(R"({"secret":["hush-hush-hush-hush"],"other":"hush"})");
  ASSERT_TRUE(read);
  JsonDocument document = std::move(*read);
  const std::string& text = document.root().find("secret")->items[0].text;
  const char* held = text.data();
  const std::string before(held, text.size());
  document.wipe();
  EXPECT_EQ(before, "hush-hush-hush-hush");
  EXPECT_EQ(std::string(held, before.size()), std::string(before.size(), '\0'));
  EXPECT_TRUE(document.root().items[1].text.empty());
}

}  // namespace
}  // namespace sharedrift
