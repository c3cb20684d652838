#include "aliyun/answer.hpp"

#include "api_answers.hpp"
#include "core/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace sharedrift {
namespace {

using testing::answer;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::kept;
using ::testing::SizeIs;

constexpr const char* kA = "1715107400000001";
constexpr const char* kB = "1715107400000002";

Result<Page, Failure> page_in(const HttpResponse& response) {
  auto opened = open_answer(response);
  if (!opened) return Err(opened.error().failure);
  return decode_page(opened->root());
}

std::vector<std::string> ids(const Page& page) {
  std::vector<std::string> out;
  for (const AccountId& account : page.accounts)
    out.emplace_back(account.str());
  return out;
}

TEST(Answer, TakesEveryFormOfAccounts) {
  struct Row {
    const char* file;
    std::vector<std::string> accounts;
  };
  const std::vector<Row> rows{
      {"listing-uid-strings", {kA, kB}},
      {"listing-uid-numbers", {kA, kB}},
      {"listing-id-strings", {kA, kB}},
      {"listing-id-numbers", {kA, kB}},
      {"listing-bare-strings", {kA, kB}},
      {"listing-bare-numbers", {kA, kB}},
      {"listing-mixed-forms", {kA, kB}},
      {"listing-null-uid-then-id", {kA, kB}},
      {"listing-accounts-as-array", {kA, kB}},
      {"listing-counts-as-strings", {kA, kB}},
      {"listing-code-zero", {kA, kB}},
      {"listing-code-success", {kA, kB}},
      {"listing-beyond-64-bits",
       {"18446744073709551615", "18446744073709551616", "99999999999999999999", "9007199254740993"}},
      {"listing-empty-array", {}},
      {"listing-empty-accounts", {}},
      {"listing-no-accounts", {}},
      {"listing-null-accounts", {}},
      {"listing-null-account", {}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.file);
    const auto page = page_in(kept(row.file));
    ASSERT_TRUE(page) << page.error().detail;
    EXPECT_EQ(ids(*page), row.accounts);
    EXPECT_EQ(page->unusable_rows, 0U);
    EXPECT_EQ(page->total_count, static_cast<std::int64_t>(row.accounts.size()));
    EXPECT_EQ(page->page_number, 1);
    EXPECT_EQ(page->page_size, 100);
    EXPECT_EQ(page->image_id, testing::kImage);
    EXPECT_EQ(page->request_id, "A44EE357-6174-5E37-A801-3D42A7D0A1F2");
  }
}

TEST(Answer, CountsARowItDoesNotUnderstandAndKeepsTheOthers) {
  const auto page = page_in(kept("listing-unusable-rows"));
  ASSERT_TRUE(page);
  EXPECT_THAT(ids(*page), ElementsAre(kA));
  EXPECT_EQ(page->unusable_rows, 13U);
  const auto old = page_in(kept("listing-old-example"));
  ASSERT_TRUE(old);
  EXPECT_THAT(ids(*old), IsEmpty());
  EXPECT_EQ(old->unusable_rows, 1U);
  const auto floats = page_in(kept("listing-float-rows"));
  ASSERT_TRUE(floats);
  EXPECT_EQ(floats->unusable_rows, 4U);
}

TEST(Answer, LeavesContradictionsForTheListingToJudge) {
  const auto sample = page_in(kept("listing-documentation-sample"));
  ASSERT_TRUE(sample);
  EXPECT_EQ(sample->total_count, 2);
  EXPECT_EQ(sample->accounts.size(), 1U);
  EXPECT_EQ(sample->image_id, "m-xxxxx");
  EXPECT_EQ(page_in(kept("listing-no-accounts-but-a-count"))->total_count, 2);
  EXPECT_EQ(page_in(kept("listing-without-count"))->total_count, std::nullopt);
}

TEST(Answer, TellsAnAbsentEchoFromOneThatCannotBeRight) {
  const auto none = page_in(kept("listing-without-echoes"));
  ASSERT_TRUE(none);
  EXPECT_EQ(none->image_id, std::nullopt);
  EXPECT_EQ(none->page_number, std::nullopt);
  EXPECT_EQ(none->page_size, std::nullopt);
  const auto odd = page_in(kept("listing-odd-echoes"));
  ASSERT_TRUE(odd);
  EXPECT_EQ(odd->image_id, "7");
  EXPECT_EQ(odd->page_number, -1);
  EXPECT_EQ(odd->page_size, -1);
}

TEST(Answer, RefusesWhatIsNoListing) {
  for (const char* file :
       {"bad-accounts-text", "bad-account-object", "bad-accounts-other-key", "bad-nothing-of-a-listing"}) {
    SCOPED_TRACE(file);
    const auto page = page_in(kept(file));
    ASSERT_FALSE(page);
    EXPECT_EQ(page.error().reason, Reason::bad_payload);
  }
}

std::string repeated(const std::string& text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i)
    out += text;
  return out;
}

