#include "credentials/chain.hpp"
#include "credentials/credential_world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using testing::CredentialMachine;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kList = "/latest/meta-data/ram/security-credentials/";

/// A metadata service: what it does with each kind of request.
struct Service {
  int token_status = 200;
  std::string token = "v2-token";
  bool takes_token = true;      ///< GETs with the token are answered
  bool takes_anonymous = true;  ///< GETs without are answered
  int list_status = 200;
  std::string role = "watcher\n";
  int key_status = 200;
  std::string key;  ///< empty: a good one
};

std::string_view token_of(const HttpRequest& request) {
  return request.headers.find("X-aliyun-ecs-metadata-token").value_or("");
}

HttpResult serve(const CredentialMachine& m, const Service& service, const HttpRequest& request) {
  const std::string path = request.url.substr(std::string_view{"http://100.100.100.200"}.size());
  if (request.method == "PUT") {
    EXPECT_EQ(path, "/latest/api/token");
    EXPECT_EQ(request.headers.find("X-aliyun-ecs-metadata-token-ttl-seconds"), "21600");
    if (service.token_status == 0) return m.refused();
    return m.answer(service.token_status, service.token);
  }
  const bool with_token = !token_of(request).empty();
  if (with_token) {
    EXPECT_EQ(token_of(request), "v2-token");
  }
  if (!(with_token ? service.takes_token : service.takes_anonymous)) return m.answer(403, "hush");
  if (path == kList) return m.answer(service.list_status, service.role);
  EXPECT_EQ(path, std::string{kList} + "watcher");
  return m.answer(service.key_status,
                  service.key.empty() ? m.key_json("STS.E", std::chrono::hours{6}) : service.key);
}

struct MetadataCase {
  const char* name;
  Service service;
  bool v2_only;
  std::string role;
  std::size_t requests;
  std::string says;  ///< empty: it works
};

TEST(Metadata, PrefersV2AndFallsBackToV1UnlessThatIsOff) {
  const std::string expired =
      R"({"Code":"Success","AccessKeyId":"STS.E","AccessKeySecret":"hush","SecurityToken":"hush","Expiration":"2020-01-01T00:00:00Z"})";
  const std::vector<MetadataCase> cases{
      {"v2", {}, false, "", 3, ""},
      {"v2 with a known role", {}, true, "watcher", 2, ""},
      {"v2 only", {}, true, "", 3, ""},
      {"token refused, v1", {404, "", false}, false, "", 3, ""},
      {"token unreachable, v1", {0, "", false}, false, "", 3, ""},
      {"token empty, v1", {200, " \n", false}, false, "", 3, ""},
      {"token unprintable, v1", {200, "a\nb", false}, false, "", 3, ""},
      {"token not taken, v1", {200, "v2-token", false}, false, "watcher", 3, ""},
      {"token refused, v1 off", {404, "", false}, true, "", 1, "gives no session token (HTTP 404)"},
      {"token not taken, v1 off",
       {200, "v2-token", false},
       true,
       "",
       2,
       "does not tell the instance's role (HTTP 403)"},
      {"nothing taken",
       {200, "v2-token", false, false},
       false,
       "watcher",
       3,
       "no credentials for role \"watcher\" (HTTP 403)"},
      {"no role attached", {200, "v2-token", true, true, 404}, false, "", 2, "no RAM role is attached"},
      {"role of another shape",
       {200, "v2-token", true, true, 200, "<html>hush"},
       false,
       "",
       2,
       "gives a role name that is none"},
      {"no such role",
       {200, "v2-token", true, true, 200, "watcher", 404},
       false,
       "",
       3,
       "is it attached to this instance?"},
      {"not a success",
       {200, "v2-token", true, true, 200, "watcher", 200, R"({"Code":"Failed"})"},
       false,
       "",
       3,
       "Code Failed"},
      {"rubbish",
       {200, "v2-token", true, true, 200, "watcher", 200, "<html>hush"},
       false,
       "",
       3,
       "not a JSON object"},
      {"expired",
       {200, "v2-token", true, true, 200, "watcher", 200, expired},
       false,
       "",
       3,
       "what it gives expired at 2020-01-01"},
  };
  for (const MetadataCase& c : cases) {
    SCOPED_TRACE(c.name);
    CredentialMachine machine;
    machine.web = [&](const HttpRequest& request) { return serve(machine, c.service, request); };
    CredentialSpec options;
    options.source = CredentialKind::ecs_ram_role;
    options.disable_imdsv1 = c.v2_only;
    options.role_name = c.role;
    const CredentialWorld world = machine.world();
    Chain chain(options, world);
    const auto got = chain.obtain(chain.look(), {});
    EXPECT_EQ(machine.requests.size(), c.requests);
    for (const HttpRequest& request : machine.requests) {
      EXPECT_TRUE(request.route->never_proxy);
      EXPECT_TRUE(request.route->plain_http_anywhere);
      EXPECT_EQ(request.route->proxy_url, "");
    }
    ASSERT_EQ(got.has_value(), c.says.empty());
    if (got) {
      EXPECT_EQ(got->access_key_id, "STS.E");
      EXPECT_EQ(got->origin, "ecs_ram_role");
      EXPECT_EQ(got->expires,
                std::chrono::floor<std::chrono::seconds>(machine.clock.wall() + std::chrono::hours{6}));
    } else {
      EXPECT_THAT(got.error().detail, HasSubstr(c.says));
      EXPECT_THAT(got.error().detail, Not(HasSubstr("hush")));
    }
  }
}

