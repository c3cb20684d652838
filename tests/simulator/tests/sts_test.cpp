#include "sim.hpp"

#include <gtest/gtest.h>

namespace sharedrift::simulator::testing {
namespace {

using std::chrono::seconds;
using ::testing::StartsWith;

constexpr const char* kRole = "acs:ram::1111111111111111:role/reader";
constexpr const char* kProvider = "acs:ram::1111111111111111:oidc-provider/k8s";

json sts_scenario() {
  json scenario = Sim::default_scenario();
  scenario["keys"].push_back({{"id", "root"}, {"secret", "sk"}, {"kind", "account"}});
  scenario["roles"] = {{{"name", "reader"}, {"rights", {"ens:*", "sts:*"}}},
                       {{"name", "external"}, {"external_id", "e-1"}, {"max_session_seconds", 3600}},
                       {{"name", "others"}, {"trusted", {"9"}}},
                       {{"name", "sim-role"}, {"rights", {"ens:Describe*"}}}};
  scenario["oidc"] = {{{"provider_arn", kProvider}, {"token_file", "/run/token"}}};
  return scenario;
}

Answered assume(Sim& sim, Pairs parameters, const std::string& secret = "sk") {
  bool named = false;
  for (const auto& [name, value] : parameters)
    named = named || name == "RoleSessionName";
  if (!named) parameters.emplace_back("RoleSessionName", "exporter");
  return sim.send(sim.rpc("AssumeRole", std::move(parameters), secret, "2015-04-01"));
}

Acs3Options as_session(const json& credentials) {
  Acs3Options options;
  options.key_id = credentials["AccessKeyId"];
  options.secret = credentials["AccessKeySecret"];
  options.token = credentials["SecurityToken"];
  return options;
}

TEST(Sts, SaysWhoCalls) {
  Sim sim(sts_scenario());
  const Answered user = sim.call("GetCallerIdentity", {}, {.version = "2015-04-01"});
  EXPECT_EQ(user.body["AccountId"], "1111111111111111");
  EXPECT_EQ(user.body["IdentityType"], "RAMUser");
  EXPECT_EQ(user.body["Arn"], "acs:ram::1111111111111111:user/sim-ak");
  const Answered root = sim.call("GetCallerIdentity", {}, {.key_id = "root", .version = "2015-04-01"});
  EXPECT_EQ(root.body["IdentityType"], "Account");
}

TEST(Sts, GivesOutWorkingSessions) {
  Sim sim(sts_scenario());
  const Answered answer = assume(sim, {{"RoleArn", kRole}, {"DurationSeconds", "900"}});
  ASSERT_EQ(answer.status, 200) << answer.text;
  const json& credentials = answer.body["Credentials"];
  EXPECT_THAT(credentials["AccessKeyId"].get<std::string>(), StartsWith("STS."));
  EXPECT_EQ(credentials["Expiration"], format_api_time(sim.now.wall + seconds{900}));
  EXPECT_EQ(answer.body["AssumedRoleUser"]["Arn"], "acs:ram::1111111111111111:assumed-role/reader/exporter");
  Acs3Options session = as_session(credentials);
  EXPECT_EQ(sim.list({}, session).status, 200);
  session.version = "2015-04-01";
  EXPECT_EQ(sim.call("GetCallerIdentity", {}, session).body["IdentityType"], "AssumedRoleUser");
  session.version = "2017-11-10";
  sim.pass(seconds{900});
  EXPECT_EQ(sim.list({}, session).code(), "InvalidSecurityToken.Expired");
}

TEST(Sts, ChainsRoles) {
  Sim sim(sts_scenario());
  const json first = assume(sim, {{"RoleArn", kRole}}).body["Credentials"];
  const Answered second = sim.send(sim.rpc("AssumeRole",
                                           {{"RoleArn", "acs:ram::1111111111111111:role/sim-role"},
                                            {"RoleSessionName", "second"},
                                            {"AccessKeyId", first["AccessKeyId"]},
                                            {"SecurityToken", first["SecurityToken"]}},
                                           first["AccessKeySecret"], "2015-04-01"));
  ASSERT_EQ(second.status, 200) << second.text;
  EXPECT_EQ(sim.list({}, as_session(second.body["Credentials"])).status, 200);
  // The last role may only describe, so the chain ends.
  Acs3Options session = as_session(second.body["Credentials"]);
  session.version = "2015-04-01";
  EXPECT_EQ(sim.call("AssumeRole", {{"RoleArn", kRole}, {"RoleSessionName", "third"}}, session).code(),
            "NoPermission");
}

TEST(Sts, NarrowsBySessionPolicy) {
  Sim sim(sts_scenario());
  const char* policy =
      R"({"Version":"1","Statement":[{"Effect":"Allow","Action":"ens:DescribeSelfImages","Resource":"*"}]})";
  const Answered answer = assume(sim, {{"RoleArn", kRole}, {"Policy", policy}});
  const Acs3Options session = as_session(answer.body["Credentials"]);
  EXPECT_EQ(sim.list({}, session).code(), "NoPermission");
  EXPECT_EQ(sim.call("DescribeSelfImages", {}, session).status, 200);
  for (const char* bad : {"{", "{}", R"({"Statement":[{"Effect":"Maybe","Action":"*"}]})"}) {
    EXPECT_EQ(assume(sim, {{"RoleArn", kRole}, {"Policy", bad}}).code(), "InvalidParameter.PolicyGrammar")
        << bad;
  }
}

TEST(Sts, RefusesWhatItShould) {
  Sim sim(sts_scenario());
  EXPECT_EQ(assume(sim, {}).code(), "MissingParameter");
  EXPECT_EQ(assume(sim, {{"RoleArn", "reader"}}).code(), "InvalidParameter.RoleArn");
  const Answered unknown = assume(sim, {{"RoleArn", "acs:ram::1111111111111111:role/none"}});
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(unknown.code(), "EntityNotExist.Role");
  for (const char* duration : {"899", "43201", "long"}) {
    EXPECT_EQ(assume(sim, {{"RoleArn", kRole}, {"DurationSeconds", duration}}).code(),
              "InvalidParameter.DurationSeconds");
  }
  EXPECT_EQ(assume(sim, {{"RoleArn", kRole}, {"DurationSeconds", "43200"}}).status, 200);
  EXPECT_EQ(assume(sim, {{"RoleArn", kRole}, {"RoleSessionName", "a b"}}).code(),
            "InvalidParameter.RoleSessionName");
  EXPECT_EQ(assume(sim, {{"RoleArn", kRole}}, "wrong").code(), "SignatureDoesNotMatch");
  const Answered root = assume(sim, {{"RoleArn", kRole}, {"AccessKeyId", "root"}});
  EXPECT_EQ(root.status, 403);
  EXPECT_EQ(root.code(), "NoPermission");
  EXPECT_EQ(assume(sim, {{"RoleArn", "acs:ram::1111111111111111:role/others"}}).code(), "NoPermission");
}

TEST(Sts, AsksForTheExternalId) {
  Sim sim(sts_scenario());
  const char* arn = "acs:ram::1111111111111111:role/external";
  EXPECT_EQ(assume(sim, {{"RoleArn", arn}}).code(), "NoPermission");
  EXPECT_EQ(assume(sim, {{"RoleArn", arn}, {"ExternalId", "e-2"}}).code(), "NoPermission");
  EXPECT_EQ(assume(sim, {{"RoleArn", arn}, {"ExternalId", "e-1"}}).status, 200);
  EXPECT_EQ(assume(sim, {{"RoleArn", arn}, {"ExternalId", "e-1"}, {"DurationSeconds", "3601"}}).code(),
            "InvalidParameter.DurationSeconds");
}

TEST(Sts, TradesOidcTokensUnsigned) {
  Sim sim(sts_scenario());
  const auto trade = [&sim](const std::string& token, const std::string& provider) {
    ServerRequest request = Sim::bare("POST", "/");
    request.query = {{"Action", "AssumeRoleWithOIDC"}, {"Version", "2015-04-01"}, {"Format", "JSON"}};
    request.headers = {{"content-type", "application/x-www-form-urlencoded"}};
    request.body = std::string("RoleArn=") + percent_encode(kRole) +
                   "&RoleSessionName=pod&OIDCProviderArn=" + percent_encode(provider) + "&OIDCToken=" + token;
    return sim.send(request);
  };
  EXPECT_EQ(trade("t1", kProvider).code(), "AuthenticationFail.OIDCToken.Invalid");  // no file yet
  sim.files["/run/token"] = "t1\n";
  const Answered answer = trade("t1", kProvider);
  ASSERT_EQ(answer.status, 200) << answer.text;
  EXPECT_EQ(sim.list({}, as_session(answer.body["Credentials"])).status, 200);
  sim.files["/run/token"] = "t2\n";
  EXPECT_EQ(trade("t1", kProvider).code(), "AuthenticationFail.OIDCToken.Invalid");
  EXPECT_EQ(trade("t2", "acs:ram::1:oidc-provider/other").code(), "InvalidParameter.OIDCProviderArn");
}

ServerRequest get(const std::string& path, const std::string& token = "") {
  ServerRequest request = Sim::bare("GET", path);
  if (!token.empty()) request.headers = {{"x-aliyun-ecs-metadata-token", token}};
  return request;
}

constexpr const char* kCredentialsPath = "/latest/meta-data/ram/security-credentials/";

TEST(Metadata, ServesVersionOneAndTwo) {
  Sim sim(sts_scenario());
  EXPECT_EQ(sim.send(get(kCredentialsPath)).text, "sim-role");
  ServerRequest put = Sim::bare("PUT", "/latest/api/token");
  EXPECT_EQ(sim.send(put).status, 400);
  put.headers = {{"x-aliyun-ecs-metadata-token-ttl-seconds", "60"}};
  const std::string token = sim.send(put).text;
  const Answered answer = sim.send(get(std::string(kCredentialsPath) + "sim-role", token));
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body["Code"], "Success");
  EXPECT_EQ(sim.list({}, as_session(answer.body)).status, 200);
  EXPECT_EQ(sim.send(get(kCredentialsPath, "made-up")).status, 401);
  sim.pass(seconds{60});
  EXPECT_EQ(sim.send(get(kCredentialsPath, token)).status, 401);
}

TEST(Metadata, CanBeHardenedAndRoleless) {
  Sim sim(sts_scenario());
  sim.control("behaviour", {{"metadata_v1", false}});
  EXPECT_EQ(sim.send(get(kCredentialsPath)).status, 403);
  sim.control("behaviour", {{"metadata_v1", true}, {"metadata_role", ""}});
  EXPECT_EQ(sim.send(get(kCredentialsPath)).status, 404);
  EXPECT_EQ(sim.send(get("/latest/meta-data/other")).status, 404);
}

TEST(Metadata, RenewsCredentialsInTheSecondHalfOfTheirLife) {
  Sim sim(sts_scenario());
  const std::string path = std::string(kCredentialsPath) + "sim-role";
  const json first = sim.send(get(path)).body;
  sim.pass(seconds{1'799});
  EXPECT_EQ(sim.send(get(path)).body["AccessKeyId"], first["AccessKeyId"]);
  sim.pass(seconds{1});
  EXPECT_NE(sim.send(get(path)).body["AccessKeyId"], first["AccessKeyId"]);
  EXPECT_EQ(sim.list({}, as_session(first)).status, 200);  // the old ones are still good
}

TEST(CredentialsUri, Answers) {
  Sim sim(sts_scenario());
  const Answered answer = sim.send(get("/credentials"));
  EXPECT_EQ(answer.body["Code"], "Success");
  EXPECT_EQ(sim.list({}, as_session(answer.body)).status, 200);
}

}  // namespace
}  // namespace sharedrift::simulator::testing
