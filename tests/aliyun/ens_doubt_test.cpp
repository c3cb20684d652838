// Answers that cannot be believed: rows raise, nothing is proven.
#include "ens_bench.hpp"

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using testing::EnsBench;
using testing::parameter;

/// Every answer of `action` as `change` has it.
void tamper(EnsBench& bench, const std::string& action, std::function<void(HttpResponse&)> change) {
  bench.instead = [&bench, action, change = std::move(change)](
                      const HttpRequest& request,
                      const std::string& asked) -> std::optional<EnsBench::Reply> {
    if (asked != action) return std::nullopt;
    HttpResponse response =
        asked == "DescribeSelfImages"
            ? bench.inventory_page(request)
            : testing::page_of(parameter(request, "ImageId"), bench.shares[parameter(request, "ImageId")],
                               testing::page_number(request));
    change(response);
    return EnsBench::Reply{std::move(response)};
  };
}

/// Adds a member.
std::function<void(HttpResponse&)> with(const std::string& member) {
  return [member](HttpResponse& response) { response.body.insert(1, member + ","); };
}

void from_cache(HttpResponse& response) {
  response.headers.add("Age", "0");
  response.headers.add("age", "17");
}

TEST(EnsClient, AnAnswerThatContradictsItselfOrIsOfACacheIsNoProof) {
  const std::vector<std::function<void(HttpResponse&)>> lies{
      with(R"("Success":false)"),
      with(R"("success":"False")"),
      with(R"("IsTruncated":true)"),
      with(R"("NextToken":"abc")"),
      with(R"("ShareGroups":{"ShareGroup":[{"Group":"all"}]})"),
      with(R"("accounts":{"Account":[{"AliyunUid":"1715107400000009"}]})"),
      from_cache,
  };
  for (std::size_t lie = 0; lie < lies.size(); ++lie) {
    SCOPED_TRACE(lie);
    EnsBench bench;
    bench.inventory = {"m-0", "m-1"};
    bench.shares["m-1"] = testing::accounts_from(1, 2);
    tamper(bench, "DescribeImageSharePermission", lies[lie]);
    const Observation some = bench.fetch("m-1");
    EXPECT_FALSE(some.complete);
    EXPECT_EQ(some.failure.reason, Reason::bad_payload);
    EXPECT_EQ(some.accounts.size(), 2U) << "presence is cheap";
    EXPECT_FALSE(bench.fetch("m-0").complete) << "nor is an empty one";
  }
}

TEST(EnsClient, WhatAnAnswerMayHaveIsNoContradiction) {
  EnsBench bench;
  bench.inventory = {"m-0"};
  for (const char* member : {R"("Success":true)", R"("Success":null)", R"("success":"true")",
                             R"("IsTruncated":false)", R"("NextToken":"")", R"("NextToken":null)",
                             R"("ShareGroups":{"ShareGroup":[]})", R"("accounts":{})"}) {
    SCOPED_TRACE(member);
    tamper(bench, "DescribeImageSharePermission", with(member));
    EXPECT_TRUE(bench.fetch("m-0").complete);
  }
  tamper(bench, "DescribeImageSharePermission",
         [](HttpResponse& response) { response.headers.add("Age", "0"); });
  EXPECT_TRUE(bench.fetch("m-0").complete);
}

TEST(EnsClient, AnInventoryThatContradictsItselfOrIsOfACacheIsNoProof) {
  const std::vector<std::function<void(HttpResponse&)>> lies{
      with(R"("Success":false)"), with(R"("images":{"Image":[{"ImageId":"m-7"}]})"), from_cache};
  for (std::size_t lie = 0; lie < lies.size(); ++lie) {
    SCOPED_TRACE(lie);
    EnsBench bench;
    bench.inventory = {"m-0"};
    tamper(bench, "DescribeSelfImages", lies[lie]);
    const InventoryListing walked = bench.walk();
    EXPECT_FALSE(walked.complete);
    EXPECT_EQ(walked.failure.reason, Reason::bad_payload);
    EXPECT_FALSE(bench.fetch("m-0").complete) << "nor does it prove that an empty list is ours";
    EXPECT_FALSE(bench.fetch("m-1").gone);
  }
}

TEST(EnsClient, TheRequestIdsOfALookUpAreEvidenceOfItsListing) {
  EnsBench bench;
  bench.inventory = {"m-0"};
  tamper(bench, "DescribeSelfImages", with(R"("RequestId":"LOOK-UP")"));
  EXPECT_EQ(bench.fetch("m-0").request_ids.front(), "LOOK-UP");
  EXPECT_EQ(bench.fetch("m-1").request_ids.front(), "LOOK-UP");
  EXPECT_EQ(bench.walk().request_ids.back(), "LOOK-UP");
}

TEST(EnsClient, RequestIdsThatAreAlikeForLongAreTwo) {
  EnsBench bench;
  bench.inventory = {"m-0"};
  std::set<std::string> heard;
  for (const char* end : {"a", "b"}) {
    tamper(bench, "DescribeSelfImages", with(R"("RequestId":")" + std::string(100'000, 'x') + end + R"(")"));
    const std::string id = bench.walk().request_ids.back();
    EXPECT_LE(id.size(), 80U);
    heard.insert(id);
  }
  EXPECT_EQ(heard.size(), 2U);
}

TEST(EnsClient, AnAnswerThatIsNoProofIsNamed) {
  for (const char* doubtful :
       {R"("NextToken":"abc")", R"("ShareGroups":["all"])", R"("Success":false)", R"("Accounts":7)"}) {
    EnsBench bench;
    tamper(bench, "DescribeImageSharePermission", [doubtful](HttpResponse& response) {
      response.body = R"({"RequestId":"THIS-ONE",)" + std::string(doubtful) + R"(,"TotalCount":0})";
    });
    EXPECT_EQ(bench.fetch("m-1").failure.request_id, "THIS-ONE") << doubtful;
  }
}

}  // namespace
}  // namespace sharedrift
