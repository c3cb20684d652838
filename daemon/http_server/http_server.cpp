#include "http_server/http_server.hpp"

#include "core/text.hpp"
#include "http_server/guarded_socket.hpp"
#include "http_server/http_connections.hpp"
#include "http_server/listener.hpp"
#include "http_server/worker_pool.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <ctime>
#include <mutex>
#include <utility>

#include <httplib.h>
#include <sys/socket.h>
#include <unistd.h>

// The pkg-config flags of Debian's cpp-httplib 0.11.4 change the size of its classes; without them memory is
// corrupted.
static_assert(sizeof(httplib::Request) == 608,
              "cpp-httplib was included without the flags of its pkg-config file");

namespace sharedrift {

namespace {

using SteadyClock = std::chrono::steady_clock;

/// What the library reads from and writes to.
class GuardedStream final : public httplib::Stream {
 public:
  explicit GuardedStream(GuardedSocket& socket) : socket_(socket) {}
  [[nodiscard]] bool is_readable() const override { return true; }
  [[nodiscard]] bool is_writable() const override { return true; }
  ssize_t read(char* out, std::size_t size) override { return socket_.read(out, size); }
  ssize_t write(const char* data, std::size_t size) override { return socket_.write(data, size); }
  void get_remote_ip_and_port(std::string& ip, int& port) const override {
    GuardedSocket::Peer peer = socket_.peer();
    ip = std::move(peer.address);
    port = peer.port;
  }
  void get_local_ip_and_port(std::string& /*ip*/, int& /*port*/) const override {}
  [[nodiscard]] socket_t socket() const override { return socket_.fd(); }

 private:
  GuardedSocket& socket_;
};

/// The connection that the running worker serves: the library does not hand it to handlers.
thread_local GuardedSocket* current_socket = nullptr;

struct CurrentSocket {
  explicit CurrentSocket(GuardedSocket& socket) { current_socket = &socket; }
  CurrentSocket(const CurrentSocket&) = delete;
  CurrentSocket& operator=(const CurrentSocket&) = delete;
  ~CurrentSocket() { current_socket = nullptr; }
};

/// cpp-httplib parses and writes HTTP, and that is all: sockets, threads, deadlines and caps are ours.
class HttpEngine final : public httplib::Server {
 public:
  HttpEngine(const ServerOptions& options, HttpConnections& connections)
      : options_(options), connections_(connections) {
    set_keep_alive_max_count(options.keep_alive ? kKeptRequests : 1);
    set_payload_max_length(std::max<std::size_t>(options.max_body, 1));
    svr_sock_ = 0;  // any number: with INVALID_SOCKET the library takes itself for stopping and cuts answers
  }

  /// Serves a connection to its end. It must have been entered.
  void serve(GuardedSocket& socket) {
    const CurrentSocket current(socket);
    const std::size_t max_input = options_.max_head + options_.max_body;
    socket.allow(SteadyClock::now() + options_.head_deadline, max_input);
    if (options_.tls_context) {
      const auto context = options_.tls_context();
      // No certificate to serve with: closed, not open.
      if (!context || !socket.accept_tls(context.get())) return;
    }
    while (serve_one(socket) && connections_.idle(socket.fd()) &&
           socket.wait_for_input(options_.head_deadline)) {
      connections_.reading(socket.fd());
      socket.allow(SteadyClock::now() + options_.head_deadline, max_input);
    }
    socket.finish();
  }

 private:
  static constexpr std::size_t kKeptRequests = 100'000;

  /// True if another request may follow.
  bool serve_one(GuardedSocket& socket) {
    const MonoTime begun = SteadyClock::now();
    GuardedStream stream(socket);
    bool closed = false;
    const bool served =
        process_request(stream, !options_.keep_alive, closed, [&](httplib::Request& /*request*/) {
          connections_.answering(socket.fd());
          socket.set_deadline(begun + options_.request_deadline);
        });
    if (!served || closed || !options_.keep_alive) return false;
    socket.flush();
    return true;
  }

  const ServerOptions& options_;
  HttpConnections& connections_;
};

/// RFC 9110 wants it in every answer of a server with a clock; the status page takes the time from it.
std::string http_date() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  std::array<char, 64> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc);
  return {text.data(), size};
}

