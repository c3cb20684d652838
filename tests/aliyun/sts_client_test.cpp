#include "aliyun/sts_client.hpp"

#include "aliyun/rpc_signature.hpp"
#include "core/text.hpp"
#include "gate_bench.hpp"
#include "simulator/tests/sim.hpp"
#include "support/fakes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(RpcSignature, MatchesTheDocumentedExample) {
  const RpcParameters parameters{{"Action", "DescribeRegions"},
                                 {"Format", "XML"},
                                 {"Version", "2014-05-26"},
                                 {"AccessKeyId", "testid"},
                                 {"SignatureMethod", "HMAC-SHA1"},
                                 {"SignatureVersion", "1.0"},
                                 {"Timestamp", "2016-02-23T12:46:24Z"},
                                 {"SignatureNonce", "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf"}};
  EXPECT_EQ(rpc_signature("GET", parameters, Secret{"testsecret"}), "OLeaidS1JvxuMvnyHOwuJ+uX5qY=");
  EXPECT_EQ(rpc_signature("GET", parameters, Secret{}), "");
}

TEST(RpcSignature, EncodesAsRfc3986Says) {
  EXPECT_EQ(percent_encode("aZ09-_.~"), "aZ09-_.~");
  EXPECT_EQ(percent_encode(" +*'()!/%:=\n\xE5\x9B\xBE"), "%20%2B%2A%27%28%29%21%2F%25%3A%3D%0A%E5%9B%BE");
  EXPECT_EQ(encode_parameters({{"b", ""}, {"B", "1"}, {"a.10", "x y"}, {"a.2", "&"}}),
            "B=1&a.10=x%20y&a.2=%26&b=");
}

constexpr const char* kRole = "acs:ram::1111111111111111:role/reader";
constexpr const char* kProvider = "acs:ram::1111111111111111:oidc-provider/k8s";

