#pragma once

#include "core/failure.hpp"
#include "support/fault_server.hpp"

#include <string>
#include <vector>

namespace sharedrift::testing {

/// A way for a far side to go wrong, and what a client must call it.
struct Fault {
  std::string name;
  Reason reason;
  bool hangs;  ///< only the client's deadline ends it
  FaultScript script;
};

/// An honest answer to each request, on a connection that is kept alive.
inline FaultScript answer(const std::string& body = "{}") {
  std::string page = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ";
  page.append(std::to_string(body.size())).append("\r\n\r\n").append(body);
  return [page = std::move(page)](FaultConnection& connection) {
    while (connection.read_request()) {
      if (!connection.send(page)) return;
    }
  };
}

/// Reads the request, then does as it is told.
inline FaultScript after_request(FaultScript then) {
  return [then = std::move(then)](FaultConnection& connection) {
    if (connection.read_request()) then(connection);
  };
}

/// Answers with these very bytes and closes.
inline FaultScript answer_bytes(std::string bytes) {
  return after_request([bytes = std::move(bytes)](FaultConnection& connection) { connection.send(bytes); });
}

/// Answers with `head`, then repeats `unit`, slowly or as fast as it goes, for as long as the client stays.
inline FaultScript answer_drip(std::string head, std::string unit) {
  return after_request([head = std::move(head), unit = std::move(unit)](FaultConnection& connection) {
    if (connection.send(head)) connection.drip(unit);
  });
}
inline FaultScript answer_flood(std::string head, std::string unit) {
  return after_request([head = std::move(head), unit = std::move(unit)](FaultConnection& connection) {
    if (connection.send(head)) connection.flood(unit);
  });
}

inline std::string repeated(const std::string& unit, std::size_t times = 500) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i)
    out += unit;
  return out;
}

