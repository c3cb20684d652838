#include "http_client/transport_kit.hpp"
#include "support/fakes.hpp"

#include <array>
#include <atomic>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift::testing {
namespace {

using namespace std::chrono_literals;

HttpRequest to(int port, const std::string& path = "/") {
  return get("http://127.0.0.1:" + std::to_string(port) + path);
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

TEST(CurlTransport, ARequestAfterAnotherIsTheSameAsTheFirst) {
  const FaultServer server([](FaultConnection& c) {
    while (c.read_request() && c.send("HTTP/1.1 204 No Content\r\n\r\n")) {
    }
  });
  const auto sent = [&server](CurlTransport& transport, const HttpRequest& request) {
    const std::size_t before = server.heard().size();
    EXPECT_EQ(reason_of(exchange(transport, request)), "success, status 204");
    return server.heard().substr(before);
  };
  std::vector<std::pair<HttpRequest, std::string>> alone;
  for (const char* const method : {"GET", "HEAD", "POST", "PUT"}) {
    for (const char* const body : {"", "a body"}) {
      for (const HttpHeaders& headers : {HttpHeaders{}, HttpHeaders{{"x-empty", ""}},
                                         HttpHeaders{{"content-type", "a/b"}, {"x-b", "2"}}}) {
        HttpRequest request = get(url_of("http", "127.0.0.1", server.port()));
        request.method = method;
        request.body = body;
        request.headers = headers;
        CurlTransport fresh;
        std::string text = sent(fresh, request);
        EXPECT_THAT(text, StartsWith(std::string{method} + " /?token="));
        alone.emplace_back(std::move(request), std::move(text));
      }
    }
  }
  CurlTransport used;
  for (const auto& [first, ignored] : alone) {
    for (const auto& [second, text] : alone) {
      (void)sent(used, first);
      EXPECT_EQ(sent(used, second), text) << "after " << first.method;
    }
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

TEST(CurlTransport, RunsManyAtOnceOnFewConnections) {
  const auto server = serve([](const ServerRequest& r) { return ServerResponse::text(200, r.path); });
  CurlTransport transport;
  std::size_t right = 0;
  const auto deadline = boot_now() + 10s;
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

TEST(CurlTransport, AMomentLongPastIsNow) {
  CurlTransport transport;
  const auto start = boot_now();
  transport.run_once(MonoTime::min());
  EXPECT_LT(boot_now() - start, kAmple);
  EXPECT_EQ(reason_of(perform(transport, to(1), MonoTime::min(), {})), "timeout");
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

TEST(CurlTransport, SixteenAtOnceShareSixteenConnections) {
  const Trust trust;
  const FaultServer server(answer(), trust.good());
  CurlTransport transport;
  const std::string url = url_of("https", "localhost", server.port());
  const auto limit = boot_now() + kAmple;
  std::size_t good = 0;
  for (int burst = 0; burst < 10; ++burst) {
    std::size_t open = 16;
    for (int i = 0; i < 16; ++i) {
      transport.start(get(url, trust.route), limit, [&](const HttpResult& result) {
        --open;
        good += result && result->body == "{}" ? 1U : 0U;
      });
    }
    while (open > 0)
      transport.run_once(limit);
  }
  EXPECT_EQ(good, 160U);
  EXPECT_LE(server.connections(), 16U);
}

TEST(CurlTransport, AnswersThatCameTogetherAreTakenOneATurnAndWhatTheyAskForIsSent) {
  std::atomic<std::size_t> answered = 0;
  const FaultServer server([&answered](FaultConnection& c) {
    while (c.read_request() && c.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"))
      ++answered;
  });
  CurlTransport transport;
  const auto limit = boot_now() + kAmple;
  const auto eventually = [limit](const auto& holds) {
    while (!holds() && boot_now() < limit)
      std::this_thread::sleep_for(1ms);
    return holds();
  };
  std::size_t done = 0;
  const auto until_done = [&](std::size_t count) {
    while (done < count && boot_now() < limit)
      transport.run_once(limit);
  };
  const auto two_at_once = [&](const HttpDone& on_answer) {
    for (int i = 0; i < 2; ++i)
      transport.start(to(server.port()), limit, on_answer);
  };
  two_at_once([&done](const HttpResult&) { ++done; });
  until_done(2);
  two_at_once([&](const HttpResult&) {
    if (++done == 3)
      transport.start(to(server.port(), "/next"), limit, [&done](const HttpResult&) { ++done; });
  });
  transport.run_once(MonoTime::min());
  ASSERT_TRUE(eventually([&] { return answered == 4; })) << "nobody has looked yet";
  until_done(3);
  transport.run_once(MonoTime::min());
  EXPECT_EQ(done, 4U) << "it was there already";
  until_done(5);
  EXPECT_EQ(done, 5U);
}

TEST(CurlTransport, ASignedRequestIsNotSentTwice) {
  // Answers once, and ends the connection when the second request has come.
  const FaultServer server([](FaultConnection& c) {
    if (c.read_request() && c.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")) (void)c.read_request();
  });
  CurlTransport transport;
  HttpRequest request = get(url_of("http", "127.0.0.1", server.port()));
  request.method = "POST";
  request.body = "signed";
  EXPECT_EQ(reason_of(exchange(transport, request)), "success, status 200");
  const HttpResult second = exchange(transport, request);
  EXPECT_EQ(reason_of(second), "reset");
  EXPECT_THAT(second.error().detail, HasSubstr("kept-alive connection"));
  EXPECT_EQ(second.error().kind, TransportError::Kind::stale);
  const std::string heard = server.heard();
  std::size_t copies = 0;
  for (std::size_t at = heard.find("POST "); at != std::string::npos; at = heard.find("POST ", at + 1))
    ++copies;
  EXPECT_EQ(copies, 2U);
  EXPECT_EQ(reason_of(exchange(transport, request)), "success, status 200") << "the fresh connection is good";
}

TEST(CurlTransport, AConnectionThatWasClosedInPeaceIsNotUsedAgain) {
  std::mutex mutex;
  std::size_t closed = 0;
  const FaultServer server([&](FaultConnection& c) {
    if (c.read_request()) c.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
    const std::scoped_lock lock(mutex);
    ++closed;
  });
  CurlTransport transport;
  for (std::size_t i = 1; i <= 3; ++i) {
    EXPECT_EQ(reason_of(exchange(transport, get(url_of("http", "127.0.0.1", server.port())))),
              "success, status 200");
    std::this_thread::sleep_for(50ms);  // the end of the connection is on its way
  }
  EXPECT_EQ(server.connections(), 3U);
}

TEST(CurlTransport, HeadAndBodilessAnswersNeedNoFraming) {
  const FaultServer server([](FaultConnection& c) {
    while (const auto request = c.read_request()) {
      const bool head = request->starts_with("HEAD ");
      if (!c.send(head ? "HTTP/1.1 200 OK\r\n\r\n" : "HTTP/1.1 204 No Content\r\n\r\n")) return;
    }
  });
  HttpRequest request = get(url_of("http", "127.0.0.1", server.port()));
  EXPECT_EQ(reason_of(exchange(request)), "success, status 204");
  request.method = "HEAD";
  EXPECT_EQ(reason_of(exchange(request)), "success, status 200");
}

TEST(CurlTransport, OnlyTheFinalHeadCounts) {
  const FaultServer server(
      answer_bytes("HTTP/1.1 103 Early Hints\r\nX-A: early\r\nContent-Length: 9\r\n\r\n"
                   "HTTP/1.1 200 OK\r\nX-B: late\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "2\r\n{}\r\n0\r\nX-C: trailer\r\n\r\n"));
  const HttpResult result = exchange(get(url_of("http", "127.0.0.1", server.port())));
  ASSERT_EQ(reason_of(result), "success, status 200");
  EXPECT_EQ(result->body, "{}");
  EXPECT_EQ(result->header("x-a"), "");
  EXPECT_EQ(result->header("x-b"), "late");
  EXPECT_EQ(result->header("x-c"), "");
}

TEST(CurlTransport, AHandleOfManyUsesSendsWhatANewOneSends) {
  const auto echoing = [](const ServerRequest& r) {
    std::string echo = r.method + " " + r.path + "|";
    for (const auto& [name, value] : r.headers)
      echo += name + "=" + value + ";";
    return ServerResponse::text(r.path == "/odd" ? 500 : 200, echo + "|" + r.body);
  };
  const std::array servers{serve(echoing), serve(echoing)};
  const std::vector<std::string> methods{"GET", "POST", "PUT", "HEAD", "DELETE"};
  const std::vector<std::shared_ptr<const HttpRoute>> routes{nullptr, std::make_shared<const HttpRoute>(),
                                                             std::make_shared<const HttpRoute>()};
  SeededRandom random(3);
  CurlTransport kept;
  for (int round = 0; round < 200; ++round) {
    const int port = servers.at(random.next() % servers.size())->port();
    HttpRequest request = to(port, random.next() % 4 == 0 ? "/odd" : "/");
    if (random.next() % 9 == 0) request.url = "http://127.0.0.1:65536/";  // nothing that can be parsed
    request.method = methods.at(random.next() % methods.size());
    request.route = routes.at(random.next() % routes.size());
    if (request.method != "HEAD" && random.next() % 3 == 0) request.body = std::to_string(random.next());
    for (std::uint64_t i = random.next() % 4; i > 0; --i)
      request.headers.add("x-" + std::to_string(i), i == 2 ? "" : std::to_string(random.next()));
    if (random.next() % 5 == 0) request.headers.add("Accept", "application/json");
    if (random.next() % 5 == 0) request.headers.add("Content-Type", "text/plain");
    if (random.next() % 7 == 0) request.max_body = 10;
    const HttpResult one = exchange(kept, request);
    const HttpResult other = exchange(request);
    ASSERT_EQ(reason_of(one), reason_of(other));
    EXPECT_EQ(one ? one->body : "", other ? other->body : "");
  }
}

TEST(CurlTransport, ACallbackMayStartOrDropExchanges) {
  const FaultServer server(answer());
  CurlTransport transport;
  const auto past = boot_now() - 1s;
  int refusals = 0;
  std::function<void(HttpResult)> again = [&](const HttpResult& result) {
    EXPECT_EQ(reason_of(result), "timeout");
    if (++refusals < 3) transport.start(get("http://127.0.0.1/"), past, again);
  };
  transport.start(get("http://127.0.0.1/"), past, again);
  EXPECT_EQ(refusals, 0) << "never from within start()";
  transport.run_once(boot_now() + 1s);
  EXPECT_EQ(refusals, 1) << "one turn does not take in what it brought about";
  transport.run_once(boot_now() + 1s);
  transport.run_once(boot_now() + 1s);
  EXPECT_EQ(refusals, 3);

  int answers = 0;
  const auto limit = boot_now() + kAmple;
  for (int i = 0; i < 4; ++i) {
    transport.start(get(url_of("http", "127.0.0.1", server.port())), limit, [&](const HttpResult&) {
      ++answers;
      transport.cancel_all();
    });
  }
  while (answers == 0)
    transport.run_once(limit);
  for (int i = 0; i < 20; ++i)
    transport.run_once(boot_now() + 5ms);
  EXPECT_EQ(answers, 1);
}

}  // namespace
}  // namespace sharedrift::testing
