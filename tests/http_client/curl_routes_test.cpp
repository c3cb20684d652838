#include "http_client/fake_dns.hpp"
#include "http_client/transport_kit.hpp"

#include <cstdlib>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift::testing {
namespace {

TEST(CurlTransport, IgnoresTheEnvironmentsProxyUnlessTold) {
  const auto proxy = serve([](const ServerRequest&) { return ServerResponse::text(200, "from the proxy"); });
  const auto server =
      serve([](const ServerRequest&) { return ServerResponse::text(200, "from the server"); });
  HttpRequest request = get("http://127.0.0.1:" + std::to_string(server->port()));
  auto route = std::make_shared<HttpRoute>();
  route->proxy_url = "http://127.0.0.1:" + std::to_string(proxy->port());
  request.route = route;
  EXPECT_EQ(exchange(request)->body, "from the proxy");
  auto direct = std::make_shared<HttpRoute>(*route);
  direct->never_proxy = true;
  request.route = direct;
  EXPECT_EQ(exchange(request)->body, "from the server");
}

TEST(CurlTransport, NamesTheTargetToAServerAndTheWholeUrlToAProxy) {
  const FaultServer server(answer());
  const std::string origin = "http://127.0.0.1:" + std::to_string(server.port());
  const std::string target = "/../a/./b%2F?x=%20&y=1";
  auto proxied = std::make_shared<HttpRoute>();
  proxied->proxy_url = origin;
  CurlTransport transport;
  const auto first_line = [&](const std::string& url, const std::shared_ptr<HttpRoute>& route) {
    const std::size_t before = server.heard().size();
    EXPECT_EQ(reason_of(exchange(transport, get(url, route))), "success, status 200");
    const std::string heard = server.heard().substr(before);
    return heard.substr(0, heard.find('\r'));
  };
  for (int i = 0; i < 2; ++i) {  // the handle changes from one to the other and back
    EXPECT_EQ(first_line(origin + target, nullptr), "GET " + target + " HTTP/1.1");
    EXPECT_EQ(first_line(origin + target, proxied), "GET " + origin + target + " HTTP/1.1");
    EXPECT_EQ(first_line(origin, nullptr), "GET / HTTP/1.1");
    EXPECT_EQ(first_line(origin + "?q", nullptr), "GET /?q HTTP/1.1");
  }
}

class Environment {
 public:
  Environment(const char* name, const std::string& value) : name_(name) { ::setenv(name, value.c_str(), 1); }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment() { ::unsetenv(name_); }

