#include "http_client/transport_kit.hpp"
#include "support/fault_server.hpp"

#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace sharedrift::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// How often run_once() comes back until `end`, or until it need not go on.
int turns_until(CurlTransport& transport, MonoTime end, const bool& over = false) {
  int turns = 0;
  for (; boot_now() < end && !over; ++turns)
    transport.run_once(end);
  return turns;
}

TEST(CurlTransport, AWakeUpEndsOneWait) {
  CurlTransport transport;
  transport.wake();
  transport.wake();
  const MonoTime start = boot_now();
  transport.run_once(start + kAmple);
  EXPECT_LT(boot_now() - start, kAmple);
  EXPECT_LE(turns_until(transport, boot_now() + 50ms), 2) << "and the next one is a wait";
}

TEST(CurlTransport, AKeptConnectionThatIsClosedWakesNobody) {
  const FaultServer server([](FaultConnection& connection) {
    if (connection.read_request()) connection.send(kAnswer);
  });
  CurlTransport transport;
  EXPECT_EQ(exchange(transport, get(url_of("http", "127.0.0.1", server.port())))->body, "ok");
  EXPECT_LE(turns_until(transport, boot_now() + 100ms), 5);
}

TEST(CurlTransport, ARequestThatNoBufferHoldsGoesOutAsItIsRead) {
  HttpRequest request = get("");
  request.method = "POST";
  request.body = std::string(32U << 20U, 'x');
  const FaultServer server([](FaultConnection& connection) {
    if (!connection.rest(50ms)) return;
    for (std::size_t left = 32U << 20U; left > 0;) {
      const std::string some = connection.read_some();
      if (some.empty()) return;
      left -= std::min(left, some.size());
    }
    if (connection.rest(100ms) && connection.send(kAnswer)) connection.hold();
  });
  request.url = url_of("http", "127.0.0.1", server.port());
  CurlTransport transport;
  bool over = false;
  const MonoTime deadline = boot_now() + kAmple;
  transport.start(std::move(request), deadline, [&over](const HttpResult& result) {
    over = true;
    EXPECT_TRUE(result) << reason_of(result);
  });
  EXPECT_LT(turns_until(transport, deadline, over), 10'000) << "what is not to be written is not waited for";
  EXPECT_TRUE(over);
}

}  // namespace
}  // namespace sharedrift::testing
