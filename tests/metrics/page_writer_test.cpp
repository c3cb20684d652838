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
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace sharedrift {
namespace {

std::string number(double value) {
  std::string out;
  append_number(out, value);
  return out;
}
std::string millis(std::int64_t value) {
  std::string out;
  append_millis(out, Millis{value});
  return out;
}

TEST(PageWriter, WritesMillisecondsAsExactSeconds) {
  EXPECT_EQ(millis(0), "0");
  EXPECT_EQ(millis(1), "0.001");
  EXPECT_EQ(millis(1'795'000'000'250), "1795000000.25");
  EXPECT_EQ(millis(1'795'000'000'000), "1795000000");
  EXPECT_EQ(millis(60'500), "60.5");
  EXPECT_EQ(millis(-1), "-0.001");
  EXPECT_EQ(millis(-61'020), "-61.02");
  // the same as a double that went through unix_seconds
  for (std::int64_t t = 1'700'000'000'000; t < 1'700'000'002'000; t += 7)
    ASSERT_EQ(millis(t), number(unix_seconds(WallTime{Millis{t}})));
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

/// As C writes them, with what a reader does not need taken away.
std::string slow_millis(std::int64_t value) {
  std::array<char, 40> text{};
  const std::int64_t all = value < 0 ? -value : value;
  std::snprintf(text.data(), text.size(), "%s%lld.%03lld", value < 0 ? "-" : "",
                static_cast<long long>(all / 1000), static_cast<long long>(all % 1000));
  std::string out = text.data();
  out.erase(out.find_last_not_of('0') + 1);
  if (out.back() == '.') out.pop_back();
  return out;
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
    const auto whole =
        static_cast<std::int64_t>(random.next() >> (random.next() % 64)) * (random.next() % 2 == 0 ? 1 : -1);
    std::string out;
    append_number(out, whole);
    ASSERT_EQ(out, std::to_string(whole));
    ASSERT_EQ(millis(whole / 2), slow_millis(whole / 2));
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

TEST(MetricTable, FollowsTheRulesOfTheEcosystem) {
  std::set<std::string> names;
  for (const MetricSpec& metric : metric_table()) {
    const std::string name{metric.name};
    SCOPED_TRACE(name);
    EXPECT_TRUE(name.starts_with("share_drift_") || name.starts_with("process_"));
    EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_"), std::string::npos);
    EXPECT_EQ(metric.kind == MetricKind::counter, name.ends_with("_total"));
    std::string family = name;
    if (metric.kind == MetricKind::counter) family.resize(family.size() - 6);
    EXPECT_TRUE(names.insert(family).second);  // unique in OpenMetrics too, where the suffix is not counted
    EXPECT_FALSE(metric.help.empty());
    EXPECT_EQ(metric.help.back(), '.');
    EXPECT_EQ(metric.help.find_first_of("\\\"\n\r"), std::string::npos);
    EXPECT_TRUE(metric.kind != MetricKind::counter || metric.labels.find("account") == std::string::npos);
  }
}

}  // namespace
}  // namespace sharedrift