/// The library's own map is sorted and, after a form, holds its fields too; only it decodes, though.
std::vector<std::pair<std::string, std::string>> parse_query(std::string_view target) {
  std::vector<std::pair<std::string, std::string>> out;
  const std::size_t begin = target.find('?');
  if (begin == std::string_view::npos) return out;
  std::string_view rest = target.substr(begin + 1);
  rest = rest.substr(0, rest.find('#'));
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view pair = rest.substr(0, end);
    const std::size_t equals = std::min(pair.find('='), pair.size());
    if (!pair.empty()) {
      out.emplace_back(
          httplib::detail::decode_url(std::string(pair.substr(0, equals)), true),
          httplib::detail::decode_url(std::string(pair.substr(std::min(equals + 1, pair.size()))), true));
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return out;
}

ServerRequest to_request(const httplib::Request& from) {
  ServerRequest request;
  request.method = from.method;
  request.path = from.path;
  request.query = parse_query(from.target);
  for (const auto& [name, value] : from.headers) {
    std::string lower = to_lower(name);
    // The library adds these two behind what the peer sent under the same names.
    if (lower != "remote_addr" && lower != "remote_port")
      request.headers.emplace_back(std::move(lower), value);
  }
  request.body = from.body;
  request.remote_address = from.remote_addr;
  request.tls = current_socket->has_tls();
  return request;
}

/// Sends the parts one after the other, without joining them.
bool send_parts(const std::vector<std::shared_ptr<const std::string>>& parts, std::size_t offset,
                httplib::DataSink& sink) {
  for (const auto& part : parts) {
    if (offset >= part->size()) {
      offset -= part->size();
      continue;
    }
    if (!sink.write(part->data() + offset, part->size() - offset)) return false;
    offset = 0;
  }
  return true;
}

void fill_response(ServerResponse from, httplib::Response& to) {
  to.status = from.status;
  for (auto& [name, value] : from.headers)
    to.set_header(name, value);
  if (!to.has_header("Date")) to.set_header("Date", http_date());
  std::vector<std::shared_ptr<const std::string>> parts{from.body};
  parts.insert(parts.end(), from.tail.begin(), from.tail.end());
  std::size_t size = 0;
  for (const auto& part : parts)
    size += part->size();
  if (size == 0) return to.set_content("", from.content_type);
  // A provider with a length: the body is not copied, and the library does not compress it by itself.
  to.set_content_provider(size, from.content_type,
                          [parts = std::move(parts), permit = std::move(from.permit)](
                              std::size_t offset, std::size_t /*length*/, httplib::DataSink& sink) {
                            return send_parts(parts, offset, sink);
                          });
}

class GuardedHttpServer final : public HttpServer {
 public:
  GuardedHttpServer(ServerOptions options, ServerHandler handler)
      : options_(std::move(options)),
        handler_(std::move(handler)),
        engine_(options_, connections_),
        pool_(
            options_.workers, [this](int fd) { serve(fd); }, [this] { connections_.evict_one(); }),
        listener_(pool_, connections_) {
    route();
  }
  ~GuardedHttpServer() override { stop(Millis{0}); }
  GuardedHttpServer(const GuardedHttpServer&) = delete;
  GuardedHttpServer& operator=(const GuardedHttpServer&) = delete;

  Result<Unit, std::string> listen() {
    return listener_.start(options_.host, options_.port, options_.adopted_fd);
  }
  [[nodiscard]] int port() const override { return listener_.port(); }
  [[nodiscard]] bool healthy() const override { return listener_.healthy(); }

  void stop(Millis grace) override {
    const std::scoped_lock one_at_a_time(stop_mutex_);
    listener_.stop();
    connections_.drain(grace);
    pool_.shutdown();
  }

 private:
  /// On a worker.
  void serve(int fd) noexcept {
    try {
      GuardedSocket socket(fd);
      if (connections_.enter(fd, socket.peer().address)) engine_.serve(socket);
    } catch (const std::exception&) {  // out of memory: this connection pays for it
    }
    connections_.leave(fd);
    ::close(fd);
  }

  void route() {
    // No routes of the library's (they are regular expressions): every request is answered before it looks
    // for one.
    engine_.set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      if (!request.ranges.empty()) {  // a thousand ranges of one page would be a thousand pages
        response.status = 416;
        return httplib::Server::HandlerResponse::Handled;
      }
      const bool has_body = request.has_header("Content-Length") || request.has_header("Transfer-Encoding");
      if (has_body && request.get_header_value("Content-Length") != "0" && request.method != "GET" &&
          request.method != "HEAD") {
        if (options_.max_body > 0)
          return httplib::Server::HandlerResponse::Unhandled;  // read first, see below
        response.status = 413;
        response.set_header("Connection", "close");
        return httplib::Server::HandlerResponse::Handled;
      }
      answer(request, response);
      return httplib::Server::HandlerResponse::Handled;
    });
    const auto with_body = [this](const httplib::Request& request, httplib::Response& response) {
      answer(request, response);
    };
    if (options_.max_body > 0) {
      engine_.Post(R"([\s\S]*)", with_body).Put(R"([\s\S]*)", with_body).Delete(R"([\s\S]*)", with_body);
    }
    engine_.set_exception_handler(
        [](const httplib::Request&, httplib::Response& response, const std::exception_ptr&) {
          response.status = 500;  // the library would send the exception's text as a header
        });
  }

  void answer(const httplib::Request& request, httplib::Response& response) {
    ServerResponse made = handler_(to_request(request));
    GuardedSocket& socket = *current_socket;
    if (!made.raw) {
      socket.gather();
      return fill_response(std::move(made), response);
    }
    made.raw([&socket](std::string_view bytes) { return socket.write(bytes.data(), bytes.size()) >= 0; });
    socket.seal();
    if (made.reset) socket.reset_at_close();
  }

  const ServerOptions options_;
  const ServerHandler handler_;
  HttpConnections connections_;
  HttpEngine engine_;
  WorkerPool pool_;
  Listener listener_;
  std::mutex stop_mutex_;
};

}  // namespace

std::string_view ServerRequest::header(std::string_view lower_case_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_case_name) return value;
  }
  return {};
}

std::optional<std::string_view> ServerRequest::parameter(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return std::nullopt;
}

ServerResponse ServerResponse::text(int status, std::string body) {
  ServerResponse response;
  response.status = status;
  response.body = std::make_shared<const std::string>(std::move(body));
  return response;
}

Result<std::unique_ptr<HttpServer>, std::string> HttpServer::start(ServerOptions options,
                                                                   ServerHandler handler) {
  try {
    auto server = std::make_unique<GuardedHttpServer>(std::move(options), std::move(handler));
    auto listening = server->listen();
    if (!listening) return Err(std::move(listening).error());
    return std::unique_ptr<HttpServer>(std::move(server));
  } catch (const std::exception& error) {  // no thread or no memory
    return Err("cannot serve: " + std::string(error.what()));
  }
}

}  // namespace sharedrift
