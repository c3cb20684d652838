#include "config/config_loader.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using ::testing::HasSubstr;

/// Where a text stands in a configuration, and how many bytes of it are taken.
struct Limit {
  std::string before;
  std::string after;
  std::size_t shortest;
  std::size_t longest;
  std::string begin{};  ///< every value of this key begins so and ends so
  std::string end{};
};

const std::string kImages = "images: [{id: m-1, allowed: []}]\n";

std::vector<Limit> limits() {
  const std::string exception =
      "images: [{id: m-1, allowed: [], exceptions: [{account: 1, expires: 2027-03-31, ";
  const auto source = [](const std::string& keys) {
    return "profiles: {default: {credentials: {source: " + keys;
  };
  const std::string role = source("ram_role, role_arn: acs:ram::1:role/x, ");
  const std::string closed = "}}}\n" + kImages;
  return {
      {"images: [{allowed: [], id: ", "}]\n", 1, 128},
      {"images: [{id: m-1, allowed: [], name: ", "}]\n", 0, 200},
      {"images: [{id: m-1, allowed: [], team: ", "}]\n", 0, 200},
      {"images: [{id: m-1, allowed: [], severity: ", "}]\n", 0, 200},
      {"defaults: {team: ", "}\n" + kImages, 0, 200},
      {"defaults: {severity: ", "}\n" + kImages, 0, 200},
      {"discover: [{allowed: [], name: ", "}]\n", 1, 200},
      {"groups: {? ", ": []}\n" + kImages, 1, 64},
      {"accounts: {1: {name: ", "}}\n" + kImages, 1, 200},
      {"ignore: [{id: m-2, reason: r, owner: ", "}]\ndiscover: [{allowed: []}]\n", 1, 500},
      {"ignore: [{id: m-2, owner: o, reason: ", "}]\ndiscover: [{allowed: []}]\n", 1, 500},
      {exception + "ticket: t, reason: r, owner: ", "}]}]\n", 1, 500},
      {exception + "owner: o, reason: r, ticket: ", "}]}]\n", 1, 500},
      {exception + "owner: o, ticket: t, reason: ", "}]}]\n", 1, 500},
      {source("static_file, file: "), closed, 1, 4095, "/"},
      {source("cli_profile, profile: "), closed, 1, 200},
      {source("ecs_ram_role, role_name: "), closed, 1, 64},
      {role + "role_session_name: ", closed, 2, 64},
      {role + "external_id: ", closed, 2, 1224},
      {role + "policy: ", closed, 9, 2048, R"({"a": ")", R"("})"},
      {source("ram_role, role_arn: "), closed, 17, 512, "acs:ram::1:role/"},
  };
}

std::string read(const Limit& limit, std::size_t bytes) {
  const std::size_t fixed = limit.begin.size() + limit.end.size();
  const std::string value = limit.begin + std::string(bytes - std::min(bytes, fixed), 'x') + limit.end;
  const ConfigResult config = parse_config(limit.before + "'" + value + "'" + limit.after, "config.yml");
  return config ? "accepted" : to_string(config.error().front());
}

TEST(TextLimits, EachTextMayBeAsShortAndAsLongAsItSays) {
  for (const Limit& limit : limits()) {
    EXPECT_EQ(read(limit, limit.shortest), "accepted") << limit.before;
    EXPECT_EQ(read(limit, limit.longest), "accepted") << limit.before;
    EXPECT_NE(read(limit, limit.longest + 1), "accepted") << limit.before;
    const bool can_be_shorter = limit.shortest > limit.begin.size() + limit.end.size();
    EXPECT_TRUE(!can_be_shorter || read(limit, limit.shortest - 1) != "accepted") << limit.before;
  }
}

TEST(TextLimits, AnImageMayNameAProfileOfOneLetter) {
  for (const std::string& name : {std::string("p"), std::string(64, 'p')}) {
    const std::string profiles = "profiles: {" + name + ": {}}\n";
    EXPECT_TRUE(
        parse_config(profiles + "images: [{id: m-1, allowed: [], profile: " + name + "}]\n", "c.yml"));
    EXPECT_TRUE(parse_config(profiles + "discover: [{allowed: [], profile: " + name + "}]\n", "c.yml"));
  }
}

}  // namespace
}  // namespace sharedrift
