// What is too much for a configuration, and what is not.
#include "config/config_loader.hpp"
#include "config/yaml_tree.hpp"
#include "config_equality.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string refused(const std::string& text) {
  const ConfigResult config = parse_config(text, "config.yml");
  return config ? "accepted" : told(config);
}

TEST(ConfigLoader, FloodsNobody) {
  std::string text = "images:\n";
  for (int i = 0; i < 3000; ++i)
    text += "  - id: m-" + std::to_string(i) + "\n";
  const ConfigResult config = parse_config(text, "config.yml");
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().size(), 1001U);
  EXPECT_EQ(to_string(config.error().back()), "config.yml: 2000 more are not shown");
}

TEST(ConfigLoader, RefusesBombsBeforeTheyGoOff) {
  EXPECT_THAT(refused(std::string(600'000, '[')), HasSubstr("too many brackets"));
  std::string lines;
  for (int i = 0; i < 200'000; ++i)
    lines += "[\n";
  EXPECT_THAT(refused(lines), HasSubstr("too many brackets"));
  YamlTree tree;
  DiagnosticList problems("c.yml");
  EXPECT_FALSE(parse_yaml("[1,\n1,\n1,\n1]", tree, problems, 4));
  EXPECT_EQ(to_lines(problems.take("")), "c.yml:4:1: [3]: the file holds too many values\n");
  EXPECT_THAT(refused(std::string((32U << 20U) + 1, '\n')), HasSubstr("larger than 32 MiB"));
}

TEST(ConfigLoader, RefusesGroupsThatWouldFillTheMemory) {
  std::string text = "groups:\n  everybody:\n";
  for (int i = 0; i < 20'000; ++i)
    text += "    - \"" + std::to_string(1'000'000'000'000'000 + i) + "\"\n";
  text += "images:\n";
  for (int i = 0; i < 300; ++i)
    text += "  - {id: m-" + std::to_string(i) + ", allowed: [group:everybody]}\n";
  EXPECT_THAT(refused(text), AllOf(HasSubstr("more than 5000000 accounts"), HasSubstr("images[250]"),
                                   Not(HasSubstr("images[251]"))));
}

TEST(ConfigLoader, LoadsAFleetOfFiftyThousand) {
  std::string text = "groups:\n  partners: [\"2222222222222222\", \"3333333333333333\"]\nimages:\n";
  for (int i = 0; i < 50'000; ++i) {
    const std::string n = std::to_string(i);
    text += "  - id: m-5s7qotzavwbrnzaqh4unm" + n + "\n    name: image-" + n +
            "\n    required: [\"2222222222222222\"]\n    allowed: [\"1715107400000001\", group:partners]\n";
  }
  const ConfigResult config = parse_config(text, "config.yml");
  ASSERT_TRUE(config) << told(config);
  ASSERT_EQ(config->images.size(), 50'000U);
  EXPECT_EQ(config->images.back()->allowed.size(), 3U);
}

}  // namespace
}  // namespace sharedrift
