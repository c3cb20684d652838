#include "sim.hpp"
#include "support/test_data.hpp"
#include "wire/digest.hpp"
#include "wire/encoding.hpp"

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

namespace sharedrift::simulator::testing {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::HasSubstr;

json vector_named(const std::string& name) {
  std::ifstream file(sharedrift::testing::test_data("signature-vectors") / (name + ".json"));
  return json::parse(file);
}

class Vectors : public ::testing::TestWithParam<const char*> {};

TEST_P(Vectors, AreRecomputedFromTheDecodedRequest) {
  const json vector = vector_named(GetParam());
  Pairs query;
  for (const auto& [name, value] : vector["inputs"]["query"].items())
    query.emplace(query.begin(), name, value);  // in no canonical order
  Pairs headers;
  for (const auto& [name, value] : vector["expected"]["headers_to_sign"].items())
    headers.emplace_back(name, value);
  const std::string method = vector["inputs"]["method"];
  const std::string hash = to_hex(sha256(vector["inputs"]["body_utf8"].get<std::string>()));
  const std::string canonical = acs3_canonical_request(method, query, headers, hash);
  EXPECT_EQ(canonical, vector["expected"]["canonical_request"].get<std::string>());
  const std::string text = acs3_string_to_sign(canonical);
  EXPECT_EQ(acs3_signature(vector["inputs"]["access_key_secret"].get<std::string>(), text),
            vector["expected"]["signature"].get<std::string>());
}

INSTANTIATE_TEST_SUITE_P(Signature, Vectors,
                         ::testing::Values("acs3-01-plain", "acs3-02-all-params", "acs3-03-sts-token",
                                           "acs3-04-get", "acs3-05-reserved-chars", "acs3-06-unicode",
                                           "acs3-07-empty-page-number", "acs3-08-singapore-host"));

TEST(Auth, TakesAProperlySignedRequest) {
  Sim sim;
  EXPECT_EQ(sim.list().status, 200);
  EXPECT_EQ(sim.list({}, {.method = "GET"}).status, 200);
}

TEST(Auth, RefusesAWrongSecretAndEchoesWhatItSigned) {
  Sim sim;
  const Answered answer = sim.list({}, {.secret = "wrong"});
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.code(), "SignatureDoesNotMatch");
  EXPECT_THAT(answer.body["Message"].get<std::string>(),
              HasSubstr("server string to sign is:ACS3-HMAC-SHA256\n"));
  EXPECT_THAT(answer.body["Message"].get<std::string>(),
              HasSubstr("x-acs-action:DescribeImageSharePermission"));
}

TEST(Auth, NoticesEachChangeAfterSigning) {
  Sim sim;
  EXPECT_EQ(
      sim.list({}, {.replace = {{"x-acs-version", "2015-04-01"}, {"x-acs-action", "GetCallerIdentity"}}})
          .code(),
      "SignatureDoesNotMatch");
  EXPECT_EQ(sim.list({}, {.replace = {{"host", "elsewhere"}}}).code(), "SignatureDoesNotMatch");
  ServerRequest request = sim.acs3("DescribeImageSharePermission", {{"ImageId", kImage}});
  request.query.front().second = "m-other";
  EXPECT_EQ(sim.send(request).code(), "SignatureDoesNotMatch");
  request = sim.acs3("DescribeImageSharePermission", {{"ImageId", kImage}});
  request.method = "GET";
  EXPECT_EQ(sim.send(request).code(), "SignatureDoesNotMatch");
  request = sim.acs3("DescribeImageSharePermission", {{"ImageId", kImage}});
  request.body = "x";
  EXPECT_EQ(sim.send(request).code(), "SignatureDoesNotMatch");
}

TEST(Auth, TakesParametersFromASignedForm) {
  Sim sim;
  Acs3Options options;
  options.body = std::string("ImageId=") + kImage + "&PageSize=2&AliyunId=1%32+";
  options.content_type = "application/x-www-form-urlencoded";
  const Answered answer = sim.call("DescribeImageSharePermission", {}, options);
  EXPECT_EQ(answer.code(), "InvalidParameter.AliyunId");  // "12 ": the decoding is seen to work
  options.body = std::string("ImageId=") + kImage + "&PageSize=2";
  EXPECT_EQ(sim.call("DescribeImageSharePermission", {}, options).body["PageSize"], 2);
}

