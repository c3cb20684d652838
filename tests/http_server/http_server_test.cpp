#include "http_server/http_server.hpp"

#include "http_server/serve.hpp"
#include "http_server/sockets.hpp"
#include "support/raw_client.hpp"

#include <algorithm>
#include <array>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/tcp.h>

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
using ::testing::StartsWith;

TEST(HttpServer, AnswersWithLengthAndCloses) {
  const auto server = serve(echo);
  const std::string answer = http_get(server->port(), "/a%20b?x=1");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Length: 9\r\n"));
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\nGET /a b "));
}

TEST(HttpServer, HandsOverTheRequest) {
  ServerRequest seen;
  const auto server = serve([&seen](const ServerRequest& request) {
    seen = request;
    return ServerResponse::text(204, "");
  });
  http_get(server->port(), "/p?a=1&b=x%26y", "X-Thing: v\r\nREMOTE_ADDR: 6.6.6.6\r\n");
  EXPECT_EQ(seen.path, "/p");
  EXPECT_EQ(seen.parameter("b"), "x&y");
  EXPECT_EQ(seen.header("x-thing"), "v");
  EXPECT_EQ(seen.remote_address, "127.0.0.1") << "the socket's, whatever a header claims";
  EXPECT_EQ(seen.header("remote_addr"), "");
}

TEST(HttpServer, SendsPartsWithoutJoiningThem) {
  const auto server = serve([](const ServerRequest&) {
    ServerResponse response = ServerResponse::text(200, "one");
    response.tail = {std::make_shared<const std::string>(""),
                     std::make_shared<const std::string>(1'000'000, 'x'),
                     std::make_shared<const std::string>("end")};
    return response;
  });
  const std::string answer = http_get(server->port());
  EXPECT_THAT(answer, HasSubstr("Content-Length: 1000006\r\n"));
  EXPECT_THAT(answer, EndsWith("xend"));
  EXPECT_EQ(answer.size() - answer.find("\r\n\r\n") - 4, 1'000'006U);
}

TEST(HttpServer, SmallPartsShareAPacket) {
  const auto server = serve([](const ServerRequest&) {
    ServerResponse response = ServerResponse::text(200, "one");
    response.tail.assign(50, std::make_shared<const std::string>(100, 'x'));
    return response;
  });
  const RawClient client(server->port());
  client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(client.read_all(), EndsWith(std::string(5000, 'x')));
  tcp_info info{};
  socklen_t size = sizeof info;
  ASSERT_EQ(::getsockopt(client.fd(), IPPROTO_TCP, TCP_INFO, &info, &size), 0);
  EXPECT_LE(info.tcpi_data_segs_in, 2U);
}

