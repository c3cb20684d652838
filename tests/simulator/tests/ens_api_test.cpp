#include "sim.hpp"

#include <gtest/gtest.h>

namespace sharedrift::simulator::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::SizeIs;

TEST(Describe, AnswersAsDocumented) {
  Sim sim;
  const Answered answer = sim.list();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.raw.content_type, "application/json;charset=utf-8");
  EXPECT_EQ(answer.body["TotalCount"], 3);
  EXPECT_EQ(answer.body["PageNumber"], 1);
  EXPECT_EQ(answer.body["PageSize"], 10);
  EXPECT_EQ(answer.body["ImageId"], kImage);
  EXPECT_FALSE(answer.body.contains("Code"));
  EXPECT_THAT(uids(answer.body), ElementsAre("1715107400000001", "1715107400000002", "1715107400000003"));
  const std::string request_id = answer.body["RequestId"];
  EXPECT_THAT(request_id,
              MatchesRegex("[0-9A-F]{8}-[0-9A-F]{4}-5[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}"));
  EXPECT_EQ(answer.header("x-acs-request-id"), request_id);
  EXPECT_EQ(answer.header("Date"), "Wed, 18 Nov 2026 11:06:40 GMT");
}

TEST(Describe, Pages) {
  Sim sim;
  EXPECT_THAT(uids(sim.list({{"PageSize", "2"}}).body), ElementsAre("1715107400000001", "1715107400000002"));
  const Answered second = sim.list({{"PageNumber", "2"}, {"PageSize", "2"}});
  EXPECT_THAT(uids(second.body), ElementsAre("1715107400000003"));
  EXPECT_EQ(second.body["PageNumber"], 2);
  EXPECT_EQ(second.body["TotalCount"], 3);
  for (const char* beyond : {"3", "9223372036854775807"}) {
    const Answered none = sim.list({{"PageNumber", beyond}, {"PageSize", "2"}});
    EXPECT_EQ(none.body["TotalCount"], 3);
    EXPECT_THAT(none.body["Accounts"]["Account"], SizeIs(0));
  }
}

TEST(Describe, DefaultsToTenAndAllowsAHundred) {
  Sim sim;
  sim.control("share-generated", {{"image", kImage}, {"count", 120}});
  EXPECT_THAT(uids(sim.list().body), SizeIs(10));
  EXPECT_THAT(uids(sim.list({{"PageSize", "100"}}).body), SizeIs(100));
  EXPECT_THAT(uids(sim.list({{"PageSize", "100"}, {"PageNumber", "2"}}).body), SizeIs(23));
  EXPECT_THAT(uids(sim.list({{"PageSize", ""}, {"PageNumber", ""}}).body), SizeIs(10));
}

TEST(Describe, RefusesPagingOutOfRange) {
  Sim sim;
  for (const char* bad : {"0", "-1", "101", "ten", "1.5", "10 ", "99999999999999999999"}) {
    const Answered answer = sim.list({{"PageSize", bad}});
    EXPECT_EQ(answer.status, 400) << bad;
    EXPECT_EQ(answer.code(), "InvalidParameter.PageSize") << bad;
    EXPECT_EQ(answer.body["Message"], "The specified field PageSize invalid. Please check it again.");
  }
  for (const char* bad : {"0", "-1", "one", "99999999999999999999"}) {
    EXPECT_EQ(sim.list({{"PageNumber", bad}}).code(), "InvalidParameter.PageNumber") << bad;
  }
}

TEST(Describe, ChecksTheImageId) {
  Sim sim;
  const char* action = "DescribeImageSharePermission";
  EXPECT_EQ(sim.call(action).code(), "MissingParameter");
  EXPECT_EQ(sim.call(action, {{"ImageId", ""}}).code(), "MissingParameter");
  EXPECT_EQ(sim.call(action, {{"ImageId", "m-a b"}}).code(), "InvalidParameter.ImageId");
  EXPECT_EQ(sim.call(action, {{"ImageId", "../etc"}}).code(), "InvalidParameter.ImageId");
}

TEST(Describe, AnswersForUnknownAndForeignImagesAsTold) {
  Sim sim;
  sim.control("images", {{"id", "m-foreign"}, {"owner", "9"}, {"generated", 2}});
  const char* action = "DescribeImageSharePermission";
  for (const char* id : {"m-nowhere", "m-foreign"}) {
    const Answered answer = sim.call(action, {{"ImageId", id}});
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body["TotalCount"], 0);
    EXPECT_EQ(answer.body["ImageId"], id);
  }
  sim.control("behaviour", {{"unknown_image", "InvalidParameter.ImageId"}});
  EXPECT_EQ(sim.call(action, {{"ImageId", "m-foreign"}}).code(), "InvalidParameter.ImageId");
}

