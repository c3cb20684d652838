#include "io/curl_transport.hpp"

#include "io/http_server.hpp"
#include "support/raw_client.hpp"

#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

std::unique_ptr<HttpServer> serve(ServerHandler handler, ServerOptions options = {}) {
  auto server = HttpServer::start(std::move(options), std::move(handler));
  if (!server) throw std::runtime_error(server.error());
  return std::move(*server);
}

/// A server that sends these bytes, then holds the connection for `hold` if the peer stays.
std::unique_ptr<HttpServer> serve_bytes(std::string bytes, Millis hold = Millis{0}) {
  return serve([bytes = std::move(bytes), hold](const ServerRequest&) {
    ServerResponse response;
    response.raw = [bytes, hold](const RawWriter& write) {
      write(bytes);
      std::this_thread::sleep_for(hold);
    };
    return response;
  });
}

HttpRequest to(int port, const std::string& path = "/") {
  HttpRequest request;
  request.url = "http://127.0.0.1:" + std::to_string(port) + path;
  return request;
}

HttpResult exchange(HttpRequest request, Millis limit = 3s) {
  CurlTransport transport;
  return perform(transport, std::move(request), std::chrono::steady_clock::now() + limit, {});
}

TEST(CurlTransport, ExchangesWhatIsAsked) {
  const auto server = serve([](const ServerRequest& request) {
    ServerResponse response = ServerResponse::text(
        400, request.method + " " + std::string{*request.parameter("q")} + " " +
                 std::string{request.header("x-a")} + "|" + std::string{request.header("accept")} + "|" +
                 std::string{request.header("content-type")});
    response.headers = {{"X-B", "2"}};
    return response;
  });
  HttpRequest request = to(server->port(), "/?q=a%2Ab");
  request.method = "POST";
  request.headers = {{"x-a", "1"}};
  const HttpResult result = exchange(request);
  ASSERT_TRUE(result) << result.error().detail;
  EXPECT_EQ(result->status, 400);
  EXPECT_EQ(result->header("x-b"), "2");
  EXPECT_EQ(result->body, "POST a*b 1||") << "no header that was not asked for";
}

TEST(CurlTransport, SendsBodies) {
  ServerOptions options;
  options.max_body = 1000;
  const auto server =
      serve([](const ServerRequest& r) { return ServerResponse::text(200, r.method + r.body); }, options);
  HttpRequest request = to(server->port());
  request.method = "PUT";
  request.body = "payload";
  EXPECT_EQ(exchange(request)->body, "PUTpayload");
}

struct Fault {
  std::string name;
  std::string bytes;
  Millis hold;
  Reason reason;
};

