#include "wire/json_reader.hpp"

#include "core/text.hpp"
#include "support/fakes.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace sharedrift {
namespace {

using testing::SeededRandom;
using Kind = JsonValue::Kind;

struct TwinMember;
struct TwinValue {
  Kind kind = Kind::null;
  bool flag = false;
  std::string text;
  std::vector<TwinValue> items;
  std::vector<TwinMember> members;
};
struct TwinMember {
  std::string name;
  TwinValue value;
};

/// The slow, obvious twin: a library reads, and its value is copied. It knows neither duplicates nor caps.
class Twin final : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return put({}); }
  bool boolean(bool value) override {
    TwinValue made{Kind::boolean};
    made.flag = value;
    return put(made);
  }
  bool number_integer(number_integer_t value) override { return text(Kind::number, std::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) override { return text(Kind::number, std::to_string(value)); }
  bool number_float(number_float_t /*value*/, const string_t& digits) override {
    return text(Kind::number, digits);
  }
  bool string(string_t& value) override { return text(Kind::string, value); }
  bool binary(binary_t& /*value*/) override { return false; }
  bool start_object(std::size_t /*size*/) override { return open(Kind::object); }
  bool start_array(std::size_t /*size*/) override { return open(Kind::array); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    auto& members = path_.back().members;
    duplicates = duplicates || std::any_of(members.begin(), members.end(),
                                           [&name](const TwinMember& member) { return member.name == name; });
    members.push_back({name, {}});
    return true;
  }
  bool parse_error(std::size_t /*at*/, const std::string& /*token*/,
                   const nlohmann::detail::exception& /*what*/) override {
    return false;
  }

  TwinValue root;
  bool duplicates = false;

 private:
  bool put(const TwinValue& value) {
    if (path_.empty()) {
      root = value;
    } else if (path_.back().kind == Kind::object) {
      path_.back().members.back().value = value;
    } else {
      path_.back().items.push_back(value);
    }
    return true;
  }
  bool text(Kind kind, const std::string& text) {
    TwinValue made{kind};
    made.text = text;
    return put(made);
  }
  bool open(Kind kind) {
    path_.push_back(TwinValue{kind});
    return true;
  }
  bool close() {
    const TwinValue done = path_.back();
    path_.pop_back();
    return put(done);
  }
  std::vector<TwinValue> path_;
};

bool same(const JsonValue& value, const TwinValue& twin) {
  if (value.kind != twin.kind || value.flag != twin.flag) return false;
  if (value.text != twin.text && !(value.text == "-0" && twin.text == "0")) return false;
  if (value.inside().size() != twin.items.size() + twin.members.size()) return false;
  std::size_t i = 0;
  for (const JsonValue& inner : value.inside()) {
    const bool member = value.is(Kind::object);
    if (inner.name != (member ? twin.members[i].name : "")) return false;
    if (member && value.find(inner.name) != &inner) return false;
    if (!same(inner, member ? twin.members[i].value : twin.items[i])) return false;
    ++i;
  }
  return i == value.inside().size();
}

void expect_agreement(const std::string& text) {
  Twin twin;
  const bool readable = nlohmann::json::sax_parse(text, &twin) && !twin.duplicates;
  auto parsed = parse_json(text);
  ASSERT_EQ(static_cast<bool>(parsed), readable) << text << (parsed ? "" : "\n" + parsed.error().what);
  if (!readable) return;
  const JsonDocument moved = std::move(*parsed);  // values stay where they are
  ASSERT_TRUE(same(moved.root(), twin.root)) << text;
}

template <class List>
const auto& any_of(const List& list, SeededRandom& random) {
  return list[random.next() % list.size()];
}

std::string random_string(SeededRandom& random) {
  static const std::vector<std::string> kBits{
      "a",     "Accounts",  " ",         "\xC3\xA9",        "\xE2\x82\xAC", "\xF0\x9F\x98\x80",
      R"(\n)", R"(\u00e9)", R"(\u20AC)", R"(\ud83d\ude00)", R"(\")",        R"(\\)",
      R"(\/)", R"(\u0000)", "~"};
  std::string out = "\"";
  for (std::uint64_t i = random.next() % 5; i > 0; --i)
    out += any_of(kBits, random);
  return out + "\"";
}