TEST(Describe, FiltersByAccountOnlyWhenTold) {
  Sim sim;
  const Pairs filter{{"AliyunId", "1715107400000002"}};
  EXPECT_THAT(uids(sim.list(filter).body), SizeIs(3));
  sim.control("behaviour", {{"filter_by_aliyun_id", true}});
  const Answered filtered = sim.list(filter);
  EXPECT_THAT(uids(filtered.body), ElementsAre("1715107400000002"));
  EXPECT_EQ(filtered.body["TotalCount"], 1);
  EXPECT_EQ(sim.list({{"AliyunId", "5"}}).body["TotalCount"], 0);
  EXPECT_EQ(sim.list({{"AliyunId", "x"}}).code(), "InvalidParameter.AliyunId");
}

TEST(Describe, ShowsAChangeAtOnce) {
  Sim sim;
  sim.control("share", {{"image", kImage}, {"accounts", {"42", "42", "1715107400000001"}}});
  sim.control("unshare", {{"image", kImage}, {"accounts", "1715107400000002"}});
  EXPECT_THAT(uids(sim.list().body), ElementsAre("1715107400000001", "1715107400000003", "42"));
}

TEST(Api, WrapsErrorsInItsEnvelope) {
  Sim sim;
  const Answered answer = sim.call("DescribeImageSharePermission");
  EXPECT_EQ(answer.status, 400);
  const std::string id = answer.body["RequestId"];
  EXPECT_EQ(answer.header("x-acs-request-id"), id);
  EXPECT_EQ(answer.body["HostId"], "127.0.0.1:4711");
  EXPECT_EQ(answer.body["Message"],
            "The input parameter that is mandatory for processing this request is not supplied.");
  EXPECT_EQ(answer.body["Recommend"],
            "https://api.aliyun.com/troubleshoot?q=MissingParameter&product=Ens&requestId=" + id);
  EXPECT_EQ(answer.body.size(), 5U);
}

TEST(Api, AnswersInXmlToLegacyCallersWhoDoNotAskForJson) {
  Sim sim;
  const auto answer = [&sim](const char* format, const char* image) {
    return sim.send(sim.rpc("DescribeImageSharePermission", {{"ImageId", image}, {"Format", format}}));
  };
  const Answered xml = answer("", kImage);
  EXPECT_EQ(xml.raw.content_type, "text/xml;charset=utf-8");
  EXPECT_THAT(xml.text,
              HasSubstr("<DescribeImageSharePermissionResponse><Accounts><Account><AliyunUid>1715107400000001"
                        "</AliyunUid></Account><Account><AliyunUid>1715107400000002"));
  EXPECT_THAT(answer("XML", "m-<").text, HasSubstr("<Error><Code>InvalidParameter.ImageId</Code>"));
  EXPECT_EQ(answer("json", kImage).body["TotalCount"], 3);
}

TEST(Api, KnowsItsOperationsAndVersions) {
  Sim sim;
  const Answered unknown = sim.call("DescribeNothing");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(unknown.code(), "InvalidAction.NotFound");
  EXPECT_EQ(sim.call("GetCallerIdentity").code(), "InvalidAction.NotFound");  // not of this product
  EXPECT_EQ(sim.call("DescribeImageSharePermission", {}, {.version = "2014-05-26"}).code(), "InvalidVersion");
  ServerRequest elsewhere = sim.acs3("DescribeImageSharePermission", {{"ImageId", kImage}});
  elsewhere.path = "/other";
  EXPECT_EQ(sim.send(elsewhere).status, 404);
  ServerRequest put = sim.acs3("DescribeImageSharePermission", {{"ImageId", kImage}}, {.method = "PUT"});
  EXPECT_EQ(sim.send(put).code(), "UnsupportedHTTPMethod");
}

TEST(Inventory, ListsOwnImagesAndThoseSharedToTheCaller) {
  Sim sim;
  sim.control("images", {{"id", "m-lent"}, {"owner", "9"}, {"accounts", {"1111111111111111"}}});
  sim.control("images", {{"id", "m-foreign"}, {"owner", "9"}});
  const Answered all = sim.call("DescribeSelfImages");
  EXPECT_EQ(all.body["Code"], 0);
  EXPECT_EQ(all.body["TotalCount"], "2");
  EXPECT_EQ(all.body["PageNumber"], "1");
  EXPECT_EQ(all.body["PageSize"], "10");
  ASSERT_THAT(all.body["Images"]["Image"], SizeIs(2));
  EXPECT_EQ(all.body["Images"]["Image"][0]["ImageId"], kImage);
  EXPECT_EQ(all.body["Images"]["Image"][0]["ImageOwnerAlias"], "self");
  EXPECT_EQ(all.body["Images"]["Image"][1]["ImageOwnerAlias"], "others");
  EXPECT_EQ(sim.call("DescribeSelfImages", {{"ImageId", "m-none"}}).body["TotalCount"], "0");
  EXPECT_EQ(sim.call("DescribeSelfImages", {{"ImageId", kImage}}).body["TotalCount"], "1");
}

