#include "metrics/page_writer.hpp"

#include "core/text.hpp"
#include "support/fakes.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>

#include <gtest/gtest.h>

namespace sharedrift {
namespace {

std::string number(double value) {
  std::string out;
  append_number(out, value);
  return out;
}

TEST(PageWriter, WritesTimesToTheMillisecondAndNoFurther) {
  EXPECT_EQ(number(unix_seconds(WallTime{Millis{1'795'000'000'250}})), "1795000000.25");
  EXPECT_EQ(number(unix_seconds(WallTime{Millis{1'795'000'000'000}})), "1795000000");
  for (std::int64_t t = 1'700'000'000'001; t < 1'700'000'002'000; t += 7) {
    std::string expected = std::to_string(t);
    expected.insert(expected.size() - 3, ".");
    while (expected.back() == '0')
      expected.pop_back();
    ASSERT_EQ(number(unix_seconds(WallTime{Millis{t}})), expected);
  }
}

TEST(PageWriter, WritesDoublesPlainlyAndExactly) {
  EXPECT_EQ(number(0), "0");
  EXPECT_EQ(number(100'000), "100000");  // the shortest form would be 1e+05
  EXPECT_EQ(number(0.25), "0.25");
  EXPECT_EQ(number(-1.5), "-1.5");
  EXPECT_EQ(number(0.000'001), "0.000001");
  EXPECT_EQ(number(1e-7), "1e-07");
  EXPECT_EQ(number(9'007'199'254'740'993.0), "9007199254740992");
  EXPECT_EQ(number(1e17), "1e+17");
  for (const double value : {0.1, 1.0 / 3, 1e16, 12345.6789, 1e-6 / 3, std::numeric_limits<double>::max(),
                             std::numeric_limits<double>::denorm_min()}) {
    EXPECT_EQ(std::strtod(number(value).c_str(), nullptr), value);
    EXPECT_LE(number(value).size(), 40U);
  }
}

/// The first of all lengths that reads back.
std::size_t fewest_digits(double value) {
  for (int digits = 1; digits <= 17; ++digits) {
    std::array<char, 40> text{};
    std::snprintf(text.data(), text.size(), "%.*e", digits - 1, value);
    if (std::strtod(text.data(), nullptr) == value) return static_cast<std::size_t>(digits);
  }
  return 17;
}

TEST(PageWriter, AgreesWithItsSlowTwins) {
  testing::SeededRandom random(13);
  for (int i = 0; i < 20'000; ++i) {
    const auto whole = static_cast<std::int64_t>(random.next() >> (11 + random.next() % 53));
    ASSERT_EQ(number(static_cast<double>(whole)), std::to_string(whole));
    const auto any = std::bit_cast<double>(random.next());
    if (!std::isfinite(any)) continue;
    const std::string written = number(any);
    ASSERT_EQ(std::strtod(written.c_str(), nullptr), any) << written;
    if (std::abs(any) < 1e-6 || std::abs(any) >= 1e17) {  // with an exponent, so that all digits are its own
      const std::string digits = written.substr(0, written.find('e'));
      ASSERT_EQ(static_cast<std::size_t>(std::count_if(digits.begin(), digits.end(), is_digit)),
                fewest_digits(any))
          << written;
    }
  }
}

TEST(PageWriter, WritesBoundsOfBucketsCanonically) {
  const auto bound = [](double value) {
    std::string out;
    append_canonical(out, value);
    return out;
  };
  EXPECT_EQ(bound(1), "1.0");
  EXPECT_EQ(bound(300), "300.0");
  EXPECT_EQ(bound(0.005), "0.005");
  EXPECT_EQ(bound(2.5), "2.5");
}

}  // namespace
}  // namespace sharedrift