/// Every bad answer of an HTTP server, whether behind TLS or not. A client that caps bodies at 1 MiB or less
/// and heads at 64 KiB or less must give these reasons.
inline std::vector<Fault> answer_faults() {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const std::string chunked = ok + "Transfer-Encoding: chunked\r\n\r\n";
  const std::string headers = repeated("X-Many: 1\r\n");
  const std::string chunk = "10000\r\n" + std::string(65536, 'x') + "\r\n";
  const auto reset_in_body = [ok](FaultConnection& connection) {
    connection.send(ok + "Content-Length: 100\r\n\r\nhalf");
    (void)connection.rest(Millis{20});
    connection.reset_on_close();
  };
  return {
      {"silent", Reason::timeout, true, [](FaultConnection& c) { c.hold(); }},
      {"header_drip", Reason::timeout, true, answer_drip(ok + "X-Slow: ", "a")},
      {"status_drip", Reason::timeout, true, answer_drip("HTTP/1.1 200 ", "K")},
      {"body_drip", Reason::timeout, true, answer_drip(ok + "Content-Length: 9000\r\n\r\n{", " ")},
      {"chunk_drip", Reason::timeout, true, answer_drip(chunked, "1\r\n \r\n")},
      {"continue_drip", Reason::timeout, true, answer_drip("", "HTTP/1.1 100 Continue\r\n\r\n")},
      {"continue_flood", Reason::too_large, false,
       answer_flood("", repeated("HTTP/1.1 100 Continue\r\n\r\n"))},
      {"endless_chunks", Reason::too_large, false, answer_flood(chunked, chunk)},
      {"99_gb_length", Reason::too_large, false,
       answer_flood(ok + "Content-Length: 99000000000\r\n\r\n", std::string(65536, 'x'))},
      {"length_beyond_64_bits", Reason::too_large, false,
       answer_bytes(ok + "Content-Length: 99999999999999999999999\r\n\r\n{}")},
      {"huge_header", Reason::too_large, false, answer_flood(ok + "X-Long: ", std::string(65536, 'h'))},
      {"huge_status", Reason::too_large, false, answer_flood("HTTP/1.1 200 ", std::string(65536, 'K'))},
      {"many_headers", Reason::too_large, false, answer_flood(ok, headers)},
      {"endless_trailers", Reason::too_large, false, answer_flood(chunked + "0\r\n", headers)},
      {"reset_in_body", Reason::reset, false, after_request(reset_in_body)},
      {"reset_before_answer", Reason::reset, false,
       after_request([](FaultConnection& c) { c.reset_on_close(); })},
      {"closed_before_answer", Reason::reset, false, answer_bytes("")},
      {"cut_in_header", Reason::reset, false, answer_bytes(ok + "Content-Len")},
      {"cut_with_length", Reason::reset, false, answer_bytes(ok + "Content-Length: 100\r\n\r\n{")},
      {"cut_in_chunks", Reason::reset, false, answer_bytes(chunked + "5\r\n12345\r\n")},
      {"cut_without_length", Reason::protocol, false, answer_bytes(ok + "\r\n{\"TotalCount\":0")},
      {"empty_without_length", Reason::protocol, false, answer_bytes(ok + "\r\n")},
      {"http_1_0_without_length", Reason::protocol, false, answer_bytes("HTTP/1.0 200 OK\r\n\r\n{}")},
      {"negative_length", Reason::protocol, false, answer_bytes(ok + "Content-Length: -2\r\n\r\n{}")},
      {"two_lengths", Reason::protocol, false,
       answer_bytes(ok + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ")},
      {"folded_length", Reason::protocol, false, answer_bytes(ok + "X: 1\r\n Content-Length: 2\r\n\r\n{}")},
      {"negative_chunk", Reason::protocol, false, answer_bytes(chunked + "-2\r\n{}\r\n0\r\n\r\n")},
      {"chunk_of_letters", Reason::protocol, false, answer_bytes(chunked + "zz\r\n{}\r\n0\r\n\r\n")},
      {"gzip_content", Reason::protocol, false,
       answer_bytes(ok + "Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc")},
      {"gzip_transfer", Reason::protocol, false,
       answer_bytes(ok + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n")},
      {"not_http", Reason::protocol, false, answer_bytes("SSH-2.0-OpenSSH_9.2\r\n")},
      {"http_0_9", Reason::protocol, false, answer_bytes("{\"TotalCount\":0}")},
  };
}

/// A handshake record of 16 KiB that never comes whole, and one that never comes at all.
inline FaultScript handshake_drip() {
  return [](FaultConnection& connection) {
    if (!connection.read_some().empty() && connection.send("\x16\x03\x03\x3f")) connection.drip("\x01");
  };
}
inline FaultScript handshake_silence() {
  return [](FaultConnection& connection) { connection.hold(); };
}

/// A proxy that lets every CONNECT through to `port` of this machine.
inline FaultScript proxy_to(int port, std::string status = "HTTP/1.1 200 Connection established") {
  return [port, status = std::move(status)](FaultConnection& connection) {
    if (connection.read_request() && connection.send(status + "\r\n\r\n")) connection.tunnel_to(port);
  };
}

/// Every way for a proxy to break the tunnel.
inline std::vector<Fault> proxy_faults() {
  const auto page = [](const std::string& status) {
    return answer_bytes("HTTP/1.1 " + status + "\r\nConnection: close\r\nContent-Length: 4\r\n\r\npage");
  };
  const std::string challenge = "407 Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"";
  return {
      {"proxy_403", Reason::proxy, false, page("403 Forbidden")},
      {"proxy_407", Reason::proxy, false, page(challenge)},
      {"proxy_407_unframed", Reason::proxy, false, answer_bytes("HTTP/1.1 " + challenge + "\r\n\r\n")},
      {"proxy_502_close", Reason::proxy, false, page("502 Bad Gateway")},
      {"proxy_302", Reason::proxy, false, page("302 Found\r\nLocation: http://127.0.0.1/")},
      {"proxy_1_0_502", Reason::proxy, false, answer_bytes("HTTP/1.0 502 Bad\r\n\r\n")},
      {"proxy_garbage", Reason::proxy, false, answer_bytes("hello\r\n\r\n")},
      {"proxy_closes", Reason::proxy, false, answer_bytes("")},
      {"proxy_resets", Reason::proxy, false, after_request([](FaultConnection& c) { c.reset_on_close(); })},
      {"proxy_endless_head", Reason::proxy, false,
       answer_flood("HTTP/1.1 200 OK\r\n", repeated("X-Many: 1\r\n"))},
      {"proxy_huge_header", Reason::proxy, false,
       answer_flood("HTTP/1.1 200 OK\r\nX-Long: ", std::string(65536, 'h'))},
      {"proxy_silent", Reason::proxy, true, after_request([](FaultConnection& c) { c.hold(); })},
      {"proxy_drip", Reason::proxy, true, answer_drip("HTTP/1.1 200 OK\r\nX-Slow: ", "a")},
  };
}

}  // namespace sharedrift::testing