TEST(Inventory, Pages) {
  Sim sim({{"fleet", {{"images", 25}}}, {"keys", {{{"id", "ak"}, {"secret", "sk"}}}}});
  const Answered page = sim.call("DescribeSelfImages", {{"PageNumber", "3"}});
  EXPECT_EQ(page.body["TotalCount"], "25");
  EXPECT_THAT(page.body["Images"]["Image"], SizeIs(5));
  EXPECT_EQ(sim.call("DescribeImages", {{"PageSize", "51"}}).code(), "InvalidParameter.PageSize");
  EXPECT_EQ(sim.call("DescribeImages", {{"PageSize", "50"}}).body["TotalCount"], 25);
}

TEST(Inventory, FiltersByAPartOfTheIdUnlessToldOtherwise) {
  Sim sim({{"fleet", {{"images", 12}}}, {"keys", {{{"id", "ak"}, {"secret", "sk"}}}}});
  EXPECT_EQ(sim.call("DescribeSelfImages", {{"ImageId", "m-sim-1"}}).body["TotalCount"], "4");
  sim.control("behaviour", {{"inventory_exact_filter", true}});
  EXPECT_EQ(sim.call("DescribeSelfImages", {{"ImageId", "m-sim-1"}}).body["TotalCount"], "1");
}

TEST(Inventory, MayHaveNoCount) {
  Sim sim;
  sim.control("behaviour", {{"inventory_total_count", false}});
  const Answered all = sim.call("DescribeSelfImages");
  EXPECT_FALSE(all.body.contains("TotalCount"));
  EXPECT_FALSE(all.body.contains("PageNumber"));
  EXPECT_THAT(all.body["Images"]["Image"], SizeIs(1));
}

TEST(Inventory, RefusesOrCutsLargePages) {
  Sim sim({{"fleet", {{"images", 25}}}, {"keys", {{{"id", "ak"}, {"secret", "sk"}}}}});
  sim.control("behaviour", {{"inventory_page_cap", 20}});
  EXPECT_EQ(sim.call("DescribeSelfImages", {{"PageSize", "21"}}).code(), "InvalidParameter.PageSize");
  sim.control("behaviour", {{"inventory_page_cut", true}});
  const Answered cut = sim.call("DescribeSelfImages", {{"PageSize", "100"}});
  EXPECT_EQ(cut.body["PageSize"], "20");
  EXPECT_THAT(cut.body["Images"]["Image"], SizeIs(20));
  EXPECT_THAT(
      sim.call("DescribeSelfImages", {{"PageSize", "100"}, {"PageNumber", "2"}}).body["Images"]["Image"],
      SizeIs(5));
}

TEST(Inventory, MovesWhileItIsRead) {
  for (const std::string change : {"delete", "insert", "swap"}) {
    Sim sim({{"fleet", {{"images", 25}}}, {"keys", {{{"id", "ak"}, {"secret", "sk"}}}}});
    sim.control("faults", {{"kind", "inventory_shift"}, {"change", change}});
    sim.list();  // another action: not struck
    EXPECT_EQ(sim.call("DescribeSelfImages", {{"PageNumber", "1"}}).body["TotalCount"], "25");
    const std::string after = change == "delete" ? "24" : change == "insert" ? "26" : "25";
    EXPECT_EQ(sim.call("DescribeSelfImages", {{"PageNumber", "3"}}).body["TotalCount"], after) << change;
    EXPECT_EQ(sim.call("DescribeSelfImages", {{"PageNumber", "3"}}).body["TotalCount"], after)
        << "at its end it rests";
  }
}

TEST(Inventory, ShowsANewName) {
  Sim sim;
  sim.control("images/rename", {{"id", kImage}, {"name", "another"}});
  EXPECT_EQ(sim.call("DescribeSelfImages").body["Images"]["Image"][0]["ImageName"], "another");
}

TEST(Modify, AddsAListAndRemovesOne) {
  Sim sim;
  const char* action = "ModifyImageSharePermission";
  const Answered done = sim.call(action, {{"ImageId", kImage}, {"AddAccounts", "7,8"}});
  EXPECT_EQ(done.status, 200);
  EXPECT_EQ(done.body.size(), 1U);
  EXPECT_EQ(sim.list().body["TotalCount"], 5);
  EXPECT_EQ(sim.call(action, {{"ImageId", kImage}, {"RemoveAccounts", "7"}}).status, 200);
  EXPECT_EQ(sim.list().body["TotalCount"], 4);
  EXPECT_EQ(sim.call(action, {{"ImageId", kImage}, {"RemoveAccounts", "8,1715107400000001"}}).code(),
            "InvalidParameter.RemoveAccounts");
  EXPECT_EQ(sim.call(action, {{"ImageId", kImage}, {"AddAccounts", "7,,"}}).code(),
            "InvalidParameter.AddAccounts");
  EXPECT_EQ(sim.call(action, {{"ImageId", kImage}}).code(), "MissingParameter");
  EXPECT_EQ(sim.call(action, {{"ImageId", "m-none"}, {"AddAccounts", "7"}}).code(),
            "InvalidParameter.ImageId");
}

}  // namespace
}  // namespace sharedrift::simulator::testing
