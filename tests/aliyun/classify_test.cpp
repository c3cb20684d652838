#include "aliyun/classify.hpp"

#include "aliyun/answer.hpp"
#include "api_answers.hpp"
#include "core/enumerators.hpp"
#include "core/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace sharedrift {
namespace {

using testing::answer;
using ::testing::HasSubstr;
using testing::kept;
using ::testing::Not;
using ::testing::StartsWith;

TEST(Classify, KnowsEveryDocumentedRefusal) {
  const auto table = nlohmann::json::parse(testing::kept_text("refusals"));
  ASSERT_GE(table.size(), 70U);
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
    EXPECT_EQ(enumerator_name<Remedy::new_time>(error.remedy), row["remedy"].get<std::string>());
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

TEST(Classify, NoRowHidesALaterOne) {
  const auto hides = [](std::string_view earlier, std::string_view later) {
    if (earlier.starts_with('*')) return later.find(earlier.substr(1)) != std::string_view::npos;
    if (!earlier.ends_with('*')) return earlier == later;
    return !later.starts_with('*') && later.starts_with(earlier.substr(0, earlier.size() - 1));
  };
  const auto rows = api_codes();
  for (std::size_t later = 0; later < rows.size(); ++later) {
    for (std::size_t earlier = 0; earlier < later; ++earlier) {
      EXPECT_FALSE(hides(rows[earlier].code, rows[later].code))
          << rows[later].code << " comes after " << rows[earlier].code << " and never counts";
    }
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

}  // namespace
}  // namespace sharedrift