/// The client in front of the simulated STS, which checks every signature by code of its own.
class Desk {
 public:
  Desk() : sim(scenario()), clock(sim.now.wall) {
    fetch = [this](const HttpRequest& request, Millis timeout,
                   const std::stop_token& /*stop*/) -> HttpResult {
      EXPECT_EQ(timeout, Millis{10'000});
      requests.push_back(request);
      ServerRequest call = sim.bare(request.method, "/");
      call.body = request.body;
      for (const auto& [name, value] : request.headers)
        call.headers.emplace_back(to_lower(name), value);
      const simulator::testing::Answered answer = sim.send(call);
      HttpResponse response;
      response.status = answer.status;
      response.body = answer.text;
      if (tells_time) response.headers.add("Date", testing::http_date(sim.now.wall));
      return response;
    };
  }
  Result<Credentials, Failure> assume(const RoleRequest& request, const Credentials* key) {
    StsClient client(
        clock, random,
        [this](HttpRequest r, Millis t, std::stop_token s) { return fetch(std::move(r), t, std::move(s)); },
        std::make_shared<const HttpRoute>(HttpRoute{"/ca.pem"}), correction);
    return client.assume(request, key, {});
  }
  static json scenario() {
    json s = simulator::testing::Sim::default_scenario();
    s["roles"] = {{{"name", "reader"}, {"rights", {"ens:*", "sts:*"}}},
                  {{"name", "external"}, {"external_id", "e 1&=?"}}};
    s["oidc"] = {{{"provider_arn", kProvider}, {"token_file", "/run/token"}}};
    return s;
  }
  static Credentials key(const std::string& secret = "sk") {
    Credentials made;
    made.access_key_id = "ak";
    made.access_key_secret = Secret{secret};
    return made;
  }
  static RoleRequest role(const std::string& arn = kRole) {
    RoleRequest request;
    request.endpoint = "https://sts.example";
    request.role_arn = arn;
    request.session_name = "share-drift-exporter";
    return request;
  }

  simulator::testing::Sim sim;
  testing::ManualClock clock;
  testing::SeededRandom random;
  std::shared_ptr<ClockCorrection> correction = std::make_shared<ClockCorrection>();
  bool tells_time = false;
  std::vector<HttpRequest> requests;
  HttpFetch fetch;
};

TEST(StsClient, AssumesARoleAndARoleWithTheRole) {
  Desk desk;
  RoleRequest request = Desk::role();
  request.duration = std::chrono::seconds{900};
  const Credentials key = Desk::key();
  const auto first = desk.assume(request, &key);
  ASSERT_TRUE(first) << first.error().detail;
  EXPECT_THAT(first->access_key_id, HasSubstr("STS."));
  EXPECT_FALSE(first->security_token.empty());
  EXPECT_EQ(first->expires, desk.clock.wall() + std::chrono::seconds{900});

  RoleRequest external = Desk::role("acs:ram::1111111111111111:role/external");
  external.external_id = "e 1&=?";
  external.policy = R"({"Version":"1","Statement":[{"Effect":"Allow","Action":"ens:*","Resource":"*"}]})";
  const auto second = desk.assume(external, &*first);
  ASSERT_TRUE(second) << second.error().detail;
  EXPECT_NE(second->access_key_id, first->access_key_id);
  EXPECT_THAT(desk.requests[0].body, Not(HasSubstr("Policy")));
  EXPECT_THAT(desk.requests[1].body, HasSubstr("Policy=%7B%22Version"));

  for (const HttpRequest& sent : desk.requests) {
    EXPECT_EQ(sent.url, "https://sts.example/");
    EXPECT_EQ(sent.method, "POST");
    EXPECT_EQ(sent.route->ca_file, "/ca.pem");
    EXPECT_EQ(sent.body.find("sk"), std::string::npos);
  }
  EXPECT_NE(desk.requests[0].body.substr(desk.requests[0].body.find("SignatureNonce")),
            desk.requests[1].body.substr(desk.requests[1].body.find("SignatureNonce")));
}

TEST(StsClient, AssumesARoleWithAnOidcTokenUnsigned) {
  Desk desk;
  desk.sim.files["/run/token"] = "ey.J.hush+/=";
  RoleRequest request = Desk::role();
  request.oidc_provider_arn = kProvider;
  request.oidc_token = Secret{"ey.J.hush+/="};
  const auto got = desk.assume(request, nullptr);
  ASSERT_TRUE(got) << got.error().detail;
  EXPECT_EQ(desk.requests[0].body.find("Signature"), std::string::npos);

  request.oidc_token = Secret{"hush.stale"};
  const auto refused = desk.assume(request, nullptr);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().detail, HasSubstr("AuthenticationFail"));
  EXPECT_THAT(refused.error().detail, HasSubstr("check oidc_provider_arn"));
  EXPECT_THAT(refused.error().detail, Not(HasSubstr("hush")));
}

TEST(StsClient, SaysWhatToDoAboutARefusalWithoutEchoingIt) {
  struct Row {
    const char* secret;
    const char* role;
    Millis skew;
    const char* code;
    const char* says;
  };
  const std::vector<Row> rows{
      {"wrong-hush", kRole, Millis{0}, "SignatureDoesNotMatch", "so the secret is wrong; compare the secret"},
      {"sk", "acs:ram::1111111111111111:role/none", Millis{0}, "EntityNotExist.Role", "check role_arn"},
      {"sk", "acs:ram::1111111111111111:role/external", Millis{0}, "NoPermission",
       "let the role trust the key's account"},
      {"sk", kRole, std::chrono::hours{1}, "InvalidTimeStamp.Expired", "set this machine's clock"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.code);
    Desk desk;
    desk.clock.jump_wall(row.skew);
    const Credentials key = Desk::key(row.secret);
    const auto got = desk.assume(Desk::role(row.role), &key);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().reason, Reason::credentials);
    EXPECT_EQ(got.error().code, row.code);
    EXPECT_GE(got.error().http_status, 400);
    EXPECT_NE(got.error().request_id, "");
    EXPECT_THAT(got.error().detail, HasSubstr(row.says));
    EXPECT_THAT(got.error().detail, Not(HasSubstr("string to sign")));
    EXPECT_THAT(got.error().detail, Not(HasSubstr("hush")));
  }
}

