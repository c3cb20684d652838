#include "config/diagnostic.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace sharedrift {
namespace {

TEST(Diagnostics, AreSummedUpInOneLine) {
  std::vector<Diagnostic> faults{{"c.yml", 2, 3, "images[0]", "no id", ""}};
  EXPECT_EQ(summary(faults), "c.yml:2:3: images[0]: no id");
  for (int line = 3; line <= 6; ++line)
    faults.push_back({"c.yml", line, 1, "", "bad\nline", "try again"});
  EXPECT_EQ(summary(faults),
            "c.yml:2:3: images[0]: no id; c.yml:3:1: bad\xEF\xBF\xBDline (try again); "
            "c.yml:4:1: bad\xEF\xBF\xBDline (try again); c.yml:5:1: bad\xEF\xBF\xBDline (try again); "
            "c.yml:6:1: bad\xEF\xBF\xBDline (try again)");
  for (int more = 0; more < 7; ++more)
    faults.push_back({"c.yml", 9, 1, "", std::string(5000, 'x'), ""});
  EXPECT_TRUE(summary(faults).ends_with("(try again); and 7 more")) << summary(faults);
  EXPECT_LT(summary(std::vector<Diagnostic>(1000, faults.back())).size(), 2'100U);
}

TEST(DiagnosticList, CountsCharactersInEveryLine) {
  DiagnosticList problems("c.yml");
  for (const int line : {1, 2, 3, 4})
    problems.add(line, 3, "", "behind the letter of two bytes");
  for (const Diagnostic& d : problems.take("\xC3\xBC: 1\n\xC3\xBC: 2\n\xC3\xBC: 3\na: 4\n"))
    EXPECT_EQ(d.column, d.line == 4 ? 3 : 2) << d.line;
}

TEST(DiagnosticList, WhatIsNotShownStandsNowhere) {
  DiagnosticList problems("c.yml");
  for (int line = 1; line <= 1'000; ++line)
    problems.add(line, 1, "", "wrong");
  EXPECT_EQ(problems.take("").back().line, 1'000) << "all of them are shown";
  for (int line = 1; line <= 1'001; ++line)
    problems.add(line, 1, "", "wrong");
  const Diagnostic last = problems.take("").back();
  EXPECT_EQ(last.message, "1 more are not shown");
  EXPECT_EQ(last.line, 0);
  EXPECT_EQ(last.column, 0);
}

TEST(Diagnostic, HidesWhatLooksLikeASecretAndNoName) {
  EXPECT_EQ(without_secrets("key 3fKq9ZtWb1LmXy7RdPv0HsNc4GjUe2, and LTAI5tQ3fKq9ZtWb1LmXy7Rd"),
            "key ***, and ***");
  for (const char* name : {"/etc/ssl/PartnerNorthProduction2026.pem", "m-5s7qotzavwbrnzaqh4unm0000",
                           "EdgeNodeServiceImages2026North", "1715107400000001"})
    EXPECT_EQ(without_secrets(name), name);
}

}  // namespace
}  // namespace sharedrift
