#include "config/baseline_writer.hpp"

#include "config/config_loader.hpp"
#include "config_equality.hpp"
#include "support/files.hpp"
#include "support/test_data.hpp"

#include <algorithm>
#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {

namespace {

using ::testing::HasSubstr;
using ::testing::Not;

AccountId account(int number) {
  return *AccountId::parse(std::to_string(number));
}

constexpr const char* kFile = R"(
profiles: {default: {}, apac: {}}
groups: {partners: ["5", 6]}
images:
  - id: m-1
    name: 'it''s "edge"'  # a comment
    team: "yes"
    severity: page
    profile: apac
    interval: 1m
    required: ["2"]
    allowed: [group:partners, 007]
    canary: false
    exceptions:
      - {account: "3", expires: 2027-03-31, owner: jane, ticket: SEC-12, reason: "pilot: with #1"}
      - {account: 4, expires: 2020-01-01, owner: jane, ticket: SEC-9, reason: over}
  - {id: m-2, allowed: [], canary: true}
  - {id: m-3, allowed: []}
)";

/// The file with its `images:` in the written form, and somebody answering for what is new.
std::string adopted(const std::string& file, std::string images) {
  const std::string empty = ": \"\"";
  for (std::size_t at = 0; (at = images.find(empty, at)) != std::string::npos;)
    images.replace(at, empty.size(), ": jane");
  return file.substr(0, file.find("images:")) + images;
}

}  // namespace

TEST(BaselineWriter, ImagesKeepEveryKeyAsItStands) {
  const ConfigResult config = parse_config(kFile, "c.yml");
  ASSERT_TRUE(config) << told(config);
  NewExceptions none{{}, "2027-01-01"};
  for (const auto& image : config->images)
    none.accounts[image->id] = {};
  const std::string images = images_section(kFile, none);
  const ConfigResult again = parse_config(adopted(kFile, images), "adopted");
  ASSERT_TRUE(again) << told(again) << images;
  expect_same(*config, *again, images);
  EXPECT_THAT(images, HasSubstr("    allowed: [group:partners, 007]\n"));
  EXPECT_THAT(images, HasSubstr("    team: \"yes\"\n"));
  EXPECT_THAT(images, HasSubstr("canary: true"));
}

TEST(BaselineWriter, NewExceptionsAreAddedAndReplaceTheirEndedOnes) {
  const std::string images = images_section(
      kFile, {{{*ImageId::parse("m-1"), {account(4), account(8)}}, {*ImageId::parse("m-3"), {account(9)}}},
              "2027-01-01"});
  EXPECT_THAT(
      images,
      HasSubstr("- {account: \"8\", expires: 2027-01-01, owner: \"\", ticket: \"\", reason: \"\"}\n"));
  EXPECT_THAT(images, Not(HasSubstr("m-2"))) << "only what was asked for";
  EXPECT_FALSE(parse_config(kFile + images.substr(images.find('\n')), "as written"))
      << "nobody answers for it yet";
  const ConfigResult again = parse_config(adopted(kFile, images), "adopted");
  ASSERT_TRUE(again) << told(again) << images;
  ASSERT_EQ(again->images.size(), 2U);
  const auto& exceptions = again->images[0]->exceptions;
  ASSERT_EQ(exceptions.size(), 3U);
  EXPECT_EQ(exceptions[0].reason, "pilot: with #1");
  EXPECT_EQ(exceptions[1].account, account(4));
  EXPECT_EQ(exceptions[1].reason, "jane") << "the ended one is not the answer";
  EXPECT_EQ(again->images[1]->exceptions.size(), 1U);
}