TEST(HttpServer, HeadHasTheLengthAndNoBody) {
  const auto server = serve(echo);
  const RawClient client(server->port());
  client.send("HEAD /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string answer = client.read_all();
  EXPECT_THAT(answer, HasSubstr("Content-Length: 8\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("Accept-Ranges"))) << "ranges are refused";
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST(HttpServer, AbsoluteTargetsAreTaken) {
  const auto server = serve([](const ServerRequest& request) {
    return ServerResponse::text(200, request.path + " " + std::string(request.header("host")));
  });
  EXPECT_THAT(http_get(server->port(), "http://x/a?b=1"), EndsWith("\r\n\r\n/a x"));
  EXPECT_THAT(http_get(server->port(), "HTTPS://X"), EndsWith("\r\n\r\n/ x"));
  EXPECT_THAT(http_get(server->port(), "http://x?b=1"), EndsWith("\r\n\r\n/ x"));
}

TEST(HttpServer, AskedForLaterItAsksAgainInThatLane) {
  const auto server = serve([](const ServerRequest& request) {
    if (request.lane == Lane::quick) return ServerResponse::in(Lane::password);
    return ServerResponse::text(200, request.lane == Lane::password ? "long " + request.body : "");
  });
  EXPECT_THAT(http_get(server->port()), EndsWith("long "));
}

TEST(HttpServer, WhoWaitsForAnAnswerIsNotCutForWaiting) {
  ServerOptions options;
  options.head_deadline = options.answer_deadline = 50ms;
  const auto server = serve(
      [](const ServerRequest&) {
        std::this_thread::sleep_for(200ms);
        return ServerResponse::text(200, "late");
      },
      options);
  EXPECT_THAT(http_get(server->port()), EndsWith("late"));
}

TEST(HttpServer, WhatTakesLongKeepsNothingSmallWaiting) {
  std::mutex gate;
  gate.lock();
  const auto server = serve([&gate](const ServerRequest& request) {
    if (request.path == "/small") return ServerResponse::text(200, "small");
    if (request.lane == Lane::quick) return ServerResponse::in(Lane::large, request.path);
    const std::scoped_lock wait(gate);
    return ServerResponse::text(200, "large");
  });
  std::vector<std::unique_ptr<RawClient>> readers;
  for (const char* path : {"/a", "/a", "/a", "/b", "/b", "/c"}) {
    readers.push_back(std::make_unique<RawClient>(server->port()));
    readers.back()->send("GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  }
  EXPECT_THAT(http_get(server->port(), "/small"), EndsWith("small"));
  gate.unlock();
  for (const auto& reader : readers)
    EXPECT_THAT(reader->read_all(), EndsWith("large"));
}

TEST(HttpServer, BothFamiliesOnOnePort) {
  const auto v4 = open_listening_socket("0.0.0.0", 0);
  ASSERT_TRUE(v4) << v4.error();
  const auto v6 = open_listening_socket("::", port_of_socket(*v4), Family::v6_only);
  EXPECT_TRUE(v6 || v6.error().find("family") != std::string::npos) << v6.error();
  ::close(*v4);
  if (v6) ::close(*v6);
}

TEST(HttpServer, AnExceptionTellsNothing) {
  const auto server =
      serve([](const ServerRequest&) -> ServerResponse { throw std::runtime_error("inside"); });
  const std::string answer = http_get(server->port());
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 500"));
  EXPECT_THAT(answer, Not(HasSubstr("inside")));
}

TEST(HttpServer, RawPiecesAreSentAsTheyAre) {
  const auto server = serve([](const ServerRequest&) {
    ServerResponse response;
    response.raw = [piece = 0]() mutable {
      constexpr std::array<const char*, 3> kPieces{"HTTP/1.1 200 OK\r\nContent-Le", "ngth: 100\r\n\r\ncut",
                                                   ""};
      return std::pair(std::string(kPieces.at(static_cast<std::size_t>(piece++))), Millis{piece});
    };
    return response;
  });
  EXPECT_EQ(http_get(server->port()), "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ncut");
}

TEST(HttpServer, KeepsAConnection) {
  const auto server = serve(echo);
  const RawClient client(server->port());
  client.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\n");
  std::this_thread::sleep_for(50ms);
  client.send("GET /2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string answers = client.read_all();
  EXPECT_THAT(answers, HasSubstr("GET /1 "));
  EXPECT_THAT(answers, HasSubstr("GET /2 "));
}

TEST(HttpServer, AKeptConnectionGetsItsAnswersAtOnce) {
  const auto server = serve(echo);
  const RawClient client(server->port());
  auto fastest = std::chrono::steady_clock::duration::max();
  for (int i = 0; i < 20; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    client.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_THAT(client.read_some(), StartsWith("HTTP/1.1 200"));
    if (i > 0) fastest = std::min(fastest, std::chrono::steady_clock::now() - begin);
  }
  EXPECT_LT(fastest, 100ms) << "held back, each but the first would take 200 ms";
}

TEST(HttpServer, TwoOnOnePortAreRefused) {
  const auto first = serve(echo);
  const auto second = open_listening_socket("127.0.0.1", first->port());
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error(), HasSubstr("127.0.0.1:" + std::to_string(first->port())));
}

TEST(HttpServer, StopLetsAnAnswerInFlightEnd) {
  std::mutex gate;
  gate.lock();
  auto server = serve([&gate](const ServerRequest&) {
    const std::scoped_lock wait(gate);
    return ServerResponse::text(200, "whole");
  });
  const RawClient client(server->port());
  client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  std::this_thread::sleep_for(100ms);
  std::jthread stopper([&server] { server->stop(3s); });
  std::this_thread::sleep_for(100ms);
  gate.unlock();
  EXPECT_THAT(client.read_all(), EndsWith("whole"));
  stopper.join();
  EXPECT_FALSE(RawClient(server->port()).connected());
}

TEST(HttpServer, EveryAnswerIsDated) {
  const auto server = serve(echo);
  EXPECT_THAT(http_get(server->port()), ::testing::ContainsRegex("\r\nDate: [A-Z][a-z][a-z], [0-9][0-9] "));
  const auto dated = serve([](const ServerRequest&) {
    ServerResponse response = ServerResponse::text(200, "");
    response.headers.emplace_back("Date", "Tue, 24 Nov 2026 09:20:44 GMT");
    return response;
  });
  const std::string answer = http_get(dated->port());
  EXPECT_THAT(answer, HasSubstr("\r\nDate: Tue, 24 Nov 2026 09:20:44 GMT\r\n"));
  EXPECT_EQ(answer.find("Date:"), answer.rfind("Date:"));
}

TEST(HttpServer, PipelinedRequestsAreAllAnsweredInTurn) {
  const auto server = serve(echo);
  const RawClient client(server->port());
  client.send(
      "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n"
      "GET /3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string answers = client.read_all(1s);
  EXPECT_LT(answers.find("GET /1 "), answers.find("GET /2 "));
  EXPECT_LT(answers.find("GET /2 "), answers.find("GET /3 "));
  EXPECT_NE(answers.find("GET /3 "), std::string::npos);
}

TEST(HttpServer, WithoutKeepAliveOneRequestIsServed) {
  ServerOptions options;
  options.keep_alive = false;
  const auto server = serve(echo, options);
  const RawClient client(server->port());
  client.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string answers = client.read_all(1s);
  EXPECT_THAT(answers, HasSubstr("GET /1 "));
  EXPECT_THAT(answers, Not(HasSubstr("GET /2 ")));
}

TEST(HttpServer, ASocketOfSystemdOutlivesTheServer) {
  const auto listening = open_listening_socket("127.0.0.1", 0);
  ASSERT_TRUE(listening) << listening.error();
  for (int life = 0; life < 2; ++life) {
    const auto started = HttpServer::start({::dup(*listening)}, {}, echo);
    ASSERT_TRUE(started) << started.error();
    const auto& server = *started;
    EXPECT_EQ(server->port(), port_of_socket(*listening));
    EXPECT_THAT(http_get(server->port(), "/life"), HasSubstr("GET /life "));
    server->stop(1s);
  }
  ::close(*listening);
}

}  // namespace
}  // namespace sharedrift