std::string random_document(SeededRandom& random, int depth) {
  static const std::vector<std::string> kScalars{
      "null", "true",  "false", "0", "-0", "-17", "1715107400000001", "18446744073709551616",
      "1.5",  "-2e+7", "3E-2"};
  static const std::vector<std::string> kBlanks{"", "", "", " ", "\n\t", "\r"};
  const auto blank = [&random] { return any_of(kBlanks, random); };
  const std::uint64_t kind = random.next() % (depth > 0 ? 4 : 2);
  if (kind == 0) return any_of(kScalars, random);
  if (kind == 1) return random_string(random);
  std::string out(1, kind == 2 ? '[' : '{');
  for (std::uint64_t i = 0, count = random.next() % 4; i < count; ++i) {
    out += (i == 0 ? "" : ",") + blank();
    if (kind == 3) out += random_string(random) + blank() + ":" + blank();
    out += random_document(random, depth - 1) + blank();
  }
  return out + blank() + (kind == 2 ? ']' : '}');
}

TEST(JsonReader, AgreesWithItsSlowTwinOnWhatIsJson) {
  SeededRandom random(11);
  for (int round = 0; round < 4000; ++round)
    ASSERT_NO_FATAL_FAILURE(expect_agreement(random_document(random, 4)));
}

TEST(JsonReader, AgreesWithItsSlowTwinOnWhatNearlyIs) {
  static const std::string kBytes = "{}[]\",:\\ue0-+.1tfnl \n\x01\x1f\x7f\x80\xc3\xed\xf4\xff";
  SeededRandom random(12);
  int refused = 0;
  for (int round = 0; round < 12'000; ++round) {
    std::string text = random_document(random, 3);
    for (std::uint64_t i = 1 + random.next() % 2; i > 0 && !text.empty(); --i) {
      const std::size_t at = random.next() % text.size();
      switch (random.next() % 4) {
        case 0: text.erase(at, 1 + random.next() % 3); break;
        case 1: text.insert(at, 1, any_of(kBytes, random)); break;
        case 2: text[at] = any_of(kBytes, random); break;
        default: text.resize(at); break;
      }
    }
    ASSERT_NO_FATAL_FAILURE(expect_agreement(text));
    refused += parse_json(text) ? 0 : 1;
  }
  EXPECT_GT(refused, 2000) << "the damage does damage";
}

TEST(JsonReader, AgreesWithItsSlowTwinOnEdges) {
  for (const std::string text : {"",
                                 " ",
                                 "{",
                                 "[",
                                 "[1,]",
                                 "[,1]",
                                 "{,}",
                                 "{\"a\"}",
                                 "{\"a\":}",
                                 "{\"a\":1,}",
                                 "[1 2]",
                                 "{}{}",
                                 "01",
                                 "-",
                                 "1.",
                                 ".5",
                                 "1e",
                                 "1e+",
                                 "+1",
                                 "nul",
                                 "truee",
                                 "\"",
                                 "\"\\\"",
                                 "\"\\x\"",
                                 "\"\\u12\"",
                                 "\"\\ud800\"",
                                 "\"\\udc00\"",
                                 "\"\\ud800\\u0041\"",
                                 "\"\\ud800\\ud800\"",
                                 "\"\xED\xA0\x80\"",
                                 "\"\xC0\x80\"",
                                 "\"\xF4\x90\x80\x80\"",
                                 "\"\t\"",
                                 "\xEF\xBB\xBF{}",
                                 "\xEF\xBB{}",
                                 "[[[]]]",
                                 "//x\n1",
                                 "1e308",
                                 "1e309",
                                 "-1e999"})
    EXPECT_NO_FATAL_FAILURE(expect_agreement(text));
}

TEST(JsonReader, NothingMayFollowNotEvenAZero) {
  EXPECT_FALSE(parse_json(std::string("{}\0", 3)));
  EXPECT_FALSE(parse_json("{} x"));
  EXPECT_TRUE(parse_json("{} \n"));
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
  ASSERT_FALSE(parse_json(R"({"a":1,"b":{},"a":1})"));
  EXPECT_FALSE(parse_json(R"({"a":1,"b":{},"a":1})").error().capped) << "a lie, not a flood";
}

TEST(JsonReader, SaysWhereItStopped) {
  EXPECT_EQ(parse_json("{\"a\": x}").error().what, "not JSON at byte 7");
}

}  // namespace
}  // namespace sharedrift