TEST(Metadata, TellsWhatWentWrongFirst) {
  CredentialMachine machine;
  machine.web = [](const HttpRequest& request) {
    if (request.method == "PUT") return HttpResult(Err(TransportError{Reason::timeout, "after 2 s"}));
    return CredentialMachine::answer(403, "hush");
  };
  CredentialSpec options;
  options.source = CredentialKind::ecs_ram_role;
  for (const char* const role : {"", "watcher"}) {
    options.role_name = role;
    const CredentialWorld world = machine.world();
    Chain chain(options, world);
    const std::string detail = chain.obtain(chain.look(), {}).error().detail;
    EXPECT_THAT(detail, HasSubstr("gives no session token (timeout: after 2 s), as in a container"));
    EXPECT_THAT(detail, HasSubstr("hop limit"));
    EXPECT_THAT(detail, HasSubstr("and without one it "));
    EXPECT_THAT(detail, HasSubstr("(HTTP 403)"));
    EXPECT_THAT(detail, Not(HasSubstr("is this an ECS instance")));
  }
}

TEST(Metadata, VariablesSwitchItOffNameTheRoleAndRefuseV1) {
  CredentialMachine machine;
  machine.web = [&](const HttpRequest& request) { return serve(machine, {404, "", false}, request); };
  machine.variables["ALIBABA_CLOUD_ECS_METADATA"] = "watcher";
  CredentialSpec options;
  options.source = CredentialKind::ecs_ram_role;
  const CredentialWorld world = machine.world();
  Chain chain(options, world);
  EXPECT_TRUE(chain.obtain(chain.look(), {}));
  EXPECT_EQ(machine.requests.size(), 2U);

  machine.variables["ALIBABA_CLOUD_IMDSV1_DISABLED"] = "TRUE";
  EXPECT_THAT(chain.obtain(chain.look(), {}).error().detail, HasSubstr("gives no session token"));

  machine.variables["ALIBABA_CLOUD_ECS_METADATA_DISABLED"] = "true";
  machine.requests.clear();
  EXPECT_THAT(chain.obtain(chain.look(), {}).error().detail,
              HasSubstr("switched off by ALIBABA_CLOUD_ECS_METADATA_DISABLED"));
  EXPECT_TRUE(machine.requests.empty());

  machine.variables.erase("ALIBABA_CLOUD_ECS_METADATA_DISABLED");
  machine.variables["ALIBABA_CLOUD_ECS_METADATA"] = "../x";
  EXPECT_THAT(chain.obtain(chain.look(), {}).error().detail, HasSubstr("is not the name of a role"));
  EXPECT_TRUE(machine.requests.empty());
}

