// Ids, text, time: the words everything else is said in.
#include "core/event.hpp"
#include "core/failure.hpp"
#include "core/ids.hpp"
#include "core/policy.hpp"
#include "core/text.hpp"
#include "core/time.hpp"
#include "support/fakes.hpp"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using namespace std::chrono_literals;

TEST(AccountId, KeepsDigitsAsWritten) {
  for (const char* good : {"1", "0", "007", "1715107400000001", "99999999999999999999"}) {
    ASSERT_TRUE(AccountId::parse(good)) << good;
    EXPECT_EQ(AccountId::parse(good)->str(), good);
  }
  for (const char* bad : {"", "1 ", " 1", "1e5", "0x1", "-1", "+1", "1_0", "123456789012345678901",
                          "\xEF\xBC\x91" /* full-width 1 */, "all"}) {
    EXPECT_FALSE(AccountId::parse(bad)) << bad;
  }
  EXPECT_NE(AccountId::parse("7"), AccountId::parse("07"));
  EXPECT_LT(AccountId::parse("7"), AccountId::parse("70")) << "in the order of text";
  EXPECT_LT(AccountId::parse("10"), AccountId::parse("9"));
}

TEST(ImageId, TakesWhatIsSafeEverywhere) {
  for (const char* good : {"m-5s7qotzavwbrnzaqh4unm0000", "centos_6_08_64_20G_a1", "A.b"})
    EXPECT_TRUE(ImageId::parse(good));
  for (const char* bad : {"", "-m", ".m", "m/1", "m 1", "m\n", "m\"", "m%41", "m*"})
    EXPECT_FALSE(ImageId::parse(bad)) << bad;
  EXPECT_TRUE(ImageId::parse(std::string(128, 'a')));
  EXPECT_FALSE(ImageId::parse(std::string(129, 'a')));
}

TEST(StableHash, NeverChanges) {  // FNV-1a's published vectors: shards depend on them
  EXPECT_EQ(stable_hash(""), 0xcbf29ce484222325ULL);
  EXPECT_EQ(stable_hash("a"), 0xaf63dc4c8601ec8cULL);
  EXPECT_EQ(stable_hash("foobar"), 0x85944171f73967e8ULL);
}

TEST(EventType, IsReadByItsNamePresentOrFormer) {
  for (const EventSpec& row : event_table())
    EXPECT_EQ(parse_event_type(to_string(row.type)), row.type);
  EXPECT_EQ(parse_event_type("poll_failed"), EventType::listing_failed);
  for (const char* other : {"", "unknown", "drift", "of_a_later_release"})
    EXPECT_FALSE(parse_event_type(other)) << other;
}

TEST(Time, FormatsAndParsesRfc3339) {
  const auto time = parse_rfc3339("2026-11-24T09:20:44.123Z");
  ASSERT_TRUE(time);
  EXPECT_EQ(format_rfc3339(*time), "2026-11-24T09:20:44.123Z");
  EXPECT_EQ(parse_rfc3339("2026-11-24T17:20:44+08:00"), parse_rfc3339("2026-11-24T09:20:44Z"));
  EXPECT_EQ(parse_rfc3339("2024-02-29T00:00:00.5Z"), *parse_rfc3339("2024-02-29T00:00:00Z") + 500ms);
  EXPECT_EQ(parse_rfc3339("2024-02-29T00:00:00.0199Z"), *parse_rfc3339("2024-02-29T00:00:00Z") + 19ms);
  EXPECT_EQ(parse_rfc3339("2024-02-28T22:00:00-02:00"), parse_rfc3339("2024-02-29T00:00:00Z"));
  EXPECT_EQ(parse_rfc3339("2024-02-28T22:30:00-01:30"), parse_rfc3339("2024-02-29T00:00:00Z"));
  EXPECT_EQ(parse_rfc3339("2024-02-28T23:59:60Z"), parse_rfc3339("2024-02-29T00:00:00Z")) << "a leap second";
  EXPECT_EQ(format_rfc3339(*parse_rfc3339("0000-01-01T23:59:59.009Z")), "0000-01-01T23:59:59.009Z");
  EXPECT_TRUE(parse_rfc3339("2024-02-29T23:59:59.999-23:59"));
  for (const char* bad : {"",
                          "2026-11-24",
                          "2026-11-24T09:20:44",
                          "2026-11-24 09:20:44Z",
                          "2026-02-29T00:00:00Z",
                          "2026-13-01T00:00:00Z",
                          "2026-11-24T24:00:00Z",
                          "2026-11-24T09:20:44.Z",
                          "2026-11-24T09:20:44ZZ",
                          "2026-11-24T09:20:44+8:00",
                          "2026-11-24T09:20:44+24:00",
                          "2026-11-24T09:20:44+08:60",
                          "2026-11-24T09:20:44+0800",
                          "2026-11-24T09:60:44Z",
                          "2026-11-24T09:20:61Z",
                          "2026-11-24T09:20:4:Z",
                          "2026-11-24T09:20:/4Z",
                          "2026-11-2",
                          "2026-1-124T09:20:44Z",
                          "2026-11-24T09-20:44Z",
                          "2026-11-24T09:20-44Z",
                          "2026-11-24T09:20:44.1",
                          "2026-11-24T0920:44Z",
                          "2026-11-24T09:2044Z",
                          "202611-24T09:20:44Z",
                          "2026-1124T09:20:44Z",
                          "2026-11-2409:20:44Z"}) {
    EXPECT_FALSE(parse_rfc3339(bad)) << bad;
  }
}

