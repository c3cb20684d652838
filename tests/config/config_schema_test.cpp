#include "config/config_keys.hpp"
#include "config/config_loader.hpp"
#include "support/files.hpp"
#include "support/test_data.hpp"
#include "web/web_config.hpp"

#include <filesystem>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace sharedrift {

namespace {

const std::filesystem::path kShipped = testing::test_data("../../config");

std::string contents(const std::string& name) {
  return testing::read_file(kShipped / name);
}

using Keys = std::set<std::string>;

Keys properties(const nlohmann::json& object) {
  Keys keys;
  for (const auto& [key, value] : object.at("properties").items())
    keys.insert(key);
  return keys;
}

template <class T, std::size_t N>
Keys names(const std::array<Choice<T>, N>& choices) {
  Keys out;
  for (const Choice<T>& c : choices)
    out.emplace(c.name);
  return out;
}

/// What a file sets somewhere, in a line of its own, commented out or not.
bool mentions(const std::string& text, std::string_view key) {
  return text.find(std::string(key) + ":") != std::string::npos;
}

}  // namespace

TEST(ConfigSchema, KnowsTheKeysThatTheLoaderKnows) {
  const nlohmann::json schema = nlohmann::json::parse(contents("share-drift-exporter.schema.json"));
  for (const KeyTable& table : kKeyTables) {
    const nlohmann::json& object =
        table.section == "config" ? schema : schema.at("$defs").at(std::string(table.section));
    EXPECT_EQ(properties(object), Keys(table.keys.begin(), table.keys.end())) << table.section;
    EXPECT_EQ(object.at("additionalProperties"), false) << table.section;
  }
}

TEST(ConfigSchema, KnowsTheWordsThatTheLoaderKnows) {
  const nlohmann::json defs = nlohmann::json::parse(contents("share-drift-exporter.schema.json")).at("$defs");
  EXPECT_EQ(defs.at("credentials").at("properties").at("source").at("enum").get<Keys>(),
            names(kCredentialSources));
  EXPECT_EQ(defs.at("poll").at("properties").at("spread").at("enum").get<Keys>(), names(kSpreads));
}

/// What the schema says of the keys that are plain members, if it says it: defaults and limits.
template <class Section, std::size_t N>
void expect_rows(const nlohmann::json& properties, const std::array<Key<Section>, N>& keys) {
  const Section defaults;
  for (const Key<Section>& key : keys) {
    const nlohmann::json& told = properties.at(std::string(key.name));
    const auto compare = [&](auto member) {
      if constexpr (std::is_same_v<decltype(member), Millis Section::*>) {
        EXPECT_EQ(parse_duration(told.at("default").get<std::string>()), defaults.*member) << key.name;
        const std::string limits =
            format_duration(Millis{key.least}) + " to " + format_duration(Millis{key.most});
        EXPECT_THAT(told.at("description").get<std::string>(), ::testing::StartsWith(limits)) << key.name;
      } else if constexpr (std::is_same_v<decltype(member), int Section::*> ||
                           std::is_same_v<decltype(member), double Section::*>) {
        EXPECT_EQ(told.at("default"), defaults.*member) << key.name;
        EXPECT_EQ(told.at("minimum"), key.least) << key.name;
        EXPECT_EQ(told.at("maximum"), key.most) << key.name;
      } else if constexpr (std::is_same_v<decltype(member), bool Section::*>) {
        EXPECT_EQ(told.at("default"), defaults.*member) << key.name;
      }
    };
    std::visit(compare, key.member);
  }
}

TEST(ConfigSchema, HasTheDefaultsAndLimitsOfTheProgram) {
  const nlohmann::json defs = nlohmann::json::parse(contents("share-drift-exporter.schema.json")).at("$defs");
  const nlohmann::json& p = defs.at("profile").at("properties");
  expect_rows(p, kProfileMembers);
  EXPECT_EQ(p.at("endpoint").at("default"), ProfileConfig{}.endpoint);
  EXPECT_EQ(p.at("sts_endpoint").at("default"), ProfileConfig{}.sts_endpoint);
  const nlohmann::json& poll = defs.at("poll").at("properties");
  expect_rows(poll, kPollMembers);
  EXPECT_EQ(poll.at("interval").at("default"), format_duration(PollConfig{}.interval));
}

TEST(ShippedConfig, ExampleIsTakenAndShowsEveryKey) {
  const std::string text = contents("share-drift-exporter.example.yml");
  const ConfigResult config = parse_config(text, "example");
  ASSERT_TRUE(config) << to_string(config.error().at(0));
  for (const KeyTable& table : kKeyTables) {
    for (const std::string_view key : table.keys) {
      const bool rare = key == "metadata_endpoint" || key == "external_id" || key == "policy";
      EXPECT_TRUE(rare || mentions(text, key)) << key;
    }
  }
  // What it shows as given is what holds without it.
  const ProfileConfig& p = config->profiles.at(0);
  ProfileConfig defaults;
  defaults.name = "default";
  EXPECT_EQ(p, defaults);
  EXPECT_EQ(config->poll, PollConfig{});
}

TEST(ShippedConfig, MinimalIsTaken) {
  const ConfigResult config = parse_config(contents("minimal.yml"), "minimal");
  ASSERT_TRUE(config) << to_string(config.error().at(0));
  EXPECT_EQ(config->images.size(), 1U);
}

TEST(ShippedConfig, WebExampleIsTaken) {
  const WebConfigResult config = parse_web_config(contents("web-config.example.yml"), "web");
  ASSERT_TRUE(config) << to_string(config.error().at(0));
  EXPECT_TRUE(config->tls);
  EXPECT_EQ(config->users.size(), 1U);
}

TEST(ShippedConfig, EveryCredentialRecipeIsTaken) {
  const std::string text = contents("credentials.md");
  constexpr std::string_view kBegin = "```yaml\n";
  std::size_t recipes = 0;
  for (std::size_t at = text.find(kBegin); at != std::string::npos; at = text.find(kBegin, at + 1)) {
    const std::size_t begin = at + kBegin.size();
    const std::string recipe = text.substr(begin, text.find("```", begin) - begin);
    const ConfigResult config = parse_config(
        "profiles:\n  default:\n    " + recipe + "images: [{id: m-1, allowed: []}]\n", "credentials.md");
    EXPECT_TRUE(config) << recipe << (config ? "" : to_string(config.error().at(0)));
    ++recipes;
  }
  EXPECT_EQ(recipes, 8U);  // one for each source
}

}  // namespace sharedrift
