#include "config/yaml_text_check.hpp"

#include "config/yaml_tree.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace sharedrift {
namespace {

/// What is told of the text that is refused; empty for one that fits.
std::string refused(const std::string& text) {
  DiagnosticList problems("c.yml");
  const bool fit = is_fit_for_yaml(text, problems);
  const auto told = problems.take("");
  EXPECT_EQ(fit, told.empty()) << "what is refused is told";
  return told.empty() ? "" : to_string(told.front());
}
bool fits(const std::string& text) {
  return refused(text).empty();
}
constexpr const char* kTooMany =
    "c.yml:2:1: too many brackets and commas (write lists and maps over several lines)";

std::string times(std::size_t count, const std::string& what) {
  std::string text;
  while (count-- > 0)
    text += what;
  return text;
}

TEST(YamlTextCheck, AFileMayHaveThirtyTwoMebibytes) {
  EXPECT_TRUE(fits("#" + std::string(kMaxYamlBytes - 1, 'x')));
  EXPECT_EQ(refused("#" + std::string(kMaxYamlBytes, 'x')), "c.yml: is larger than 32 MiB");
}

TEST(YamlTextCheck, ALineMayHaveHalfAMillionBracketsAndCommas) {
  EXPECT_TRUE(fits(times(250'000, "[]") + "\n" + times(250'000, "{}")));
  EXPECT_TRUE(fits(times(500'000, "1,")));
  EXPECT_FALSE(fits(times(500'001, "1,")));
  EXPECT_EQ(refused("a: 1\n" + times(500'001, ",")), kTooMany);
}

TEST(YamlTextCheck, AHundredThousandBracketsMayBeOpen) {
  EXPECT_TRUE(fits(times(100'000, "[\n")));
  EXPECT_FALSE(fits(times(100'001, "{\n")));
  EXPECT_TRUE(fits("[]\n" + times(100'000, "[\n") + times(10, "]\n{\n")));
  EXPECT_FALSE(fits(times(100'000, "[\n") + "]\n[[\n"));
}

TEST(YamlTextCheck, WhatClosesNothingIsNoBracketMore) {
  EXPECT_TRUE(fits("a: 1]\nb: 2}\n# [ and ] and }\n"));
  EXPECT_FALSE(fits("a: 1]\n" + times(100'001, "[\n"))) << "nor one less";
}

TEST(YamlTextCheck, TellsWhereAByteIsThatIsNotShown) {
  for (const char* end : {"\n", "\r\n", "z\n"}) {
    for (const std::string before : {"", "a", "\t", "\t\t", "a\tb", "a\t"}) {
      EXPECT_EQ(refused("a: 1\n" + before + "\x01" + end),
                "c.yml:2:" + std::to_string(before.size() + 1) +
                    ": holds a control character or one that turns the reading direction");
    }
  }
  EXPECT_EQ(refused("a: \xFF"), "c.yml:1:4: is not valid UTF-8");
  EXPECT_TRUE(fits("\ta: 1\t\r\n\t\nname: M\xC3\xBCller\n\r\n"));
}

TEST(YamlTree, AFileThatIsCutOffIsWrongInALineThatItHas) {
  for (const std::string& text :
       std::vector<std::string>{"images: [1,", "images: [1,\n", "images: [1,\n  2", "images: [1,\n  2\n"}) {
    YamlTree tree;
    DiagnosticList problems("c.yml");
    EXPECT_FALSE(parse_yaml(text, tree, problems));
    const int last = text.find('2') == std::string::npos ? 1 : 2;
    EXPECT_EQ(problems.take(text).at(0).line, last) << text;
  }
}

}  // namespace
}  // namespace sharedrift