 private:
  const char* name_;
};

TEST(CurlTransport, TheEnvironmentsProxyIsUsedOnlyWhenAskedFor) {
  const Trust trust;
  const FaultServer origin(answer(), trust.good());
  const FaultServer refuses(answer_bytes("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"));
  const Environment proxy("https_proxy", "http://127.0.0.1:" + std::to_string(refuses.port()));
  const std::string url = url_of("https", "localhost", origin.port());
  EXPECT_EQ(reason_of(exchange(get(url, trust.route))), "success, status 200");
  auto asked = std::make_shared<HttpRoute>(*trust.route);
  asked->proxy_from_environment = true;
  EXPECT_EQ(reason_of(exchange(get(url, asked))), "proxy");
  {
    const Environment except("no_proxy", "localhost");
    EXPECT_EQ(reason_of(exchange(get(url, asked))), "success, status 200");
    EXPECT_EQ(
        reason_of(exchange(get(url, trust.through("http://127.0.0.1:" + std::to_string(refuses.port()))))),
        "proxy")
        << "the environment's exceptions are for the environment's proxy";
  }
  asked->never_proxy = true;
  EXPECT_EQ(reason_of(exchange(get(url, asked))), "success, status 200");
}

TEST(CurlTransport, ThroughAProxyEachSideHearsOnlyItsOwn) {
  const Trust trust;
  for (const char* status : {"HTTP/1.1 200 Connection established", "HTTP/1.0 200 OK"}) {
    const FaultServer origin(answer(), trust.good());
    const FaultServer proxy(proxy_to(origin.port(), status));
    HttpRequest request =
        get(url_of("https", "localhost", origin.port()),
            trust.through("http://user:pass-word@127.0.0.1:" + std::to_string(proxy.port())));
    request.headers = {{"authorization", "signature-of-ours"}};
    const HttpResult result = exchange(std::move(request));
    ASSERT_EQ(reason_of(result), "success, status 200");
    const std::string encoded = "dXNlcjpwYXNzLXdvcmQ=";  // user:pass-word
    EXPECT_THAT(proxy.heard(), HasSubstr("CONNECT localhost:" + std::to_string(origin.port())));
    EXPECT_THAT(proxy.heard(), HasSubstr(encoded));
    EXPECT_THAT(proxy.heard(), AllOf(Not(HasSubstr("signature-of-ours")), Not(HasSubstr("query-secret"))));
    EXPECT_THAT(origin.heard(), HasSubstr("signature-of-ours"));
    EXPECT_THAT(origin.heard(), AllOf(Not(HasSubstr(encoded)), Not(HasSubstr("Proxy-"))));
  }
}

TEST(CurlTransport, AProxyThatRefusesTheLoginIsToldFromOneThatFails) {
  const Trust trust;
  struct Row {
    const char* status;
    const char* login;
    bool https;
    TransportError::Kind kind;
    const char* says;
  };
  using Kind = TransportError::Kind;
  for (const Row& row :
       {Row{"407 Proxy Authentication Required", "user:pass-word@", true, Kind::refused, "refuses this user"},
        Row{"407 Proxy Authentication Required", "", true, Kind::refused, "wants a user and a password"},
        Row{"407 Proxy Authentication Required", "user:pass-word@", false, Kind::refused,
            "refuses this user"},
        Row{"403 Forbidden", "user:pass-word@", true, Kind::fault, "403"},
        Row{"502 Bad Gateway", "user:pass-word@", true, Kind::fault, "502"}}) {
    SCOPED_TRACE(std::string(row.status) + row.says);
    const FaultServer proxy(
        answer_bytes("HTTP/1.1 " + std::string(row.status) +
                     "\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n"));
    const auto route =
        trust.through("http://" + std::string(row.login) + "127.0.0.1:" + std::to_string(proxy.port()));
    const HttpResult result = exchange(get(url_of(row.https ? "https" : "http", "localhost", 9), route));
    ASSERT_EQ(reason_of(result), "proxy");
    EXPECT_EQ(result.error().kind, row.kind);
    EXPECT_THAT(result.error().detail, AllOf(HasSubstr(row.says), Not(HasSubstr("pass-word"))));
    EXPECT_EQ(proxy.connections(), 1U);
  }
}

TEST(CurlTransport, ALongHeaderLineIsCalledThatWhoeverSendsIt) {
  const Trust trust;
  const std::string line = "X-Long: " + std::string(150'000, 'a') + "\r\n";
  const FaultServer head(answer_bytes("HTTP/1.1 200 OK\r\n" + line + "Content-Length: 2\r\n\r\n{}"));
  const FaultServer trailer(answer_bytes(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Long\r\n\r\n2\r\n{}\r\n0\r\n" + line +
      "\r\n"));
  const FaultServer proxy(answer_bytes("HTTP/1.1 200 OK\r\n" + line + "\r\n"));
  const auto of_proxy = trust.through("http://127.0.0.1:" + std::to_string(proxy.port()));
  const std::map<std::string, HttpResult> results{
      {"head", exchange(get(url_of("http", "127.0.0.1", head.port())))},
      {"trailer", exchange(get(url_of("http", "127.0.0.1", trailer.port())))},
      {"proxy", exchange(get(url_of("https", "localhost", 9), of_proxy))},
  };
  for (const auto& [who, result] : results) {
    SCOPED_TRACE(who);
    ASSERT_EQ(reason_of(result), who == "proxy" ? "proxy" : "too_large");
    EXPECT_THAT(result.error().detail,
                AllOf(AnyOf(HasSubstr("longer than"), HasSubstr("64 KiB"), HasSubstr("too large")),
                      Not(HasSubstr("emory"))));
  }
}

TEST(CurlTransport, TheTunnelDoesNotVouchForTheServer) {
  const Trust trust;
  const FaultServer origin(answer(), server_tls(TestCa::self_signed()));
  const FaultServer proxy(proxy_to(origin.port()));
  const std::string url = "http://127.0.0.1:" + std::to_string(proxy.port());
  EXPECT_EQ(reason_of(exchange(get(url_of("https", "localhost", origin.port()), trust.through(url)))), "tls");
}

TEST(CurlTransport, TheNextAddressIsTried) {
  const FakeDns dns;
  const Trust trust;
  const FaultServer server(answer(), server_tls(trust.ca.issue({"x", "DNS:twin.test"})));
  const HttpResult result = exchange(get(url_of("https", "twin.test", server.port()), trust.route));
  EXPECT_EQ(reason_of(result), "success, status 200");
}

TEST(CurlTransport, TheTrustFileIsReadOnceForManyConnections) {
  const Trust trust;
  const FaultServer server(
      answer_bytes("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"), trust.good());
  CurlTransport transport;
  const HttpRequest request = get(url_of("https", "localhost", server.port()), trust.route);
  EXPECT_EQ(reason_of(exchange(transport, request)), "success, status 200");
  std::filesystem::remove(trust.route->ca_file);
  EXPECT_EQ(reason_of(exchange(transport, request)), "success, status 200");
  EXPECT_EQ(server.connections(), 2U);
  EXPECT_EQ(reason_of(exchange(request)), "tls") << "another transport has to look";
}

TEST(CurlTransport, RequestsThatMustNotGoOutDoNot) {
  const FaultServer server(answer());
  HttpRequest request = get(url_of("http", "127.0.0.1", server.port()));
  for (const HttpHeader& header :
       {HttpHeader{"x-token", "a\r\nEvil: 1"}, HttpHeader{"x-token", "caf\xC3\xA9"},
        HttpHeader{"x\nEvil", "1"}, HttpHeader{"x;", "1"}, HttpHeader{"", "1"}}) {
    request.headers = {header};
    const HttpResult result = exchange(request);
    EXPECT_EQ(reason_of(result), "protocol");
    EXPECT_THAT(result.error().detail, Not(HasSubstr("caf")));
  }
  for (const char* rest : {"a\r\nEvil: 1", "a b", "a\tb", "caf\xC3\xA9", "a\x7F"})
    EXPECT_EQ(reason_of(exchange(get(request.url + rest))), "protocol") << rest;
  for (const char* url : {"http://ens.aliyuncs.com/", "http://127.evil.test/",
                          "http://localhost:x@evil.test/", "http://127.0.0.1.evil.test/", "http://0x7f.1/",
                          "ftp://127.0.0.1/", "file:///etc/passwd", "127.0.0.1", ""}) {
    EXPECT_EQ(reason_of(exchange(get(url))), "protocol") << url;
  }
  EXPECT_EQ(server.connections(), 0U);
}

TEST(CurlTransport, ARouteMayAllowPlainHttpElsewhere) {
  const FakeDns dns;
  const FaultServer server(answer());
  const auto metadata = std::make_shared<HttpRoute>();
  const std::string url = url_of("http", "origin.test", server.port());
  EXPECT_EQ(reason_of(exchange(get(url, metadata))), "protocol");
  metadata->plain_http_anywhere = true;
  EXPECT_EQ(reason_of(exchange(get(url, metadata))), "success, status 200");
}

}  // namespace
}  // namespace sharedrift::testing