namespace {

std::shared_ptr<const ImagePolicy> found(const std::string& id, const std::string& name,
                                         const std::string& profile) {
  ImagePolicy policy{*ImageId::parse(id), name};
  policy.profile = profile;
  policy.interval = Millis{300'000};
  return std::make_shared<const ImagePolicy>(policy);
}

}  // namespace

TEST(BaselineWriter, AWholeConfigurationOfNothingNamesWhatWasFound) {
  ImagePolicy by_rule = *found("m-3", "lab", "default");
  by_rule.team = "lab";
  by_rule.interval = Millis{60'000};
  by_rule.required = {account(2)};
  by_rule.allowed = {account(3)};
  by_rule.exceptions = {{account(5), *parse_rfc3339("2027-04-01T00:00:00Z"), "jane", "SEC-12", "pilot"}};
  const std::string yaml =
      whole_config("", {{{*ImageId::parse("m-2"), {account(4)}}}, "2027-01-01"},
                   {{found("m-1", "edge: \"1\"", "default"), found("m-2", "a\xE2\x80\x8B", "apac"),
                     std::make_shared<const ImagePolicy>(by_rule)},
                    Millis{300'000},
                    true});
  EXPECT_EQ(yaml,
            "discover:\n"
            "  - {allowed: []}  # images to come: nobody may have them\n"
            "images:\n"
            "  - id: \"m-1\"\n"
            "    name: \"edge: \\\"1\\\"\"\n"
            "    allowed: []\n"
            "  - id: \"m-2\"\n"  // a name that the loader would refuse is left out
            "    profile: \"apac\"\n"
            "    allowed: []\n"
            "    exceptions:\n"
            "      - {account: \"4\", expires: 2027-01-01, owner: \"\", ticket: \"\", reason: \"\"}\n"
            "  - id: \"m-3\"\n"
            "    name: \"lab\"\n"
            "    team: \"lab\"\n"
            "    interval: 1m\n"
            "    required: [\"2\"]\n"
            "    allowed: [\"3\"]\n"
            "    exceptions:\n"
            "      - account: \"5\"\n"
            "        expires: \"2027-04-01T00:00:00.000Z\"\n"
            "        owner: \"jane\"\n"
            "        ticket: \"SEC-12\"\n"
            "        reason: \"pilot\"\n");
}

TEST(BaselineWriter, WhatIsDeepInAWholeConfigurationStandsInOneLine) {
  EXPECT_EQ(
      whole_config("profiles: {default: {credentials: {source: ram_role, role_arn: 'acs:ram::1:role/r', "
                   "from: {source: env}}}}\n"
                   "groups: {partners: ['5', '6']}\n"
                   "accounts: {'5': {name: partner}}\n"
                   "discover: [{name: 'a*', allowed: ['1', '2']}, {allowed: []}]\n",
                   {}, {{}, Millis{300'000}, false}),
      "profiles:\n"
      "  default:\n"
      "    credentials: {source: ram_role, role_arn: \"acs:ram::1:role/r\", from: {source: env}}\n"
      "groups:\n"
      "  partners:\n"
      "    - \"5\"\n"
      "    - \"6\"\n"
      "accounts:\n"
      "  \"5\":\n"
      "    name: partner\n"
      "discover:\n"
      "  - name: \"a*\"\n"
      "    allowed: [\"1\", \"2\"]\n"
      "  - allowed: []\n"
      "images:\n"
      "  []\n");
}

TEST(BaselineWriter, AWholeConfigurationKeepsEveryKeyOfEverySample) {
  for (const auto& entry : std::filesystem::directory_iterator(testing::test_data("config/ok"))) {
    const std::string text = testing::read_file(entry.path());
    const ConfigResult before = parse_config(text, "sample");
    ASSERT_TRUE(before) << entry.path() << told(before);
    NewExceptions none{{}, "2027-01-01"};
    for (const auto& image : before->images)
      none.accounts[image->id] = {};
    const std::string yaml = whole_config(
        text, none, {{found("m-found", "found", before->profiles[0].name)}, Millis{300'000}, false});
    ConfigResult after = parse_config(yaml, "written");
    ASSERT_TRUE(after) << told(after) << yaml;
    ASSERT_EQ(after->images.size(), before->images.size() + 1);
    EXPECT_EQ(after->images.back()->name, "found");
    EXPECT_TRUE(after->images.back()->allowed.empty());
    after->images.pop_back();
    expect_same(*before, *after, yaml);
  }
}

}  // namespace sharedrift
