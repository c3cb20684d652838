#include "http_client/curl_sockets.hpp"

#include "http_client/transport_kit.hpp"
#include "support/fault_server.hpp"

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <curl/curl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

namespace sharedrift::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// How often run_once() comes back until `end`, or until it need not go on.
int turns_until(CurlTransport& transport, MonoTime end, const bool& over = false) {
  int turns = 0;
  for (; steady_clock::now() < end && !over; ++turns)
    transport.run_once(end);
  return turns;
}

TEST(CurlSockets, AWakeUpEndsOneWait) {
  CurlTransport transport;
  transport.wake();
  transport.wake();
  const MonoTime start = steady_clock::now();
  transport.run_once(start + kAmple);
  EXPECT_LT(steady_clock::now() - start, kAmple);
  EXPECT_LE(turns_until(transport, steady_clock::now() + 50ms), 2) << "and the next one is a wait";
}

TEST(CurlSockets, WithoutADescriptorToWakeItByItLooksUpByItself) {
  rlimit usual{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &usual), 0);
  const rlimit none{0, usual.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  CurlTransport transport;
  ::setrlimit(RLIMIT_NOFILE, &usual);
  transport.wake();
  const MonoTime start = steady_clock::now();
  transport.run_once(start + kAmple);
  EXPECT_LT(steady_clock::now() - start, kAmple);
  EXPECT_LE(turns_until(transport, steady_clock::now() + 100ms), 3);
}

TEST(CurlSockets, AKeptConnectionThatIsClosedWakesNobody) {
  const FaultServer server([](FaultConnection& connection) {
    if (connection.read_request()) connection.send(kAnswer);
  });
  CurlTransport transport;
  EXPECT_EQ(exchange(transport, get(url_of("http", "127.0.0.1", server.port())))->body, "ok");
  EXPECT_LE(turns_until(transport, steady_clock::now() + 100ms), 5);
}

TEST(CurlSockets, ARequestThatNoBufferHoldsGoesOutAsItIsRead) {
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
  const MonoTime deadline = steady_clock::now() + kAmple;
  transport.start(std::move(request), deadline, [&over](const HttpResult& result) {
    over = true;
    EXPECT_TRUE(result) << reason_of(result);
  });
  EXPECT_LT(turns_until(transport, deadline, over), 10'000) << "what is not to be written is not waited for";
  EXPECT_TRUE(over);
}

/// libcurl's word on an exchange, and the body that came.
using Ending = std::pair<CURLcode, std::string>;

std::size_t append_body(char* bytes, std::size_t /*one*/, std::size_t size, void* body) {
  static_cast<std::string*>(body)->append(bytes, size);
  return size;
}

std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy_to(const std::string& url, std::string& body) {
  CURL* easy = curl_easy_init();
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 300L);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &append_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &body);
  return {easy, &curl_easy_cleanup};
}

Ending blocking(const std::string& url) {
  std::string body;
  const CURLcode code = curl_easy_perform(easy_to(url, body).get());
  return {code, body};
}

/// The same by a multi handle that waits and acts as CurlSockets has it.
Ending by_sockets(const std::string& url) {
  std::string body;
  const auto easy = easy_to(url, body);
  CURLM* multi = curl_multi_init();
  CurlSockets sockets(multi);
  curl_multi_add_handle(multi, easy.get());
  const MonoTime deadline = steady_clock::now() + kAmple;
  const CURLMsg* message = nullptr;
  int left = 0;
  while (message == nullptr && steady_clock::now() < deadline) {
    sockets.wait(deadline);
    while (sockets.act_once()) {
    }
    message = curl_multi_info_read(multi, &left);
  }
  const CURLcode code = message != nullptr ? message->data.result : CURLE_AGAIN;
  curl_multi_remove_handle(multi, easy.get());
  curl_multi_cleanup(multi);
  return {code, body};
}

TEST(CurlSockets, EndsAsABlockingExchangeDoes) {
  const std::vector<FaultScript> scripts{
      [](FaultConnection& c) { c.read_request() && c.send(kAnswer); },
      [](FaultConnection& c) {
        c.read_request() && c.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
      },
      [](FaultConnection& c) { c.read_request() && c.send("HTTP/1.1 200 OK\r\n\r\nto the end"); },
      [](FaultConnection& c) { c.read_request() && c.send("SSH-2.0\r\n"); },
      [](FaultConnection& c) { c.read_request(); },
      [](FaultConnection& c) {
        if (c.read_request()) c.reset_on_close();
      },
      [](FaultConnection& c) { c.hold(); },
      [](FaultConnection& c) {
        if (c.read_request() && c.send("HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n")) c.drip("x");
      },
  };
  std::set<CURLcode> codes;
  for (const FaultScript& script : scripts) {
    const FaultServer server(script);
    const std::string url = url_of("http", "127.0.0.1", server.port());
    const Ending slow = blocking(url);
    const Ending fast = by_sockets(url);
    EXPECT_EQ(fast.first, slow.first)
        << curl_easy_strerror(fast.first) << ", not " << curl_easy_strerror(slow.first);
    if (slow.first != CURLE_OPERATION_TIMEDOUT) {
      EXPECT_EQ(fast.second, slow.second);
    }
    codes.insert(slow.first);
  }
  EXPECT_GE(codes.size(), 4U) << "or there was little to compare";
}

}  // namespace
}  // namespace sharedrift::testing
