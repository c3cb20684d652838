#include "app/report.hpp"

#include "support/fleet.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace sharedrift {
namespace {

using testing::account;
using testing::an_image;
using testing::failed;
using testing::Fleet;
using ::testing::HasSubstr;
using testing::listed;
using ::testing::Not;

const WallTime kAt = Fleet::kStart;

/// m-1 in sync, m-2 leaks and lacks, m-3 could not be read.
ReportInput three_images() {
  Fleet fleet({an_image("m-1").allowing({1}),
               an_image("m-2").allowing({1}).requiring({2}).excepting(7, WallTime::max()),
               an_image("m-3").allowing({})},
              1);
  fleet.apply("m-1", listed({1}));
  fleet.apply("m-2", listed({1, 7, 9}));
  fleet.apply("m-3", failed(Reason::forbidden));
  return {{fleet.view("m-1"), fleet.view("m-2"), fleet.view("m-3")},
          {{account(9), "stranger"}},
          "config.yml",
          kAt};
}

TEST(Report, DriftOutranksUnknownOutranksSync) {
  ReportInput input = three_images();
  const auto code = [&input] { return exit_code(count_verdicts(input).worst()); };
  EXPECT_EQ(code(), 1);
  input.views.erase(input.views.begin() + 1);
  EXPECT_EQ(code(), 3);
  input.views.pop_back();
  EXPECT_EQ(code(), 0);
}

TEST(Report, TableSaysWhatIsWrongInWords) {
  const std::string table = report_table(three_images());
  EXPECT_EQ(table,
            "1 image is shared with unexpected accounts (1 cannot be judged · 1 of 3 in sync)\n\n"
            "IMAGE  VERDICT     SHARED  ALLOWED  UNEXPECTED  MISSING\n"
            "m-2    unexpected  3       3        1           1\n"
            "m-3    unknown     -       0        ?           ?\n"
            "m-1    in sync     1       1        0           0\n\n"
            "m-2: unexpected: 1500000000000009 (stranger)\n"
            "m-2: missing: 1500000000000002\n"
            "m-3: could not tell: forbidden: test\n");
}

TEST(Report, OneCauseIsOneLineHoweverManyImagesItStrikes) {
  std::vector<testing::ImageBuilder> images;
  for (int i = 1; i <= 9; ++i)
    images.push_back(an_image("m-" + std::to_string(i)).allowing({}));
  Fleet fleet(images, 1);
  ReportInput input{{}, {}, "config.yml", kAt};
  for (int i = 1; i <= 9; ++i) {
    Observation seen = failed(i == 2 ? Reason::timeout : Reason::key_rejected);
    seen.failure.request_id = "R-" + std::to_string(i);
    fleet.apply("m-" + std::to_string(i), seen);
    input.views.push_back(fleet.view("m-" + std::to_string(i)));
  }
  const std::string table = report_table(input);
  EXPECT_THAT(table, HasSubstr("\n\nm-1, m-3, m-4, m-5, m-6 and 3 more: could not tell: key_rejected: test "
                               "[request R-1]\nm-2: could not tell: timeout: test [request R-2]\n"));
  const std::string all = "# m-1, m-3, m-4, m-5, m-6, m-7, m-8 and m-9: could not tell, so ";
  EXPECT_THAT(report_plan(input, {}), HasSubstr(all + "there may be more to do: key_rejected: test"));
  EXPECT_THAT(report_baseline(input, {{"config.yml", "images: []\n"}}),
              HasSubstr(all + "more may be shared: key_rejected: test"));
}

TEST(Report, JsonCarriesTheSame) {
  const auto json = nlohmann::json::parse(report_json(three_images()));
  EXPECT_EQ(json["verdict"], "unexpected");
  EXPECT_EQ(json["images"][1]["drift"][0]["account_name"], "stranger");
  EXPECT_EQ(json["images"][2]["last_failure"]["reason"], "forbidden");
  EXPECT_TRUE(json["images"][2]["shared_accounts"].is_null()) << "not known is not 0";
}

TEST(Report, SarifHasAResultForEachAccountAndSuppressesExceptions) {
  const auto json = nlohmann::json::parse(report_sarif(three_images()));
  const auto& results = json["runs"][0]["results"];
  ASSERT_EQ(results.size(), 4U);
  EXPECT_EQ(results[0]["ruleId"], "unexpected-account");
  EXPECT_EQ(results[1]["ruleId"], "missing-account");
  EXPECT_EQ(results[2]["suppressions"][0]["status"], "accepted");
  EXPECT_EQ(results[3]["ruleId"], "could-not-tell");
  for (const auto& result : results)
    EXPECT_FALSE(result.contains("baselineState"));
}

TEST(Report, SarifOfNoImageIsNoSuccess) {
  const auto json = nlohmann::json::parse(report_sarif({{}, {}, "config.yml", kAt}));
  EXPECT_FALSE(json["runs"][0]["invocations"][0]["executionSuccessful"].get<bool>());
}

/// m-1, which is in sync; a rule hangs on an inventory that could not be read.
ReportInput blind_inventory() {
  ReportInput input = three_images();
  input.views.resize(1);
  input.hides_images = true;
  input.doubts = {"the images could not be listed"};
  return input;
}

TEST(Report, NoFormCallsAnythingInSyncWhereImagesMayBeUnknown) {
  const ReportInput input = blind_inventory();
  EXPECT_EQ(exit_code(count_verdicts(input).worst()), 3);
  const std::string table = report_table(input);
  EXPECT_TRUE(table.starts_with("It is not known which images there are (1 of 1 in sync)\n")) << table;
  EXPECT_THAT(table, HasSubstr("\nthe images could not be listed\n"));
  const auto json = nlohmann::json::parse(report_json(input));
  EXPECT_EQ(json["verdict"].get<std::string>(), "unknown");
  EXPECT_EQ(json["doubts"][0].get<std::string>(), "the images could not be listed");
  const auto run = nlohmann::json::parse(report_sarif(input))["runs"][0]["invocations"][0];
  EXPECT_FALSE(run["executionSuccessful"].get<bool>());
  EXPECT_EQ(run["toolExecutionNotifications"][0]["message"]["text"].get<std::string>(),
            "the images could not be listed");
  EXPECT_EQ(report_plan(input, {}),
            "# Nothing to do that is known of.\n"
            "# the images could not be listed, so there may be more to do\n");
  const std::vector<ConfigFile> none{{"none", ""}};
  Config config;
  config.discover.push_back({"", "", *an_image("rule").build()});
  const std::string whole = report_whole_baseline(input, none, config);
  EXPECT_THAT(whole, HasSubstr("# This is not the whole of it: "));
  EXPECT_THAT(whole, Not(HasSubstr("with what stands in"))) << "there is no file";
}

TEST(Report, WhatNobodyWatchesIsToldAndChangesNoVerdict) {
  ReportInput input = three_images();
  input.views.resize(1);
  InventoryView& inventory = input.inventories["default"];
  inventory.images = 122;
  inventory.unwatched = 120;
  inventory.some_unwatched = {{*ImageId::parse("m-8"), "edge"}, {*ImageId::parse("m-9"), ""}};
  const std::string line =
      "120 images of the account of profile default are not watched: m-8 (edge), m-9 and 118 more; ";
  const std::string table = report_table(input);
  EXPECT_TRUE(table.starts_with("The image is in sync\n")) << table;
  EXPECT_THAT(table, HasSubstr("\n" + line));
  EXPECT_THAT(nlohmann::json::parse(report_json(input))["unwatched"][0].get<std::string>(), HasSubstr(line));
  const auto run = nlohmann::json::parse(report_sarif(input))["runs"][0]["invocations"][0];
  EXPECT_TRUE(run["executionSuccessful"].get<bool>());
  EXPECT_THAT(run["toolExecutionNotifications"][0]["message"]["text"].get<std::string>(), HasSubstr(line));
  inventory.left_out = 7;
  EXPECT_THAT(report_table(input), HasSubstr("m-9 and 118 more; for 7 there is no room\n"));
  inventory.unwatched = std::nullopt;
  EXPECT_THAT(report_table(input), Not(HasSubstr("not watched"))) << "nobody knows";
}

TEST(Report, AMistypedIdComesWithTheOneThatMayBeMeant) {
  ReportInput input = three_images();
  input.meant = {{*ImageId::parse("m-3"), "did you mean \"m-33\"?"}};
  EXPECT_THAT(report_table(input), HasSubstr("\nm-3 (did you mean \"m-33\"?): could not tell: "));
}

TEST(Report, PlanSaysThatNothingIsToBeDone) {
  ReportInput input = three_images();
  input.views.resize(1);
  EXPECT_EQ(report_plan(input, {}), "# Nothing to do.\n");
}

TEST(Report, SarifNamesTheConfigurationByAUri) {
  ReportInput input = three_images();
  const auto uri = [&input](const std::string& file) {
    input.config_file = file;
    const auto json = nlohmann::json::parse(report_sarif(input));
    return json["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
  };
  EXPECT_EQ(uri("/etc/a b#\xc3\xbc%/c.yml"), "file:///etc/a%20b%23%C3%BC%25/c.yml");
  EXPECT_EQ(uri("drift/c.yml"), "drift/c.yml");
  EXPECT_EQ(uri("a:b"), "a%3Ab") << "no scheme";
}

TEST(Report, SeveralFilesAreEachNamedForTheirOwnImages) {
  ReportInput input = three_images();
  input.config_file = "a.yml, b.yml";
  input.image_files = {{*ImageId::parse("m-2"), "b.yml"}, {*ImageId::parse("m-3"), "a.yml"}};
  const auto json = nlohmann::json::parse(report_sarif(input));
  const auto& result = json["runs"][0]["results"][0];
  EXPECT_EQ(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].get<std::string>(),
            "b.yml");
  const std::string baseline =
      report_baseline(input, {{"a.yml", "images: [{id: m-1, allowed: [\"1\"]}, {id: m-3, allowed: []}]\n"},
                              {"rules.yml", "discover: [{allowed: []}]\n"},
                              {"b.yml", "images: [{id: m-2, allowed: []}]\n"}});
  EXPECT_THAT(baseline, HasSubstr("--- # a.yml\nimages:\n"));
  EXPECT_THAT(baseline.substr(baseline.find("--- # b.yml\n")), HasSubstr("account: \"1500000000000009\""));
  EXPECT_THAT(baseline, Not(HasSubstr("rules.yml\n")));
}

TEST(Report, PlanIsOneCallAnAccount) {
  const std::string plan =
      report_plan(three_images(), {{"default", "https://ens.ap-southeast-1.aliyuncs.com"}});
  EXPECT_THAT(
      plan,
      HasSubstr(
          "aliyun ens ModifyImageSharePermission --ImageId m-2 --endpoint ens.ap-southeast-1.aliyuncs.com "
          "--RemoveAccounts 1500000000000009\n"));
  EXPECT_THAT(plan, HasSubstr(" --AddAccounts 1500000000000002\n"));
  EXPECT_THAT(plan, HasSubstr("# m-3: could not tell"));
  EXPECT_THAT(plan, Not(HasSubstr("--ImageId m-1")));
}

/// The canary m-1, which shows its drift or does not, and m-2 in sync.
ReportInput with_canary(bool shows) {
  Fleet fleet({an_image("m-1").allowing({}).as_canary(), an_image("m-2").allowing({})}, 1);
  fleet.apply("m-1", shows ? listed({9}) : listed({}));
  fleet.apply("m-2", listed({}));
  return {{fleet.view("m-1"), fleet.view("m-2")}, {}, "config.yml", kAt};
}

TEST(Report, ACanaryWhoseDriftShowsIsInSyncInEveryReport) {
  const ReportInput input = with_canary(true);
  EXPECT_EQ(exit_code(count_verdicts(input).worst()), 0);
  EXPECT_THAT(report_table(input), HasSubstr("All 2 images are in sync\n"));
  EXPECT_THAT(report_table(input), Not(HasSubstr("unexpected:")));
  EXPECT_THAT(report_plan(input, {}), Not(HasSubstr("--RemoveAccounts"))) << "nothing that silences it";
  EXPECT_TRUE(nlohmann::json::parse(report_sarif(input))["runs"][0]["results"].empty());
  const std::string config =
      "images:\n  - {id: m-1, allowed: [], canary: true}\n  - {id: m-2, allowed: []}\n";
  const std::string baseline = report_baseline(input, {{"config.yml", config}});
  EXPECT_THAT(baseline, HasSubstr("canary: true"));
  EXPECT_THAT(baseline, Not(HasSubstr("exceptions")));
}

TEST(Report, ACanaryThatIsSilentCannotBeJudged) {
  const ReportInput input = with_canary(false);
  EXPECT_EQ(exit_code(count_verdicts(input).worst()), 3);
  EXPECT_THAT(report_table(input), HasSubstr("m-1: could not tell: canary lost: its drift does not show\n"));
  const auto results = nlohmann::json::parse(report_sarif(input))["runs"][0]["results"];
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(results[0]["ruleId"], "could-not-tell");
}

TEST(Report, BaselineAsksSomebodyToAnswer) {
  const std::string yaml =
      report_baseline(three_images(), {{"config.yml",
                                        "images:\n  - {id: m-1, allowed: [\"1\"]}\n  - {id: m-2, team: "
                                        "edge-os, allowed: []}\n  - {id: m-3, allowed: []}\n"}});
  EXPECT_THAT(yaml, HasSubstr("- {account: \"1500000000000009\", expires: 2027-"));
  EXPECT_THAT(yaml, HasSubstr("owner: \"\", ticket: \"\", reason: \"\""));
  EXPECT_THAT(yaml, HasSubstr("team: edge-os"));
  EXPECT_THAT(yaml, HasSubstr("# m-2: missing: 1500000000000002\n"));
  EXPECT_THAT(yaml, HasSubstr("# m-3: could not tell, so more may be shared: forbidden: test\n"));
}

}  // namespace
}  // namespace sharedrift