TEST(Time, ADateLastsUntilItsEnd) {
  EXPECT_EQ(parse_end_of_day("2027-03-31"), parse_rfc3339("2027-04-01T00:00:00Z"));
  EXPECT_FALSE(parse_end_of_day("2027-02-30"));
  EXPECT_FALSE(parse_end_of_day("2027-3-31"));
  EXPECT_FALSE(parse_end_of_day("2027-03-31T00:00:00Z")) << "a day has no time";
}

TEST(Time, ReadsHttpDates) {
  EXPECT_EQ(parse_http_date("Tue, 24 Nov 2026 09:20:44 GMT"), parse_rfc3339("2026-11-24T09:20:44Z"));
  EXPECT_EQ(parse_http_date("Thu, 01 Jan 2026 00:00:00 GMT"), parse_rfc3339("2026-01-01T00:00:00Z"));
  EXPECT_EQ(parse_http_date("Sun, 06 Dec 2026 23:59:59 GMT"), parse_rfc3339("2026-12-06T23:59:59Z"));
  for (const char* bad : {"", "Tue, 24 Nov 2026 09:20:44", "24 Nov 2026 09:20:44 GMT",
                          "Tue, 24 Foo 2026 09:20:44 GMT", "Tue, 24 Nov 2026 09:20:44 GMT "}) {
    EXPECT_FALSE(parse_http_date(bad)) << bad;
  }
}

TEST(Time, ReadsDurationsAsPrometheusDoes) {
  EXPECT_EQ(parse_duration("30s"), 30s);
  EXPECT_EQ(parse_duration("1h30m"), 90min);
  EXPECT_EQ(parse_duration("7d"), 168h);
  EXPECT_EQ(parse_duration("1w2d"), 9 * 24h);
  EXPECT_EQ(parse_duration("500ms"), 500ms);
  EXPECT_EQ(parse_duration("0"), 0ms);
  EXPECT_EQ(parse_duration("100y"), 100 * 365 * 24h);
  EXPECT_EQ(parse_duration("1y2w3d4h5m6s7ms"), 365 * 24h + 17 * 24h + 4h + 5min + 6s + 7ms);
  for (const char* bad : {"", "5", "s", "1m1h", "1h1h", "-1s", "1.5s", "1 s", "1S", "999999999999y", "101y",
                          "100y1ms", "1µs", "1d1w"}) {
    EXPECT_FALSE(parse_duration(bad)) << bad;
  }
  for (const char* text :
       {"1h30m", "7d12h", "500ms", "1y", "50y", "400d", "7d", "1d", "1m", "1s", "9d1h1m1s1ms"})
    EXPECT_EQ(format_duration(*parse_duration(text)), text);
  EXPECT_EQ(format_duration(0ms), "0s");
  EXPECT_EQ(format_duration(1ms), "1ms");
}

