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
          Fleet::kStart};
}

TEST(Report, DriftOutranksUnknownOutranksSync) {
  ReportInput input = three_images();
  EXPECT_EQ(exit_code(verdict_of(input.views)), 1);
  input.views.erase(input.views.begin() + 1);
  EXPECT_EQ(exit_code(verdict_of(input.views)), 3);
  input.views.pop_back();
  EXPECT_EQ(exit_code(verdict_of(input.views)), 0);
}

TEST(Report, TableSaysWhatIsWrongInWords) {
  const std::string table = report_table(three_images());
  EXPECT_THAT(table, HasSubstr("m-1    in sync  1       1        0           0\n"));
  EXPECT_THAT(table, HasSubstr("m-3    unknown  -       0        ?           ?\n"));
  EXPECT_THAT(table, HasSubstr("m-2: shared with 1500000000000009 (stranger), which no list lets in"));
  EXPECT_THAT(table, HasSubstr("m-2: not shared with 1500000000000002, which must have it"));
  EXPECT_THAT(table, HasSubstr("m-3: could not tell, forbidden: test"));
}

TEST(Report, JsonCarriesTheSame) {
  const auto json = nlohmann::json::parse(report_json(three_images()));
  EXPECT_EQ(json["verdict"], "drift");
  EXPECT_EQ(json["images"][1]["unexpected"][0]["account_name"], "stranger");
  EXPECT_EQ(json["images"][2]["failure"]["reason"], "forbidden");
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

TEST(Report, PlanIsOneCallAnAccount) {
  const std::string plan = report_plan(three_images(), {{"default", "ens.ap-southeast-1.aliyuncs.com"}});
  EXPECT_THAT(
      plan,
      HasSubstr(
          "aliyun ens ModifyImageSharePermission --ImageId m-2 --endpoint ens.ap-southeast-1.aliyuncs.com "
          "--RemoveAccounts 1500000000000009\n"));
  EXPECT_THAT(plan, HasSubstr(" --AddAccounts 1500000000000002\n"));
  EXPECT_THAT(plan, HasSubstr("# m-3: could not be read whole"));
  EXPECT_THAT(plan, Not(HasSubstr("--ImageId m-1")));
}

TEST(Report, BaselineAsksSomebodyToAnswer) {
  const std::string yaml = report_baseline(three_images());
  EXPECT_THAT(yaml, HasSubstr("- {account: \"1500000000000009\", expires: 2027-"));
  EXPECT_THAT(yaml, HasSubstr("owner: \"\", ticket: \"\", reason: \"\""));
  EXPECT_THAT(yaml, HasSubstr("# could not be read whole"));
}

}  // namespace
}  // namespace sharedrift
