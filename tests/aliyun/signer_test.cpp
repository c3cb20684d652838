#include "aliyun/signer.hpp"

#include "api_answers.hpp"
#include "support/fakes.hpp"
#include "support/test_data.hpp"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace sharedrift {
namespace {

using ::testing::HasSubstr;
using testing::header_of;
using ::testing::Not;

std::vector<nlohmann::json> vectors() {
  std::vector<nlohmann::json> out;
  for (const auto& entry : std::filesystem::directory_iterator(testing::test_data("signature-vectors"))) {
    if (entry.path().extension() == ".json")
      out.push_back(nlohmann::json::parse(std::ifstream(entry.path())));
  }
  return out;
}

/// Views of the texts in `vector`.
HeadersToSign headers_of(const nlohmann::json& vector) {
  HeadersToSign headers;
  for (const auto& header : vector["expected"]["headers_to_sign"].get_ref<const nlohmann::json::object_t&>())
    headers.emplace(header.first, header.second.get_ref<const std::string&>());
  return headers;
}

Credentials credentials_of(const nlohmann::json& inputs) {
  Credentials credentials;
  credentials.access_key_id = inputs["access_key_id"];
  credentials.access_key_secret = Secret(inputs["access_key_secret"].get<std::string>());
  if (inputs["security_token"].is_string())
    credentials.security_token = Secret(inputs["security_token"].get<std::string>());
  return credentials;
}

RpcParameters query_of(const nlohmann::json& inputs) {
  RpcParameters query;
  for (const auto& [name, value] : inputs["query"].items())
    query.emplace(name, value);
  return query;
}

TEST(Signer, MatchesEveryVectorByteForByte) {
  const auto all = vectors();
  ASSERT_EQ(all.size(), 8U);
  for (const auto& vector : all) {
    const auto& expected = vector["expected"];
    const Credentials credentials = credentials_of(vector["inputs"]);
    const std::string query = encode_parameters(query_of(vector["inputs"]));
    EXPECT_EQ(query, expected["canonical_query"].get<std::string>()) << vector["id"];
    const Acs3Signature signature = sign_acs3(vector["inputs"]["method"].get<std::string>(), query,
                                              headers_of(vector), expected["body_sha256"].get<std::string>(),
                                              credentials.access_key_id, credentials.access_key_secret);
    EXPECT_EQ(signature.canonical_request, expected["canonical_request"].get<std::string>()) << vector["id"];
    EXPECT_EQ(signature.string_to_sign, expected["string_to_sign"].get<std::string>()) << vector["id"];
    EXPECT_EQ(signature.authorization, expected["authorization"].get<std::string>()) << vector["id"];
  }
}

TEST(Signer, BuildsTheRequestsOfTheVectorsThatPostAnEmptyBody) {
  std::size_t checked = 0;
  for (const auto& vector : vectors()) {
    const auto& inputs = vector["inputs"];
    if (inputs["method"] != "POST" || !inputs["extra_signed_headers"].is_null() || inputs["body_utf8"] != "")
      continue;
    const auto host = inputs["host"].get<std::string>();
    const auto action = inputs["action"].get<std::string>();
    const auto version = inputs["version"].get<std::string>();
    const ApiCall call{"https", host, action, version, encode_parameters(query_of(inputs))};
    const auto request = signed_request(call, credentials_of(inputs), inputs["nonce"].get<std::string>(),
                                        *parse_rfc3339(inputs["timestamp"].get<std::string>()));
    ASSERT_TRUE(request);
    EXPECT_EQ(header_of(*request, "authorization"), vector["expected"]["authorization"].get<std::string>())
        << vector["id"];
    EXPECT_EQ(request->url,
              "https://" + host + "/?" + vector["expected"]["canonical_query"].get<std::string>());
    ++checked;
  }
  EXPECT_GE(checked, 6U);
}

TEST(Signer, MatchesTheExampleOfTheDocumentation) {
  const RpcParameters query{{"RegionId", "cn-shanghai"},
                            {"ImageId", "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"}};
  const std::string empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  const Acs3Signature signature = sign_acs3("POST", encode_parameters(query),
                                            {{"x-acs-version", "2014-05-26"},
                                             {"x-acs-action", "RunInstances"},
                                             {"host", "ecs.cn-shanghai.aliyuncs.com"},
                                             {"x-acs-date", "2023-10-26T10:22:32Z"},
                                             {"x-acs-signature-nonce", "3156853299f313e23d1673dc12e1703d"},
                                             {"x-acs-content-sha256", empty}},
                                            empty, "YourAccessKeyId", Secret("YourAccessKeySecret"));
  EXPECT_THAT(signature.string_to_sign,
              HasSubstr("7ea06492da5221eba5297e897ce16e55f964061054b7695beedaac1145b1e259"));
  EXPECT_THAT(signature.authorization,
              HasSubstr("Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"));
}

TEST(Signer, SortsAndTrims) {
  const Acs3Signature signature =
      sign_acs3("POST", "", {{"x-acs-b", " two "}, {"host", "h:8080"}, {"content-type", "x"}}, "body", "id",
                Secret("s"));
  EXPECT_EQ(signature.canonical_request,
            "POST\n/\n\ncontent-type:x\nhost:h:8080\nx-acs-b:two\n\ncontent-type;host;x-acs-b\nbody");
}

TEST(Signer, EncodesAndSortsByCodeUnit) {
  EXPECT_EQ(encode_parameters(
                {{"a", "1"}, {"_", "2"}, {"Z", "3"}, {"Tag.2.Key", "x"}, {"Tag.10.Key", "y"}, {"e", ""}}),
            "Tag.10.Key=y&Tag.2.Key=x&Z=3&_=2&a=1&e=");
  EXPECT_EQ(percent_encode("a b*c'(d)!~%\xE4\xB8\xAD/"), "a%20b%2Ac%27%28d%29%21~%25%E4%B8%AD%2F");
  EXPECT_EQ(percent_encode(std::string(8000, '*')).size(), 24000U);
}

TEST(Signer, ATokenIsSignedAndNeverInTheUrl) {
  Credentials credentials;
  credentials.access_key_id = "STS.id";
  credentials.access_key_secret = Secret("secret");
  credentials.security_token = Secret("token==");
  const auto request = signed_request({"https", "h", "A", "V", "ImageId=m-1"}, credentials, "n", WallTime{});
  ASSERT_TRUE(request);
  EXPECT_EQ(request->url, "https://h/?ImageId=m-1");
  for (const auto& [name, value] : request->headers)
    EXPECT_THAT(value, Not(HasSubstr("secret"))) << name;
  EXPECT_THAT(header_of(*request, "authorization"), HasSubstr("x-acs-accesskey-id"));
  EXPECT_THAT(header_of(*request, "authorization"), HasSubstr("x-acs-security-token"));
  EXPECT_EQ(header_of(*request, "x-acs-security-token"), "token==");
}

TEST(Signer, TakesTheRoomForALongTokenAtOnce) {
  // What grows leaves copies of the token behind, and takes twice the room.
  const Acs3Signature signature =
      sign_acs3("POST", "ImageId=m-1", {{"host", "h"}, {"x-acs-security-token", std::string(3000, 't')}},
                "hash", "id", Secret("s"));
  EXPECT_LT(signature.canonical_request.capacity() - signature.canonical_request.size(), 64U);
}

TEST(Signer, SignsNothingWithoutIdOrSecret) {
  const ApiCall call{"https", "h", "A", "V", {}};
  Credentials credentials;
  credentials.access_key_id = "id";
  EXPECT_FALSE(signed_request(call, credentials, "n", WallTime{}));
  EXPECT_EQ(sign_acs3("POST", "", {{"host", "h"}}, "hash", "id", Secret{}).authorization, "");
  credentials.access_key_secret = Secret("s");
  EXPECT_TRUE(signed_request(call, credentials, "n", WallTime{}));
  credentials.access_key_id.clear();
  EXPECT_FALSE(signed_request(call, credentials, "n", WallTime{}));
}

TEST(Signer, SignsThePortAndAFormAsTheDocumentationAsks) {
  // Recomputed with Python's hashlib and hmac from the rules of the documentation.
  const Acs3Signature signature =
      sign_acs3("POST", encode_parameters({{"ImageId", std::string(3000, '*')}, {"Page", ""}}),
                {{"x-acs-action", " Describe "},
                 {"host", "127.0.0.1:8443"},
                 {"content-type", "application/x-www-form-urlencoded"}},
                "2d3ae3a2a8c6d0e8b3b0b8f2a1f0c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5", "FAKE-ID",
                Secret("not-a-real-secret"));
  EXPECT_EQ(signature.string_to_sign,
            "ACS3-HMAC-SHA256\n36d42f810b416ce4be764668083acc0a805e4dd7c3f4935f56914948054afabd");
  EXPECT_EQ(signature.authorization,
            "ACS3-HMAC-SHA256 "
            "Credential=FAKE-ID,SignedHeaders=content-type;host;x-acs-action,Signature="
            "b1b8148387a37dbf2e5787bbdd1b1826c1e9a94352f61667b9d439ec10ae920d");
}

TEST(Signer, SignsVersionOneAsDocumented) {
  // The example of "RPC mechanism" in the ECS documentation.
  const RpcParameters parameters{{"Timestamp", "2016-02-23T12:46:24Z"},
                                 {"Format", "XML"},
                                 {"AccessKeyId", "testid"},
                                 {"Action", "DescribeRegions"},
                                 {"SignatureMethod", "HMAC-SHA1"},
                                 {"SignatureNonce", "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf"},
                                 {"Version", "2014-05-26"},
                                 {"SignatureVersion", "1.0"}};
  EXPECT_EQ(rpc_signature("GET", parameters, Secret("testsecret")), "OLeaidS1JvxuMvnyHOwuJ+uX5qY=");
}

}  // namespace
}  // namespace sharedrift