TEST(Text, CleansWhatCouldForgeOrHide) {
  EXPECT_EQ(clean("plain \xC3\xA9 \xE4\xB8\xAD"), "plain \xC3\xA9 \xE4\xB8\xAD");
  for (const char* bad :
       {"\n", "\r", "\x1B", "\x7F", "\xC2\x85", "\xE2\x80\xA8", "\xE2\x80\xAE", "\xE2\x81\xA6", "\u200B",
        "\u00AD", "\u3164", "\U000E0041", "\xFF", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80"}) {
    EXPECT_THAT(clean(bad), ::testing::StartsWith("\xEF\xBF\xBD")) << bad;
  }
  EXPECT_EQ(clean("abcdef", 4), "abcd\xE2\x80\xA6");
  EXPECT_EQ(clean("ab\xE4\xB8\xAD", 4), "ab\xE2\x80\xA6") << "cut at a character";
}

TEST(Text, KnowsUtf8ToItsEdges) {
  for (const char* good :
       {"\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xE0\xA4\x85", "\xEC\xBF\xBF", "\xED\x9F\xBF",
        "\xEE\x80\x80", "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF1\x80\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(is_valid_utf8(good)) << good;
    EXPECT_EQ(valid_utf8(good), good);
  }
  for (const char* bad : {"\x80", "\xBF", "\xC1\xBF", "\xC2", "\xC2 ", "\xC2\xC2", "\xE0\x9F\xBF", "\xE1\x80",
                          "\xE1\x80 ", "\xED\xA0\x80", "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF", "\xF1\x80\x80",
                          "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF"}) {
    EXPECT_FALSE(is_valid_utf8(bad)) << bad;
    EXPECT_TRUE(valid_utf8(bad).starts_with("\xEF\xBF\xBD")) << bad;
  }
  EXPECT_EQ(valid_utf8("a\xFFz"), "a\xEF\xBF\xBDz");
}

TEST(Text, CleansExactlyWhatIsUnsafe) {
  const auto is_kept = [](std::string_view text) { return clean(text) == text; };
  for (const char* safe :
       {" ", "~", "\u00a0", "\u061b", "\u061d", "\u200d", "\u2010", "\u2027", "\u202f", "\ufefe", "\uff00"})
    EXPECT_TRUE(is_kept(safe)) << safe;
  for (const char* unsafe :
       {"\x01", "\x1F", "\x7F", "\u0080", "\u009f", "\u061c", "\u200e", "\u200f", "\u2028", "\u2029",
        "\u202a", "\u202e", "\u2066", "\u2069", "\ufeff", "\u2065", "\u206a", "\u200b"})
    EXPECT_FALSE(is_kept(unsafe)) << unsafe;
  EXPECT_EQ(clean("abcd", 4), "abcd") << "it fits";
  EXPECT_EQ(clean("ab\u00e4", 4), "ab\u00e4");
}

TEST(Text, TrimsBlanksAtBothEnds) {
  EXPECT_EQ(trim(" \t\r\n\v\fa b \t\r\n"), "a b");
  EXPECT_EQ(trim("\ba\x0E"), "\ba\x0E");
  EXPECT_EQ(trim(" \t"), "");
}

TEST(Text, ComparesWithoutCase) {
  EXPECT_TRUE(equal_but_for_case("Retry-After", "rETRY-aFTER"));
  EXPECT_FALSE(equal_but_for_case("Retry-After", "Retry-Afte"));
  EXPECT_FALSE(equal_but_for_case("Retry", "Retrx"));
  EXPECT_EQ(to_lower("AZaz09@["), "azaz09@[");
}

TEST(Text, EscapesJsonOnOneLine) {
  std::string out;
  append_json_string(out, "a\"b\\c\nd\x1B\xE2\x80\xA8\xFFz");
  EXPECT_EQ(out, "\"a\\\"b\\\\c\\nd\\u001b\\u2028\xEF\xBF\xBDz\"");
  out.clear();
  append_json_string(out, "\t\u009f\u202e");
  EXPECT_EQ(out, "\"\\t\\u009f\\u202e\"");
}

TEST(Text, EscapesLabels) {
  std::string out;
  append_label_value(out, "a\"b\\c\nd\xFF");
  EXPECT_EQ(out, "a\\\"b\\\\c\\nd\xEF\xBF\xBD");
}

TEST(Text, TellsPrintableFromTheRest) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string text = std::string("key ") + static_cast<char>(byte);
    EXPECT_EQ(is_printable_ascii(text), byte >= ' ' && byte < 0x7F) << byte;
    EXPECT_EQ(is_printable_or_tab(text), (byte >= ' ' && byte < 0x7F) || byte == '\t') << byte;
  }
  EXPECT_TRUE(is_printable_ascii(""));
}

TEST(Text, AnyBytesStayOneLineAndValid) {
  testing::SeededRandom random(3);
  for (int i = 0; i < 5000; ++i) {
    std::string bytes(random.next() % 40, '\0');
    for (char& c : bytes)
      c = static_cast<char>(random.next());
    std::string json;
    append_json_string(json, bytes);
    ASSERT_TRUE(is_valid_utf8(json));
    ASSERT_EQ(json.find('\n'), std::string::npos);
    const std::string shown = clean(bytes, 20);
    ASSERT_TRUE(is_valid_utf8(shown));
    ASSERT_LE(shown.size(), 23U);
  }
}

TEST(Text, MeasuresTypos) {
  EXPECT_EQ(edit_distance("allowed", "alowed"), 1U);
  EXPECT_EQ(edit_distance("allowed", "allowde"), 1U) << "a transposition is one slip";
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
  EXPECT_EQ(edit_distance("abc", "abc"), 0U);
  EXPECT_EQ(edit_distance("abc", "axc"), 1U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("ab", "ba"), 1U);
  EXPECT_EQ(edit_distance("xxab", "yyba"), 3U) << "what comes before a transposition counts";
}