TEST(Auth, RefusesWhatIsNotSigned) {
  Sim sim;
  ServerRequest request = Sim::bare("POST", "/");
  request.query = {
      {"Action", "DescribeImageSharePermission"}, {"Version", "2017-11-10"}, {"ImageId", kImage}};
  EXPECT_EQ(sim.send(request).code(), "IncompleteSignature");
}

TEST(Auth, RefusesUnsignedOrMissingHeaders) {
  Sim sim;
  for (const char* name : {"host", "x-acs-action", "x-acs-date", "x-acs-version", "x-acs-content-sha256",
                           "x-acs-signature-nonce"}) {
    EXPECT_EQ(sim.list({}, {.leave_unsigned = {name}}).code(), "IncompleteSignature") << name;
  }
  for (const char* name : {"host", "x-acs-date", "x-acs-content-sha256", "x-acs-signature-nonce"}) {
    EXPECT_EQ(sim.list({}, {.leave_out = {name}}).code(), "IncompleteSignature") << name;
  }
  Acs3Options form{.body = "a=b", .content_type = "application/x-www-form-urlencoded"};
  form.leave_unsigned = {"content-type"};
  EXPECT_EQ(sim.list({}, form).code(), "IncompleteSignature");
  EXPECT_EQ(sim.list({}, {.replace = {{"authorization", "ACS3-HMAC-SHA256 Credential=ak"}}}).code(),
            "IncompleteSignature");
}

TEST(Auth, KnowsItsKeys) {
  Sim sim;
  const Answered unknown = sim.list({}, {.key_id = "nobody"});
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(unknown.code(), "InvalidAccessKeyId.NotFound");
  sim.control("keys/disable", {{"id", "ak"}});
  EXPECT_EQ(sim.list().code(), "InvalidAccessKeyId.Inactive");
  sim.control("keys/enable", {{"id", "ak"}});
  EXPECT_EQ(sim.list().status, 200);
}

TEST(Auth, HoldsTheClockWindow) {
  Sim sim;
  for (const seconds inside : {seconds{-900}, seconds{900}}) {
    EXPECT_EQ(sim.list({}, {.client_skew = inside}).status, 200);
  }
  for (const seconds outside : {seconds{-901}, seconds{901}}) {
    const Answered answer = sim.list({}, {.client_skew = outside});
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(answer.code(), "InvalidTimeStamp.Expired");
  }
  for (const char* odd : {"2026-11-18", "2026-11-18T10:00:00.000Z", "2026-11-18T10:00:00+08:00", "now"}) {
    EXPECT_EQ(sim.list({}, {.date = odd}).code(), "InvalidTimeStamp.Format") << odd;
  }
}

TEST(Auth, RefusesAUsedNonceForFifteenMinutes) {
  Sim sim;
  EXPECT_EQ(sim.list({}, {.nonce = "once"}).status, 200);
  EXPECT_EQ(sim.list({}, {.nonce = "once"}).code(), "SignatureNonceUsed");
  sim.pass(minutes{15});
  EXPECT_EQ(sim.list({}, {.nonce = "once"}).status, 200);
}

TEST(Auth, DoesNotRememberTheNonceOfAForgery) {
  Sim sim;
  EXPECT_EQ(sim.list({}, {.secret = "wrong", .nonce = "n"}).code(), "SignatureDoesNotMatch");
  EXPECT_EQ(sim.list({}, {.nonce = "n"}).status, 200);
}