/// `{"0":0,"1":0,...}`
std::string wide_object(int names) {
  std::string out = "{";
  for (int i = 0; i < names; ++i)
    out += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":0";
  return out + "}";
}

TEST(Answer, RefusesWhatIsNoAnswerOfTheApi) {
  struct Row {
    const char* what;
    HttpResponse response;
    Reason reason;
    Remedy remedy;
  };
  const std::string good = testing::kept_text("listing-uid-strings");
  const std::vector<Row> rows{
      {"nothing", answer(200, ""), Reason::bad_payload, Remedy::none},
      {"cut", answer(200, good.substr(0, good.size() / 2)), Reason::bad_payload, Remedy::none},
      {"more after it", answer(200, good + "{}"), Reason::bad_payload, Remedy::none},
      {"a list", answer(200, "[]"), Reason::bad_payload, Remedy::none},
      {"null", answer(200, "null"), Reason::bad_payload, Remedy::none},
      {"a name twice", answer(200, R"({"TotalCount":0,"TotalCount":1})"), Reason::bad_payload, Remedy::none},
      {"a name twice, deep inside", answer(200, R"({"TotalCount":1,"Accounts":{"Account":[{"a":1,"a":1}]}})"),
       Reason::bad_payload, Remedy::none},
      {"invalid UTF-8", answer(200, "{\"TotalCount\":0,\"RequestId\":\"\xC3\x28\"}"), Reason::bad_payload,
       Remedy::none},
      {"half a surrogate pair", answer(200, R"({"RequestId":"\ud800"})"), Reason::bad_payload, Remedy::none},
      {"a number beyond double", answer(200, R"({"TotalCount":1e999})"), Reason::bad_payload, Remedy::none},
      {"not a number", answer(200, R"({"TotalCount":NaN})"), Reason::bad_payload, Remedy::none},
      {"depth", answer(200, repeated(R"({"a":)", 33) + "1" + repeated("}", 33)), Reason::too_large,
       Remedy::none},
      {"great depth", answer(200, repeated("[", 2'000'000)), Reason::too_large, Remedy::none},
      {"many values", answer(200, "{\"a\":[0" + repeated(",0", 300'000) + "]}"), Reason::too_large,
       Remedy::none},
      {"many names", answer(200, wide_object(101)), Reason::too_large, Remedy::none},
      {"a page", answer(200, "\n <!DOCTYPE html><html>"), Reason::protocol, Remedy::none},
      {"XML", answer(400, "<?xml version='1.0'?><Error/>"), Reason::protocol, Remedy::none},
      {"no content", answer(204, ""), Reason::protocol, Remedy::none},
      {"201", answer(201, good), Reason::protocol, Remedy::none},
      {"201 of success", answer(201, R"({"Code":"Success"})"), Reason::protocol, Remedy::none},
      {"a redirect", answer(302, ""), Reason::protocol, Remedy::none},
      {"a redirect with a listing", answer(301, good), Reason::protocol, Remedy::none},
      {"a redirect with a code", answer(307, R"({"Code":"Throttling"})"), Reason::protocol, Remedy::none},
      {"an odd code", answer(200, R"({"Code":{},"TotalCount":0})"), Reason::bad_payload, Remedy::none},
      {"a false code", answer(200, R"({"Code":false,"TotalCount":0})"), Reason::bad_payload, Remedy::none},
      {"a server's page", answer(500, "<html>"), Reason::server_error, Remedy::retry},
      {"a gateway's page", answer(502, "<html>Bad Gateway</html>"), Reason::server_error, Remedy::retry},
      {"a gateway's silence", answer(504, ""), Reason::server_error, Remedy::retry},
      {"a limiter's page", answer(429, "slow down"), Reason::throttled, Remedy::retry},
      {"a firewall's page", answer(403, "<html>"), Reason::protocol, Remedy::none},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    const auto opened = open_answer(row.response);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().failure.reason, row.reason) << opened.error().failure.detail;
    EXPECT_EQ(opened.error().remedy, row.remedy);
    EXPECT_EQ(opened.error().failure.http_status, row.response.status);
    EXPECT_FALSE(opened.error().failure.detail.empty());
  }
}

Result<InventoryPage, Failure> inventory_in(const std::string& file) {
  auto opened = open_answer(kept(file));
  if (!opened) return Err(opened.error().failure);
  return decode_inventory(opened->root());
}

TEST(Answer, ReadsTheInventory) {
  const auto self = inventory_in("inventory-self");
  ASSERT_TRUE(self);
  ASSERT_THAT(self->rows, SizeIs(1));
  EXPECT_EQ(self->rows[0].id.str(), testing::kImage);
  EXPECT_EQ(self->rows[0].name, "edge-base");
  EXPECT_EQ(self->rows[0].created, parse_rfc3339("2026-11-20T08:30:00Z"));
  EXPECT_TRUE(self->rows[0].ours);
  EXPECT_EQ(self->page_number, 1);
  EXPECT_EQ(self->total_count, 1);
  const auto others = inventory_in("inventory-others");
  ASSERT_TRUE(others);
  ASSERT_THAT(others->rows, SizeIs(1));
  EXPECT_FALSE(others->rows[0].ours);
  EXPECT_TRUE(inventory_in("inventory-owner-not-told")->rows.at(0).ours);
  EXPECT_THAT(inventory_in("inventory-longest-name")->rows.at(0).name, ::testing::EndsWith("-prod"))
      << "128 characters, as many as a name may have";
  const auto odd = inventory_in("inventory-row-without-id");
  ASSERT_TRUE(odd);
  EXPECT_THAT(odd->rows, IsEmpty());
  EXPECT_EQ(odd->unusable_rows, 1U);
  for (const char* file : {"inventory-empty", "inventory-no-images"}) {
    const auto empty = inventory_in(file);
    ASSERT_TRUE(empty) << file;
    EXPECT_THAT(empty->rows, IsEmpty());
    EXPECT_EQ(empty->total_count, 0);
  }
  for (const char* file : {"bad-inventory-silent", "bad-inventory-count-only", "bad-inventory-form",
                           "bad-inventory-other-key", "listing-uid-strings"}) {
    const auto bad = inventory_in(file);
    ASSERT_FALSE(bad) << file;
    EXPECT_EQ(bad.error().reason, Reason::bad_payload);
  }
}

TEST(Answer, ReadsWhoseKeyItIs) {
  for (const char* file : {"identity", "identity-number"})
    EXPECT_EQ(decode_caller_identity(open_answer(kept(file))->root())->str(), "1111111111111111") << file;
  for (const char* file : {"bad-identity", "listing-uid-strings"})
    EXPECT_EQ(decode_caller_identity(open_answer(kept(file))->root()).error().reason, Reason::bad_payload)
        << file;
}

}  // namespace
}  // namespace sharedrift