TEST(Failure, NamesAreAClosedAndUniqueList) {
  std::set<std::string_view> names;
  for (const Reason reason : kAllReasons)
    names.insert(to_string(reason));
  EXPECT_EQ(names.size(), kAllReasons.size());
  for (const ImageState state : kAllImageStates)
    EXPECT_EQ(parse_image_state(to_string(state)), state);
  EXPECT_FALSE(parse_image_state("fine"));
}

TEST(Policy, GrantsByRoleAndTime) {
  const auto id = [](const char* text) { return *AccountId::parse(text); };
  ImagePolicy policy{*ImageId::parse("m-1")};
  policy.required = {id("1")};
  policy.allowed = {id("2")};
  policy.exceptions = {{id("3"), WallTime{Millis{1000}}, "o", "t", "r"}};
  EXPECT_EQ(grant_of(policy, id("1"), WallTime{}), Grant::required);
  EXPECT_EQ(grant_of(policy, id("2"), WallTime{}), Grant::allowed);
  EXPECT_EQ(grant_of(policy, id("3"), WallTime{Millis{999}}), Grant::exception);
  EXPECT_EQ(grant_of(policy, id("3"), WallTime{Millis{1000}}), Grant::none);
  EXPECT_EQ(grant_of(policy, id("4"), WallTime{}), Grant::none);
  EXPECT_EQ(allowed_count(policy, WallTime{}), 3U);
  EXPECT_EQ(allowed_count(policy, WallTime{Millis{1000}}), 2U);
  policy.allowed = {id("1"), id("2"), id("3")};
  EXPECT_EQ(allowed_count(policy, WallTime{}), 3U) << "an account is let in once";
  policy.allowed = {id("2")};
  EXPECT_THAT(unused_entries(policy, {id("2")}, WallTime{}), ::testing::ElementsAre(id("1"), id("3")));
  EXPECT_EQ(next_expiry(policy, WallTime{}), WallTime{Millis{1000}});
  EXPECT_FALSE(next_expiry(policy, WallTime{Millis{1000}}));
}

TEST(Text, FindsTheFirstByteThatIsNotToBeRead) {
  EXPECT_EQ(find_unsafe(""), std::nullopt);
  EXPECT_EQ(find_unsafe("a\tb \u6d4b"), std::nullopt);
  EXPECT_EQ(find_unsafe("\u6d4b\u202e"), 3U) << "it turns the direction of what follows";
  EXPECT_EQ(find_unsafe("ab\x1b[m"), 2U);
  EXPECT_EQ(find_unsafe("a\xff"), 1U);
  for (const char* first_or_last : {"\x01", "\x1f", "\x7f", "\u0080", "\u009f", "\u061c", "\u200e", "\u200f",
                                    "\u2028", "\u2029", "\u202a", "\u202e", "\u2066", "\u2069", "\ufeff"})
    EXPECT_EQ(find_unsafe(first_or_last), 0U) << clean(first_or_last);
  for (const char* beside : {" ", "~", "\u00a0", "\u061b", "\u061d", "\u200d", "\u2010", "\u2027", "\u202f",
                             "\u2065", "\u206a", "\ufefe", "\uff00"})
    EXPECT_EQ(find_unsafe(beside), std::nullopt) << beside;
}

TEST(Text, FindsWhatNobodySees) {
  const auto unseen = [](std::string_view text) {
    const auto found = find_unseen(text);
    return found ? found->name + " at " + std::to_string(found->at) : "";
  };
  EXPECT_EQ(unseen("m-1\u200b"), "U+200B at 3");
  EXPECT_EQ(unseen("b\u00e4\u00adx"), "U+00AD at 3");
  EXPECT_EQ(unseen("a\U000E0041"), "U+E0041 at 1");
  EXPECT_EQ(unseen("a\U0001D173"), "U+1D173 at 1");
  EXPECT_EQ(unseen("m-1\u00a0"), "U+00A0 at 3");
  EXPECT_EQ(unseen("\u3000m-1"), "U+3000 at 0");
  EXPECT_EQ(unseen("edge\u200d"), "U+200D at 4");
  EXPECT_EQ(unseen("1\ufe0f"), "U+FE0F at 1");
  for (const char* seen :
       {"", "m-1", "\u00fc", "acc\u00e8s \u00ab\u00a0pilote\u00a0\u00bb", "\u6d4b\u3000\u8bd5",
        "\U0001F468\u200d\U0001F469\u200d\U0001F467", "\u2764\ufe0f", "\u0645\u06cc\u200c\u062e"}) {
    EXPECT_EQ(unseen(seen), "") << seen;
  }
}

}  // namespace
}  // namespace sharedrift
