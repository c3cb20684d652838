#pragma once

#include "core/result.hpp"
#include "core/time.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct ssl_ctx_st;  ///< OpenSSL's SSL_CTX

namespace sharedrift {

struct ServerRequest {
  std::string method;                                        ///< upper case, as sent
  std::string path;                                          ///< percent-decoded, without the query
  std::vector<std::pair<std::string, std::string>> query;    ///< decoded, in the order of the request
  std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case
  std::string body;                                          ///< at most ServerOptions::max_body
  std::string remote_address;                                ///< of the socket, never of a header
  bool tls = false;
  [[nodiscard]] std::string_view header(std::string_view lower_case_name) const;
  /// The first query parameter of that name.
  [[nodiscard]] std::optional<std::string_view> parameter(std::string_view name) const;
};

/// Writes raw bytes to the peer; false when it is gone or the deadline passed. For faults of the simulator.
using RawWriter = std::function<bool(std::string_view)>;

struct ServerResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::vector<std::pair<std::string, std::string>> headers;
  std::shared_ptr<const std::string> body =
      std::make_shared<const std::string>();  ///< shared, never copied per request
  /// Sent after `body`, in this order; the Content-Length counts them in. A page whose parts are kept for the
  /// next scrape needs no copy of its own.
  std::vector<std::shared_ptr<const std::string>> tail;
  /// Let go of when the answer is sent, or given up: a place among those that are under way.
  std::shared_ptr<const void> permit;
  /// Set: the server writes no head or body of its own but calls this with the bare connection, then closes
  /// it.
  std::function<void(const RawWriter&)> raw;
  bool reset = false;  ///< with raw: the connection ends with a reset instead of a close

  static ServerResponse text(int status, std::string body);
};

/// Called on worker threads, several at a time; must not block for long. An exception becomes a bare 500.
using ServerHandler = std::function<ServerResponse(const ServerRequest&)>;

struct ServerOptions {
  std::string host = "127.0.0.1";
  int port = 0;                     ///< 0: any free port
  int adopted_fd = -1;              ///< a listening socket from systemd instead of host and port
  int workers = 48;                 ///< requests served at a time
  std::size_t max_head = 8192;      ///< request line and headers
  std::size_t max_body = 0;         ///< 0: a body is refused unread with 413
  Millis head_deadline{2'000};      ///< from accept to the end of the head, TLS handshake included
  Millis request_deadline{10'000};  ///< from accept to the last byte of the answer
  std::function<std::shared_ptr<ssl_ctx_st>()> tls_context;
  bool keep_alive = false;  ///< idle keep-alive connections hold a worker: off for exposed servers
};

/// A guarded HTTP/1.1 server on cpp-httplib (the only file that knows it): slow, idle, oversized and
/// malformed clients cost bounded time and memory, as tests/faults/attack.py measures.
/// Thread-safe.
class HttpServer {
 public:
  /// Binds and serves. The error names the address and the reason. A second process on the port is an error.
  static Result<std::unique_ptr<HttpServer>, std::string> start(ServerOptions options, ServerHandler handler);
  HttpServer() = default;
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  virtual ~HttpServer() = default;
  [[nodiscard]] virtual int port() const = 0;
  /// Stops accepting, lets requests in flight end within `grace`, then cuts them. Idempotent.
  virtual void stop(Millis grace) = 0;
  /// False when the listener ended by itself and could not be brought back.
  [[nodiscard]] virtual bool healthy() const = 0;
};

}  // namespace sharedrift
