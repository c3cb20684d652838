#pragma once

#include "core/non_copyable.hpp"
#include "core/result.hpp"
#include "core/time.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct ssl_ctx_st;  ///< OpenSSL's SSL_CTX

namespace sharedrift {

/// Who makes an answer. Each lane has workers of its own, so that what takes long keeps nobody else waiting,
/// and serves first whom it worked least for lately: each address has one share of it. See LaneQueue.
enum class Lane {
  quick,    ///< where every request comes first
  slow,     ///< for what takes its time
  large,    ///< for what can be large: of those who ask for the same, one at a time
  password  ///< one at a time, in an order of its own
};

struct ServerRequest {
  std::string method;                                        ///< upper case, as sent
  std::string path;                                          ///< percent-decoded, without the query
  std::vector<std::pair<std::string, std::string>> query;    ///< decoded, in the order of their names
  std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case
  std::string body;                                          ///< at most ServerOptions::max_body
  std::string remote_address;                                ///< of the socket, never of a header
  bool loopback = false;  ///< it came to a loopback address of this machine
  bool tls = false;
  Lane lane = Lane::quick;  ///< of the worker that asks
  [[nodiscard]] std::string_view header(std::string_view lower_case_name) const;
  /// The first query parameter of that name.
  [[nodiscard]] std::optional<std::string_view> parameter(std::string_view name) const;
};

struct ServerResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::vector<std::pair<std::string, std::string>> headers;
  std::shared_ptr<const std::string> body =
      std::make_shared<const std::string>();  ///< shared, never copied per request
  /// Sent after `body`, in this order; the Content-Length counts them in. A page whose parts are kept for the
  /// next scrape needs no copy of its own.
  std::vector<std::shared_ptr<const std::string>> tail;
  std::optional<Lane> later;   ///< set: no answer yet; the handler shall be asked again in this lane
  std::string one_by_one;      ///< with `later`: of requests that name the same, one is asked at a time
  bool knew_password = false;  ///< of Lane::password: it was checked and right
  Millis delay{0};             ///< so much later than it could be sent; holds no worker meanwhile

  /// Set: no head or body is sent but these pieces as they are, each after a pause, until an empty one; then
  /// the connection ends. Called when the piece before was taken; must not block. For faults of the
  /// simulator.
  using Raw = std::function<std::pair<std::string, Millis>()>;
  Raw raw;
  bool reset = false;  ///< with raw: the connection ends with a reset instead of a close

  static ServerResponse text(int status, std::string body);
  static ServerResponse in(Lane lane, std::string one_by_one = {});
};

/// Called on worker threads, several at a time. An exception becomes a bare 500.
using ServerHandler = std::function<ServerResponse(const ServerRequest&)>;

/// Why a connection got no answer, or not the one that it came for.
enum class Refusal {
  no_place,            ///< all places were taken; it did not get one, or lost its own
  too_slow,            ///< it did not send its request, or take the answer, in time
  bad_request,         ///< not HTTP, too long, or not as it must be
  plain_http,          ///< HTTP without TLS, where there is TLS
  tls_handshake,       ///< any other trouble with the handshake
  client_certificate,  ///< it has none, or not the one that is asked for
  no_certificate       ///< there is none to serve with
};

struct ServerOptions {
  int workers = 4;                     ///< of the quick lane
  int slow_workers = 2;                ///< of the slow lane, and as many of the large one
  std::size_t max_connections = 1024;  ///< fewer where there are not twice as many descriptors
  std::size_t max_head = 8192;         ///< request line and headers; more is answered with 414 or 431
  std::size_t max_body = 0;            ///< more is refused unread with 413
  Millis head_deadline{2'000};         ///< from accept to the end of the request, TLS handshake included
  Millis answer_deadline{10'000};      ///< from when the answer is there to its last byte
  Millis idle_deadline{300'000};       ///< between two requests on a connection
  bool keep_alive = true;
  /// For each connection; null: it is closed. Empty: no TLS.
  std::function<std::shared_ptr<ssl_ctx_st>()> tls_context;
  /// Told of each connection that is refused, with the peer's address; must not block. May be empty.
  std::function<void(Refusal, const std::string&)> on_refused;
};

/// An HTTP/1.1 server. One thread owns all connections and waits for none of them; a request that is whole
/// goes to a worker, which makes the answer and is free again before the answer is sent. So slow, idle,
/// oversized and malformed clients cost bounded time and memory, as tests/faults/attack.py measures.
/// cpp-httplib reads and writes HTTP (http_answer.cpp). Thread-safe.
class HttpServer : NonCopyable {
 public:
  /// Serves on these listening sockets (open_listening_socket(), or systemd's) and takes them over. The error
  /// says what the machine lacks.
  static Result<std::unique_ptr<HttpServer>, std::string> start(const std::vector<int>& sockets,
                                                                ServerOptions options, ServerHandler handler);
  virtual ~HttpServer() = default;
  /// Of the first socket.
  [[nodiscard]] virtual int port() const = 0;
  /// Stops accepting, lets requests in flight end within `grace`, then cuts them. Idempotent.
  virtual void stop(Millis grace) = 0;
  /// False when it ended by itself, or a listening socket broke.
  [[nodiscard]] virtual bool healthy() const = 0;
};

}  // namespace sharedrift
