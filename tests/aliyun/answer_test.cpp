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
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kept;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

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

TEST(Classify, KnowsEveryDocumentedRefusal) {
  const auto table = nlohmann::json::parse(testing::kept_text("refusals"));
  ASSERT_GE(table.size(), 70U);
  const auto remedy_name = [](Remedy remedy) {
    switch (remedy) {
      case Remedy::none: return "none";
      case Remedy::retry: return "retry";
      case Remedy::retry_at_once: return "retry_at_once";
      case Remedy::new_credentials: return "new_credentials";
      case Remedy::new_time: return "new_time";
    }
    return "?";
  };
  for (const auto& row : table) {
    SCOPED_TRACE(row.dump());
    const std::string code = row["code"];
    const nlohmann::json body{{"RequestId", "R-1"},
                              {"HostId", "ens.aliyuncs.com"},
                              {"Code", code},
                              {"Message", "a message of the API"},
                              {"Recommend", "https://api.aliyun.com/troubleshoot"}};
    const int status = row["status"];
    if (code.empty() && status == 200) continue;
    const auto opened = open_answer(answer(status, body.dump()));
    ASSERT_FALSE(opened);
    const ApiError& error = opened.error();
    EXPECT_EQ(to_string(error.failure.reason), row["reason"].get<std::string>());
    EXPECT_EQ(remedy_name(error.remedy), row["remedy"].get<std::string>());
    EXPECT_EQ(error.failure.code, trim(code));
    EXPECT_EQ(error.failure.http_status, status);
    EXPECT_EQ(error.failure.request_id, "R-1");
    EXPECT_THAT(error.failure.detail, HasSubstr("a message of the API"));
    EXPECT_THAT(error.what, HasSubstr("a message of the API"));
    if (!error.cure.empty()) {
      EXPECT_THAT(error.failure.detail, HasSubstr("; " + error.cure));
      EXPECT_THAT(error.what, Not(HasSubstr(error.cure))) << "what happened comes without what would help";
    }
  }
}

std::string table_of_codes() {
  std::string out = "| code | what it means | what to do | reason |\n|---|---|---|---|\n";
  for (const ApiCode& row : api_codes()) {
    std::string code{row.code};
    if (code.starts_with('*')) code += '*';
    std::string cure{row.cure};
    if (const std::size_t at = cure.find("{right}"); at != std::string::npos)
      cure.replace(at, 7, "the right it names");
    out.append("| `").append(code).append("` | ").append(row.meaning).append(" | ").append(cure);
    out.append(" | `").append(to_string(row.reason)).append("` |\n");
  }
  for (const Reason reason : {Reason::throttled, Reason::server_error, Reason::dns, Reason::connect,
                              Reason::proxy, Reason::tls, Reason::timeout, Reason::reset, Reason::protocol}) {
    out.append("| none | | ").append(usual_cure(reason));
    out.append(" | `").append(to_string(reason)).append("` |\n");
  }
  return out;
}

TEST(ErrorGuide, ShowsWhatTheProgramSays) {
  std::ifstream file(testing::test_data("../../dashboards/ERRORS.md"), std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const std::string begin = "<!-- codes: begin -->\n";
  const std::size_t from = text.find(begin) + begin.size();
  const std::size_t to = text.find("<!-- codes: end -->");
  ASSERT_TRUE(text.find(begin) != std::string::npos && to >= from);
  const std::string right = text.substr(0, from) + table_of_codes() + text.substr(to);
  if (text == right) return;
  const std::string left = ::testing::TempDir() + "ERRORS.md";
  std::ofstream(left, std::ios::binary) << right;
  FAIL() << "dashboards/ERRORS.md is not what the program says; put " << left << " in its place";
}

TEST(Classify, TakesLowerCaseNamesAndNumbersAsCodes) {
  const auto lower = open_answer(answer(400, R"({"code":"NoPermission","requestId":"R-9","message":"m"})"));
  ASSERT_FALSE(lower);
  EXPECT_EQ(lower.error().failure.reason, Reason::forbidden);
  EXPECT_EQ(lower.error().failure.request_id, "R-9");
  const auto number = open_answer(answer(200, R"({"Code":500,"TotalCount":0,"Accounts":{"Account":[]}})"));
  ASSERT_FALSE(number);
  EXPECT_EQ(number.error().failure.code, "500");
  EXPECT_EQ(number.error().failure.reason, Reason::api_other);
}

TEST(Classify, NeverRepeatsWhatTheApiEchoes) {
  const std::string echo =
      "Specified signature is not matched with our calculation. server string to sign is:POST&%2F&AccessKeyId"
      "%3DLTAI-hush%26SecurityToken%3Dhush";
  for (const char* code : {"SignatureDoesNotMatch", "IncompleteSignature", "InvalidAccessKeyId.NotFound",
                           "InvalidSecurityToken.Malformed", "InvalidTimeStamp.Expired", "NeverSeen"}) {
    const nlohmann::json body{{"Code", code}, {"Message", echo}, {"RequestId", "R"}};
    const auto opened = open_answer(answer(400, body.dump()));
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().failure.detail, Not(HasSubstr("hush"))) << code;
    EXPECT_FALSE(opened.error().failure.detail.empty());
  }
}