TEST(Auth, ChecksTheSecurityToken) {
  Sim sim;
  sim.control("keys", {{"id", "STS.a"}, {"secret", "s"}, {"token", "tok-a"}, {"expires_in_seconds", 60}});
  sim.control("keys", {{"id", "STS.b"}, {"secret", "s"}, {"token", "tok-b"}});
  const auto list_as = [&sim](const char* key, const char* secret, const char* token) {
    return sim.list({}, {.key_id = key, .secret = secret, .token = token});
  };
  EXPECT_EQ(list_as("STS.a", "s", "tok-a").status, 200);
  EXPECT_EQ(list_as("STS.a", "s", "").code(), "MissingSecurityToken");
  EXPECT_EQ(list_as("STS.a", "s", "nonsense").code(), "InvalidSecurityToken.Malformed");
  EXPECT_EQ(list_as("STS.a", "s", "tok-b").code(), "InvalidSecurityToken.MismatchWithAccessKey");
  EXPECT_EQ(list_as("ak", "sk", "tok-b").code(), "InvalidSecurityToken.MismatchWithAccessKey");
  sim.pass(seconds{60});
  const Answered late = list_as("STS.a", "s", "tok-a");
  EXPECT_EQ(late.status, 403);
  EXPECT_EQ(late.code(), "InvalidSecurityToken.Expired");
}

TEST(Auth, TakesTheLegacySignature) {
  Sim sim;
  const Pairs image{{"ImageId", kImage}};
  EXPECT_EQ(sim.send(sim.rpc("DescribeImageSharePermission", image)).status, 200);
  EXPECT_EQ(sim.send(sim.rpc("DescribeImageSharePermission", image, "sk", "2017-11-10", "GET")).status, 200);
  const Answered wrong = sim.send(sim.rpc("DescribeImageSharePermission", image, "wrong"));
  EXPECT_EQ(wrong.code(), "SignatureDoesNotMatch");
  EXPECT_THAT(wrong.body["Message"].get<std::string>(),
              HasSubstr("server string to sign is:POST&%2F&AccessKeyId%3Dak%26Action%3D"));
}

TEST(Auth, HoldsTheLegacySignatureToTheSameRules) {
  Sim sim;
  const auto code = [&sim](const char* name, const char* value) {
    return sim.send(sim.rpc("DescribeImageSharePermission", {{"ImageId", kImage}, {name, value}})).code();
  };
  EXPECT_EQ(code("Timestamp", "2020-01-01T00:00:00Z"), "InvalidTimeStamp.Expired");
  EXPECT_EQ(code("Timestamp", "yesterday"), "InvalidTimeStamp.Format");
  EXPECT_EQ(code("AccessKeyId", "nobody"), "InvalidAccessKeyId.NotFound");
  EXPECT_EQ(code("SignatureNonce", ""), "IncompleteSignature");
  EXPECT_EQ(code("SignatureMethod", "HMAC-MD5"), "IncompleteSignature");
  EXPECT_EQ(code("SignatureNonce", "x"), "");
  EXPECT_EQ(code("SignatureNonce", "x"), "SignatureNonceUsed");
}

TEST(Auth, RefusesByRights) {
  Sim sim;
  sim.control("keys/rights",
              {{"id", "ak"}, {"rights", {"ens:Describe*", "!ens:DescribeImageSharePermission"}}});
  const Answered denied = sim.list();
  EXPECT_EQ(denied.status, 400);
  EXPECT_EQ(denied.code(), "NoPermission");
  EXPECT_EQ(sim.call("DescribeSelfImages").status, 200);
  sim.control("keys/rights", {{"id", "ak"}, {"denied_with", "Forbidden.RAM"}});
  EXPECT_EQ(sim.list().code(), "Forbidden.RAM");
  EXPECT_EQ(sim.list().status, 403);
  sim.control("keys/rights", {{"id", "ak"}, {"rights", {"ens:Describe*"}}});
  EXPECT_EQ(sim.list().status, 200);
}

TEST(NonceMemory, IsBounded) {
  NonceMemory memory(3);
  const MonoTime now{std::chrono::hours{1}};
  for (const char* nonce : {"a", "b", "c", "d"})
    EXPECT_TRUE(memory.insert("ak", nonce, now));
  EXPECT_FALSE(memory.insert("ak", "d", now));
  EXPECT_TRUE(memory.insert("ak", "a", now));  // the oldest was dropped
  EXPECT_TRUE(memory.insert("other", "d", now));
}

}  // namespace
}  // namespace sharedrift::simulator::testing
