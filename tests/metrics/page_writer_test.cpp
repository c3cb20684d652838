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
  auto family = family_of({"x_seconds", prometheus::MetricType::Histogram, "", "X."});
  auto& histogram = family.metric.emplace_back().histogram;
  for (const double bound : {0.005, 1.0, 2.5, 300.0, std::numeric_limits<double>::infinity()})
    histogram.bucket.push_back({7, bound});
  histogram.sample_count = 7;
  histogram.sample_sum = 4.25;
  std::string out;
  append_families(out, {family}, TextFormat::openmetrics);
  EXPECT_EQ(out, R"(# HELP x_seconds X.
# TYPE x_seconds histogram
x_seconds_bucket{le="0.005"} 7
x_seconds_bucket{le="1.0"} 7
x_seconds_bucket{le="2.5"} 7
x_seconds_bucket{le="300.0"} 7
x_seconds_bucket{le="+Inf"} 7
x_seconds_sum 4.25
x_seconds_count 7
)");
}

TEST(PageWriter, SortsFamiliesAndSamplesAndLeavesOutWhatIsEmpty) {
  auto later = family_of({"b_total", prometheus::MetricType::Counter, "kind", "B."});
  add_sample(later, 2).label = {{"kind", "z"}};
  add_sample(later, 1).label = {{"kind", "a \"quoted\" \n"}};
  auto first = family_of({"a", prometheus::MetricType::Gauge, "", "A."});
  add_sample(first, 0.5);
  const auto empty = family_of({"c", prometheus::MetricType::Gauge, "", "C."});
  std::string out;
  append_families(out, {empty, later, first}, TextFormat::openmetrics);
  EXPECT_EQ(out, R"(# HELP a A.
# TYPE a gauge
a 0.5
# HELP b B.
# TYPE b counter
b_total{kind="a \"quoted\" \n"} 1
b_total{kind="z"} 2
)");
}

}  // namespace
}  // namespace sharedrift