TEST(Classify, ACodeThatOnlyBeginsLikeAKnownOneIsUnknown) {
  for (const ApiCode& known : api_codes()) {
    if (!known.code.ends_with('*')) continue;
    const std::string other = std::string{known.code.substr(0, known.code.size() - 2)} + "~";
    EXPECT_THAT(classify_refusal(other, 400, "").failure.detail, Not(HasSubstr(std::string{known.meaning})))
        << other;
  }
}

TEST(Classify, OfWhatTheApiSaysWholeSentencesAndShortWordsStay) {
  EXPECT_EQ(harmless("The key is wrong; look at it. The string to sign is: hush."),
            "The key is wrong; look at it.");
  EXPECT_EQ(harmless("It is wrong; StringToSign: hush"), "It is wrong;");
  const std::string token(300, 't');
  const Failure echoed = classify_refusal(token, 400, token).failure;
  EXPECT_EQ(echoed.code, "...") << "no code is as long as a key's token";
  EXPECT_EQ(echoed.request_id, "...");
  EXPECT_EQ(harmless("the server string to sign is: hush"), "") << "the sentence goes from its beginning";
  const std::string longest(48, 'x');
  EXPECT_EQ(harmless("a " + longest + " b"), "a " + longest + " b");
  EXPECT_EQ(harmless("a " + longest + "x b"), "a ... b") << "so long are keys and signatures";
  EXPECT_EQ(harmless(longest + "x a%3D a&b a=b"), "... ... ... ...");
}

TEST(Classify, CutsAndCleansWhatComesFromOutside) {
  const nlohmann::json body{{"Code", "NoPermission" + std::string(500, 'x') + "\n"},
                            {"Message", "line\nbreak\u202e" + std::string(5000, 'm')},
                            {"RequestId", "R\u0000\r\n" + std::string(500, 'r')}};
  const auto opened = open_answer(answer(403, body.dump()));
  ASSERT_FALSE(opened);
  const Failure& failure = opened.error().failure;
  EXPECT_LE(failure.code.size(), 83U);
  EXPECT_LE(failure.request_id.size(), 83U);
  EXPECT_LE(failure.detail.size(), 320U);
  for (const std::string& text : {failure.code, failure.request_id, failure.detail})
    EXPECT_EQ(text.find_first_of(std::string("\n\r\0", 3)), std::string::npos);
}

TEST(Classify, SaysWhatToDoAboutAFailureWithoutACode) {
  EXPECT_EQ(classify_refusal("", 502, "").failure.detail,
            "the API says no more than HTTP 502; if it stays so, ask Alibaba Cloud's support");
  EXPECT_EQ(classify_refusal("NeverSeen", 502, "").failure.detail, "the API says no more than HTTP 502")
      << "a cure of a code is not guessed";
  const ApiError proxy = classify_transport(Reason::proxy, "refused");
  EXPECT_EQ(proxy.failure.detail, "refused; check proxy_url, and its user and password");
  EXPECT_EQ(proxy.what, "refused");
  const auto page = open_answer(answer(200, "<html>"));
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().what, "HTTP 200, a page instead of JSON");
  EXPECT_THAT(page.error().failure.detail, StartsWith(page.error().what + "; compare the endpoint"));
}

TEST(Classify, TriesAgainOnlyWhereTheWayWasTheTrouble) {
  for (const Reason reason :
       {Reason::dns, Reason::connect, Reason::proxy, Reason::timeout, Reason::reset, Reason::local})
    EXPECT_EQ(classify_transport(reason, "d").remedy, Remedy::retry) << to_string(reason);
  for (const Reason reason : {Reason::tls, Reason::protocol, Reason::too_large})
    EXPECT_EQ(classify_transport(reason, "d").remedy, Remedy::none) << to_string(reason);
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
