#include "config/yaml_text_check.hpp"

#include "config/yaml_tree.hpp"

#include <string>

#include <gtest/gtest.h>

namespace sharedrift {
namespace {

bool fits(const std::string& text) {
  DiagnosticList problems("c.yml");
  const bool fit = is_fit_for_yaml(text, problems);
  EXPECT_EQ(fit, problems.take("").empty()) << "what is refused is told";
  return fit;
}

std::string times(std::size_t count, const std::string& what) {
  std::string text;
  while (count-- > 0)
    text += what;
  return text;
}

TEST(YamlTextCheck, AFileMayHaveThirtyTwoMebibytes) {
  EXPECT_TRUE(fits("#" + std::string(kMaxYamlBytes - 1, 'x')));
  EXPECT_FALSE(fits("#" + std::string(kMaxYamlBytes, 'x')));
}

TEST(YamlTextCheck, ALineMayHaveHalfAMillionBracketsAndCommas) {
  EXPECT_TRUE(fits(times(250'000, "[]") + "\n" + times(250'000, "{}")));
  EXPECT_TRUE(fits(times(500'000, "1,")));
  EXPECT_FALSE(fits(times(500'001, "1,")));
  EXPECT_FALSE(fits("a: 1\n" + times(500'001, ",")));
}

TEST(YamlTextCheck, AHundredThousandBracketsMayBeOpen) {
  EXPECT_TRUE(fits(times(100'000, "[\n")));
  EXPECT_FALSE(fits(times(100'001, "{\n")));
  EXPECT_TRUE(fits(times(100'000, "[\n") + times(10, "]\n{\n")));
  EXPECT_FALSE(fits(times(100'000, "[\n") + "]\n[[\n"));
}

TEST(YamlTextCheck, WhatClosesNothingIsNoBracketMore) {
  EXPECT_TRUE(fits("a: 1]\nb: 2}\n# [ and ] and }\n"));
  EXPECT_FALSE(fits("a: 1]\n" + times(100'001, "[\n"))) << "nor one less";
}

TEST(YamlTextCheck, TellsWhereAByteIsThatIsNotShown) {
  for (const std::string before : {"", "a", "\t", "\t\t", "a\tb", "a\t"}) {
    DiagnosticList problems("c.yml");
    EXPECT_FALSE(is_fit_for_yaml("a: 1\n" + before + "\x01z\n", problems));
    EXPECT_EQ(to_string(problems.take("").front()),
              "c.yml:2:" + std::to_string(before.size() + 1) +
                  ": holds a control character or one that turns the reading direction");
  }
  EXPECT_TRUE(fits("\ta: 1\t\r\n\t\n"));
}

}  // namespace
}  // namespace sharedrift