TEST(StsClient, SignsWithTheApisTimeWhoeverLearntIt) {
  for (const std::chrono::minutes ahead : {std::chrono::minutes{20}, std::chrono::minutes{-20}}) {
    SCOPED_TRACE(ahead.count());
    Desk desk;
    desk.tells_time = true;
    desk.clock.jump_wall(ahead);
    const Credentials key = Desk::key();
    EXPECT_TRUE(desk.assume(Desk::role(), &key));
    EXPECT_EQ(desk.requests.size(), 2U) << "refused, and signed again by the Date of the refusal";
    EXPECT_TRUE(desk.assume(Desk::role(), &key));
    EXPECT_EQ(desk.requests.size(), 3U) << "from now on at once";
  }
}

TEST(StsClient, DoesNotTakeWhatIsNoAnswer) {
  struct Row {
    HttpResult answer;
    const char* says;
  };
  const auto answer = [](int status, std::string body) -> HttpResult {
    HttpResponse response;
    response.status = status;
    response.body = std::move(body);
    return response;
  };
  const std::string good = R"("AccessKeyId":"STS.1","AccessKeySecret":"hush","SecurityToken":"hush")";
  const std::vector<Row> rows{
      {Err(TransportError{Reason::tls, "certificate has expired"}),
       "STS at https://sts.example cannot be asked: tls, certificate"},
      {answer(502, "<html>hush</html>"), "HTTP 502, which is not an answer of STS"},
      {answer(302, ""), "HTTP 302, which is not an answer of STS"},
      {answer(200, "<html>"), "it holds no Credentials"},
      {answer(200, "[]"), "it holds no Credentials"},
      {answer(200, R"({"Credentials":[]})"), "it holds no Credentials"},
      {answer(200, R"({"Credentials":{}})"), "key, secret or token is missing"},
      {answer(200, R"({"Credentials":{"AccessKeyId":1,"AccessKeySecret":"hush","SecurityToken":"hush"}})"),
       "is missing"},
      {answer(200, R"({"Credentials":{"AccessKeyId":"STS.1","SecurityToken":"hush"}})"), "is missing"},
      {answer(200, R"({"Credentials":{"AccessKeyId":"STS.1","AccessKeySecret":"hush"}})"), "is missing"},
      {answer(200, R"({"Credentials":{)" + good + "}}"), "its Expiration is not a time"},
      {answer(200, R"({"Credentials":{)" + good + R"(,"Expiration":"soon"}})"),
       "its Expiration is not a time"},
      {answer(400, R"({"Code":"Odd","Message":"the server string to sign is:hush"})"), "HTTP 400, Odd"},
      {answer(400, R"({"Code":" Throttling.User\t","Message":"slow\u0000 down"})"),
       "Throttling.User: too many requests; if it stays so, "},
  };
  const Credentials key = Desk::key();
  for (const Row& row : rows) {
    SCOPED_TRACE(row.says);
    Desk desk;
    desk.fetch = [&row](const HttpRequest& /*request*/, Millis /*timeout*/, const std::stop_token& /*stop*/) {
      return row.answer;
    };
    const auto got = desk.assume(Desk::role(), &key);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().reason, Reason::credentials);
    EXPECT_THAT(got.error().detail, HasSubstr(row.says));
    EXPECT_THAT(got.error().detail, Not(HasSubstr("hush")));
  }
  for (const auto kind : {TransportError::Kind::fault, TransportError::Kind::refused}) {
    Desk behind_a_proxy;
    behind_a_proxy.fetch = [kind](const HttpRequest&, Millis, const std::stop_token&) -> HttpResult {
      return Err(TransportError{Reason::proxy, "", kind});
    };
    EXPECT_EQ(behind_a_proxy.assume(Desk::role(), &key).error().http_status,
              kind == TransportError::Kind::refused ? 407 : 0);
  }
  Desk desk;
  EXPECT_THAT(desk.assume(Desk::role(), nullptr).error().detail, HasSubstr("no key to assume role"));
  EXPECT_TRUE(desk.requests.empty());
}

}  // namespace
}  // namespace sharedrift