TEST(CurlTransport, EveryBadAnswerHasItsReason) {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const std::vector<Fault> faults{
      {"silence", "", 600ms, Reason::timeout},
      {"half a head", ok + "Content-Len", 600ms, Reason::timeout},
      {"half a body", ok + "Content-Length: 10\r\n\r\n12345", 600ms, Reason::timeout},
      {"cut body", ok + "Content-Length: 10\r\n\r\n12345", 0s, Reason::reset},
      {"nothing", "", 0s, Reason::reset},
      {"unframed", ok + "\r\n{\"TotalCount\":0}", 0s, Reason::protocol},
      {"cut chunks", ok + "Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n", 0s, Reason::reset},
      {"gzip", ok + "Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", 0s, Reason::protocol},
      {"large by length", ok + "Content-Length: 99999999999\r\n\r\n" + std::string(6U << 20U, 'x'), 2s,
       Reason::too_large},
      {"header flood", ok + "A: " + std::string(70'000, 'h') + "\r\nContent-Length: 0\r\n\r\n", 0s,
       Reason::too_large},
      {"not http", "SSH-2.0-OpenSSH\r\n", 0s, Reason::protocol},
  };
  for (const Fault& fault : faults) {
    const auto server = serve_bytes(fault.bytes, fault.hold);
    const auto start = std::chrono::steady_clock::now();
    const HttpResult result = exchange(to(server->port()), 400ms);
    ASSERT_FALSE(result) << fault.name;
    EXPECT_EQ(to_string(result.error().reason), to_string(fault.reason))
        << fault.name << ": " << result.error().detail;
    EXPECT_LT(std::chrono::steady_clock::now() - start, 900ms) << fault.name;
  }
}

TEST(CurlTransport, DoesNotFollowRedirects) {
  std::atomic<int> requests = 0;
  const auto server = serve([&requests](const ServerRequest&) {
    ++requests;
    ServerResponse response = ServerResponse::text(302, "");
    response.headers = {{"Location", "/elsewhere"}};
    return response;
  });
  EXPECT_EQ(exchange(to(server->port()))->status, 302);
  EXPECT_EQ(requests, 1);
}

TEST(CurlTransport, NamesAClosedPort) {
  int port = 0;
  {
    port = serve([](const ServerRequest&) { return ServerResponse::text(200, ""); })->port();
  }
  const HttpResult result = exchange(to(port, "/?secret=1"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().reason, Reason::connect);
  EXPECT_THAT(result.error().detail, HasSubstr("127.0.0.1:" + std::to_string(port)));
  EXPECT_THAT(result.error().detail, Not(HasSubstr("secret")));
}

TEST(CurlTransport, PlainHttpStaysOnLoopback) {
  HttpRequest request;
  request.url = "http://ens.aliyuncs.com/";
  const HttpResult result = exchange(request);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().reason, Reason::protocol);
}

TEST(CurlTransport, IgnoresTheEnvironmentsProxyUnlessTold) {
  const auto proxy = serve([](const ServerRequest&) { return ServerResponse::text(200, "from the proxy"); });
  const auto server =
      serve([](const ServerRequest&) { return ServerResponse::text(200, "from the server"); });
  HttpRequest request = to(server->port());
  auto route = std::make_shared<HttpRoute>();
  route->proxy_url = "http://127.0.0.1:" + std::to_string(proxy->port());
  request.route = route;
  EXPECT_EQ(exchange(request)->body, "from the proxy");
  auto direct = std::make_shared<HttpRoute>(*route);
  direct->never_proxy = true;
  request.route = direct;
  EXPECT_EQ(exchange(request)->body, "from the server");
}

TEST(CurlTransport, RunsManyAtOnceOnFewConnections) {
  ServerOptions options;
  options.keep_alive = true;
  const auto server =
      serve([](const ServerRequest& r) { return ServerResponse::text(200, r.path); }, options);
  CurlTransport transport;
  std::size_t right = 0;
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  std::size_t done = 0;
  int next = 0;
  std::function<void()> one = [&] {
    const std::string path = "/" + std::to_string(next++);
    transport.start(to(server->port(), path), deadline, [&, path](const HttpResult& result) {
      right += result && result->body == path ? 1U : 0U;
      ++done;
      if (next < 500) one();
    });
  };
  for (int i = 0; i < 16; ++i)
    one();
  while (done < 500)
    transport.run_once(deadline);
  EXPECT_EQ(right, 500U);
}

TEST(CurlTransport, StopsAtOnceInEveryPhase) {
  const auto silent = serve_bytes("", 500ms);
  const auto dripping = serve_bytes("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", 500ms);
  for (const int port : {silent->port(), dripping->port()}) {
    CurlTransport transport;
    std::stop_source stop;
    std::jthread stopper([&stop] {
      std::this_thread::sleep_for(100ms);
      stop.request_stop();
    });
    const auto start = std::chrono::steady_clock::now();
    const HttpResult result = perform(transport, to(port), start + 10s, stop.get_token());
    EXPECT_FALSE(result);
    EXPECT_LT(std::chrono::steady_clock::now() - start, 400ms);
  }
}

TEST(CurlTransport, ADeadlineInThePastSendsNothing) {
  std::atomic<int> requests = 0;
  const auto server = serve([&requests](const ServerRequest&) {
    ++requests;
    return ServerResponse::text(200, "");
  });
  EXPECT_EQ(exchange(to(server->port()), -1ms).error().reason, Reason::timeout);
  EXPECT_EQ(requests, 0);
}

}  // namespace
}  // namespace sharedrift
