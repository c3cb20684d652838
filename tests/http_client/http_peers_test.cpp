#include "http_server/serve.hpp"
#include "support/process_status.hpp"
#include "support/raw_client.hpp"
#include "support/sanitized.hpp"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

namespace sharedrift {
namespace {

using namespace std::chrono_literals;
using testing::echo;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using testing::http_get;
using ::testing::Not;
using testing::RawClient;
using testing::serve;

constexpr std::size_t kSlackKib = testing::kSanitized ? 4U << 20U : 16U << 10U;

std::size_t resident_kib() {
  return testing::process_status("VmRSS");
}

TEST(HttpServer, IdleAndDrippingPeersDoNotStopHonestOnes) {
  const auto server = serve(echo);
  std::vector<RawClient> idle;
  for (int i = 0; i < 120; ++i)
    idle.emplace_back(server->port());
  std::vector<RawClient> dripping;
  for (int i = 0; i < 64; ++i) {
    dripping.emplace_back(server->port());
    dripping.back().send("GET / HTTP/1.1\r\nX: ");
  }
  std::jthread drip([&dripping](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      for (const RawClient& client : dripping)
        client.send("a");
      std::this_thread::sleep_for(100ms);
    }
  });
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(http_get(server->port()), HasSubstr("200 OK"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, 1s);
}

TEST(HttpServer, FloodsCostBoundedMemory) {
  const auto server = serve(echo);
  http_get(server->port());
  const std::size_t before = resident_kib();
  for (int i = 0; i < 20; ++i) {
    const RawClient line(server->port());
    line.send("GET /" + std::string(3'000'000, 'a') + " HTTP/1.1\r\n\r\n");
    EXPECT_THAT(line.read_all(), Not(HasSubstr("200 OK")));
    const RawClient headers(server->port());
    headers.send("GET / HTTP/1.1\r\n");
    for (int h = 0; h < 20'000 && headers.send("A: b\r\n"); ++h) {
    }
    headers.send("\r\n");
    EXPECT_THAT(headers.read_all(), Not(HasSubstr("200 OK")));
  }
  EXPECT_LT(resident_kib(), before + kSlackKib);
  EXPECT_THAT(http_get(server->port()), HasSubstr("200 OK"));
}

TEST(HttpServer, IdleConnectionsDoNotHoldUpAStop) {
  ServerOptions options;
  const auto server = serve(echo, options);
  const RawClient client(server->port());
  client.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.read_all(200ms), HasSubstr("GET /1 "));
  const auto start = std::chrono::steady_clock::now();
  server->stop(10s);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 1s);
}

TEST(HttpServer, IdleConnectionsMakeRoomForNewOnes) {
  ServerOptions options;
  options.max_connections = 4;
  const auto server = serve(echo, options);
  std::vector<RawClient> kept;
  for (int i = 0; i < 4; ++i) {
    kept.emplace_back(server->port());
    kept.back().send("GET /kept HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(kept.back().read_all(200ms), HasSubstr("GET /kept "));
  }
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(http_get(server->port(), "/new"), HasSubstr("GET /new "));
  EXPECT_LT(std::chrono::steady_clock::now() - start, 1s);
}

TEST(HttpServer, SlowReadersShareOnePageAndHoldUpNobody) {
  const auto page = std::make_shared<const std::string>(20'000'000, 'x');
  const auto server = serve([&page](const ServerRequest& request) {
    ServerResponse response = ServerResponse::text(200, "small");
    if (request.path == "/big") response.body = page;
    return response;
  });
  http_get(server->port());
  const std::size_t before = resident_kib();
  std::vector<RawClient> slow;
  for (int i = 0; i < 32; ++i) {
    slow.emplace_back(server->port());
    slow.back().send("GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  std::this_thread::sleep_for(300ms);
  EXPECT_LT(resident_kib(), before + kSlackKib);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(http_get(server->port()), EndsWith("small"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, 1s);
}

TEST(HttpServer, ALargePageIsSentAtTheSpeedOfTheReader) {
  const auto page = std::make_shared<const std::string>(10'000'000, 'x');
  const auto server = serve([&page](const ServerRequest&) {
    ServerResponse response;
    response.body = page;
    return response;
  });
  const auto start = std::chrono::steady_clock::now();
  EXPECT_GT(http_get(server->port()).size(), page->size());
  EXPECT_LT(std::chrono::steady_clock::now() - start, 2s)
      << "some milliseconds, on a machine that is not busy";
}

TEST(HttpServer, TenThousandConnectionsInTurnLeaveNothingBehind) {
  const auto server = serve(echo);
  const std::string request = "GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  const auto visit = [&](int number) {
    const RawClient client(server->port());
    if (number % 4 == 0) return;  // gone at once
    if (number % 4 == 1) client.send("GET /x HTT");
    if (number % 4 != 1) client.send(request);
    if (number % 4 == 3) {
      EXPECT_THAT(client.read_all(), EndsWith("GET /x "));
    }
  };
  for (int i = 0; i < 200; ++i)
    visit(i);
  const std::size_t before = resident_kib();
  for (int i = 0; i < 10'000; ++i)
    visit(i);
  EXPECT_LT(resident_kib(), before + kSlackKib);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(http_get(server->port()), HasSubstr("200 OK"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, 1s);
}

TEST(HttpServer, WithoutDescriptorsItWaitsForBetterTimes) {
  const auto server = serve(echo);
  http_get(server->port());
  rlimit usual{};
  ::getrlimit(RLIMIT_NOFILE, &usual);
  std::vector<RawClient> waiting;
  for (int i = 0; i < 8; ++i)
    waiting.emplace_back(server->port());
  const rlimit none{static_cast<rlim_t>(waiting.back().fd()) + 1, usual.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  for (const RawClient& client : waiting)
    client.send("GET /later HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  std::this_thread::sleep_for(200ms);
  EXPECT_TRUE(server->healthy());
  ::setrlimit(RLIMIT_NOFILE, &usual);
  EXPECT_THAT(waiting.back().read_all(), EndsWith("GET /later "));
  EXPECT_THAT(http_get(server->port()), HasSubstr("200 OK"));
}

TEST(HttpServer, ItsThreadsAreFew) {
  const std::size_t before = testing::process_status("Threads");
  ServerOptions options;
  options.workers = 3;
  const auto server = serve(echo, options);
  std::vector<RawClient> clients;
  for (int i = 0; i < 20; ++i) {
    clients.emplace_back(server->port());
    clients.back().send("GET /kept HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(clients.back().read_some(), HasSubstr("GET /kept "));
  }
  constexpr std::size_t kOwn = testing::kSanitized ? 4 : 0;  // a sanitizer has threads of its own
  const std::size_t workers =
      static_cast<std::size_t>(options.workers + 2 * options.slow_workers) + 1;  // and the one of passwords
  EXPECT_LE(testing::process_status("Threads"), before + 1 + workers + kOwn)
      << "one for all clients, and the workers";
}

}  // namespace
}  // namespace sharedrift