struct UriCase {
  std::string uri;
  int status;
  std::string body;  ///< empty: a good one
  std::string says;  ///< empty: it works
  bool asked = true;
};

TEST(CredentialsUri, IsAskedInPlainTextOnThisMachineOnly) {
  const std::vector<UriCase> cases{
      {"http://127.0.0.1:7/k?t=hush", 200, "", ""},
      {"http://localhost/k", 200, "", ""},
      {"http://[::1]:7", 200, "", ""},
      {"http://100.100.100.200/k", 200, "", ""},
      {"http://169.254.170.2/k", 200, "", ""},
      {"https://keys.example:8443/k", 200, "", ""},
      {"https://keys.example/k", 200,
       R"({"AccessKeyId":"STS.U","AccessKeySecret":"hush","SecurityToken":"hush"})", ""},
      {"http://keys.example/hush", 200, "", "would send keys in plain text to http://keys.example", false},
      {"http://127.0.0.1.example/", 200, "", "plain text", false},
      {"http://[::1].example", 200, "", "is not of the form", false},
      {"http://127.1/", 200, "", "is not of the form", false},
      {"http://100.100.100.201/", 200, "", "plain text", false},
      {"ftp://keys.example/", 200, "", "is not of the form", false},
      {"https://user:hush@keys.example/", 200, "", "is not of the form", false},
      {"https:///k", 200, "", "is not of the form", false},
      {"https://keys.example/\n", 200, "", "is not of the form", false},
      {"", 200, "", "ALIBABA_CLOUD_CREDENTIALS_URI is not set", false},
      {"https://keys.example/hush", 0, "",
       "https://keys.example (the rest of the URI is not shown) gives no credentials: connect"},
      {"https://keys.example/hush", 302, "hush", "HTTP 302"},
      {"https://keys.example/hush", 200, "<html>hush</html>", "not a JSON object"},
      {"https://keys.example/hush", 200, R"({"Code":"Denied"})", "Code Denied"},
      {"https://keys.example/hush", 200, R"({"AccessKeyId":"STS.U","AccessKeySecret":""})",
       "AccessKeySecret is empty"},
  };
  for (const UriCase& c : cases) {
    SCOPED_TRACE(c.uri);
    CredentialMachine machine;
    machine.web = [&](const HttpRequest& /*request*/) {
      if (c.status == 0) return machine.refused();
      return machine.answer(c.status,
                            c.body.empty() ? machine.key_json("STS.U", std::chrono::hours{1}) : c.body);
    };
    CredentialSpec options;
    options.source = CredentialKind::credentials_uri;
    options.uri = c.uri;
    const CredentialWorld world = machine.world();
    Chain chain(options, world);
    const auto got = chain.obtain(chain.look(), {});
    ASSERT_EQ(got.has_value(), c.says.empty()) << (got ? "" : got.error().detail);
    EXPECT_EQ(machine.requests.size(), c.asked ? 1U : 0U);
    if (c.asked) {
      const HttpRoute& route = *machine.requests[0].route;
      const bool tls = c.uri.rfind("https", 0) == 0;
      EXPECT_EQ(route.never_proxy, !tls);
      EXPECT_EQ(route.ca_file, tls ? "/ca.pem" : "");
      EXPECT_EQ(machine.requests[0].url, c.uri);
    }
    if (!got) {
      EXPECT_THAT(got.error().detail, HasSubstr(c.says));
      EXPECT_THAT(got.error().detail, Not(HasSubstr("hush")));
    }
  }
}

}  // namespace
}  // namespace sharedrift
