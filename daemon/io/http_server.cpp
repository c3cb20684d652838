#include "io/http_server.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <stop_token>
#include <thread>
#include <tuple>

#include <fcntl.h>
#include <httplib.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

// The pkg-config flags of Debian's cpp-httplib 0.11.4 change the size of its classes; without them memory is
// corrupted.
static_assert(sizeof(httplib::Request) == 608,
              "cpp-httplib was included without the flags of its pkg-config file");

namespace sharedrift {

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr int kBacklog = 128;  // the library's is 5
constexpr int kDeferAcceptSeconds = 3;
constexpr std::size_t kWriteChunk = 1U << 18U;
constexpr int kListenAttempts = 5;

int millis_left(MonoTime deadline) {
  const auto left = std::chrono::ceil<Millis>(deadline - SteadyClock::now()).count();
  return static_cast<int>(std::clamp<Millis::rep>(left, 0, 60'000));
}

/// A close that lingers for no time sends RST.
void reset_when_closed(int fd) {
  const linger now{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

bool resets_when_closed(int fd) {
  linger set{};
  socklen_t size = sizeof set;
  return ::getsockopt(fd, SOL_SOCKET, SO_LINGER, &set, &size) == 0 && set.l_onoff != 0;
}

/// A connection behind a deadline and a cap on what it may send. Everything that the library reads or writes
/// goes through here, so no peer can hold a worker for longer or make it keep more.
class GuardedStream final : public httplib::Stream {
 public:
  GuardedStream(int fd, ssl_st* tls, MonoTime deadline, std::size_t max_input)
      : fd_(fd), tls_(tls), deadline_(deadline), input_left_(max_input) {}

  void set_deadline(MonoTime deadline) { deadline_ = deadline; }

  bool is_readable() const override { return true; }
  bool is_writable() const override { return true; }

  ssize_t read(char* out, std::size_t size) override {
    if (offset_ == filled_ && !fill()) return -1;
    const std::size_t taken = std::min(size, filled_ - offset_);
    std::memcpy(out, buffer_.data() + offset_, taken);
    offset_ += taken;
    return static_cast<ssize_t>(taken);
  }

  /// From now on nothing more is sent: the handler wrote the answer itself.
  void seal() { sealed_ = true; }

  ssize_t write(const char* data, std::size_t size) override {
    if (sealed_) return -1;
    std::size_t written = 0;
    while (written < size) {
      const ssize_t n = write_some(data + written, std::min(size - written, kWriteChunk));
      if (n < 0) return -1;
      written += static_cast<std::size_t>(n);
    }
    return static_cast<ssize_t>(size);
  }

  void get_remote_ip_and_port(std::string& ip, int& port) const override {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    if (::getpeername(fd_, as_sockaddr(address), &length) != 0) return;
    std::array<char, NI_MAXHOST> host{};
    std::array<char, NI_MAXSERV> service{};
    if (::getnameinfo(as_sockaddr(address), length, host.data(), host.size(), service.data(), service.size(),
                      NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
      return;
    }
    ip = host.data();
    port = std::atoi(service.data());  // NOLINT(cert-err34-c): the kernel's own number
  }
  void get_local_ip_and_port(std::string& /*ip*/, int& /*port*/) const override {}
  socket_t socket() const override { return fd_; }

  /// Finishes the TLS handshake within the deadline.
  bool handshake() {
    while (true) {
      ERR_clear_error();
      const int result = SSL_accept(tls_);
      if (result == 1) return true;
      if (!wait_tls(result)) return false;
    }
  }

 private:
  static sockaddr* as_sockaddr(sockaddr_storage& address) {
    return reinterpret_cast<sockaddr*>(&address);  // NOLINT(*-reinterpret-cast): the socket API's own idiom
  }

  bool wait(short events) {
    while (true) {
      const int left = millis_left(deadline_);
      if (left == 0) return false;
      pollfd waiting{fd_, events, 0};
      const int ready = ::poll(&waiting, 1, left);
      if (ready > 0) return true;
      if (ready == 0 || errno != EINTR) return false;
    }
  }

  bool wait_tls(int result) {
    switch (SSL_get_error(tls_, result)) {
      case SSL_ERROR_WANT_READ: return wait(POLLIN);
      case SSL_ERROR_WANT_WRITE: return wait(POLLOUT);
      default: return false;
    }
  }

  bool fill() {
    if (input_left_ == 0) return false;
    const std::size_t size = std::min(buffer_.size(), input_left_);
    while (SteadyClock::now() < deadline_) {
      if (tls_ != nullptr) {
        ERR_clear_error();
        const int n = SSL_read(tls_, buffer_.data(), static_cast<int>(size));
        if (n > 0) return filled_with(static_cast<std::size_t>(n));
        if (!wait_tls(n)) return false;
        continue;
      }
      const ssize_t n = ::recv(fd_, buffer_.data(), size, 0);
      if (n > 0) return filled_with(static_cast<std::size_t>(n));
      if (n == 0) return false;
      if (errno == EINTR) continue;
      if (errno != EAGAIN || !wait(POLLIN)) return false;
    }
    return false;
  }

  bool filled_with(std::size_t bytes) {
    filled_ = bytes;
    offset_ = 0;
    input_left_ -= bytes;
    return true;
  }

  ssize_t write_some(const char* data, std::size_t size) {
    while (SteadyClock::now() < deadline_) {
      if (tls_ != nullptr) {
        ERR_clear_error();
        const int n = SSL_write(tls_, data, static_cast<int>(size));
        if (n > 0) return n;
        if (!wait_tls(n)) return -1;
        continue;
      }
      const ssize_t n = ::send(fd_, data, size, MSG_NOSIGNAL);
      if (n >= 0) return n;
      if (errno == EINTR) continue;
      if (errno != EAGAIN || !wait(POLLOUT)) return -1;
    }
    return -1;
  }

  int fd_;
  ssl_st* tls_;
  MonoTime deadline_;
  std::size_t input_left_;
  bool sealed_ = false;
  std::array<char, 4096> buffer_{};
  std::size_t offset_ = 0;
  std::size_t filled_ = 0;
};

/// The connection that the running worker serves: the library does not hand it to handlers.
thread_local GuardedStream* current_stream = nullptr;

/// Connections being served, and a way to cut them.
class Connections {
 public:
  void enter(int fd, std::string address) {
    const std::scoped_lock lock(mutex_);
    ++by_address_[address];
    open_.emplace(fd, Entry{std::move(address), SteadyClock::now()});
  }
  void head_read(int fd) {
    const std::scoped_lock lock(mutex_);
    open_.at(fd).reading_head = false;
  }
  void leave(int fd) {
    const std::scoped_lock lock(mutex_);
    const auto entry = open_.find(fd);
    if (--by_address_[entry->second.address] == 0) by_address_.erase(entry->second.address);
    open_.erase(entry);
    changed_.notify_all();
  }

  /// Somebody waits and every worker is taken: cuts the connection that has least claim to its worker. That
  /// is one still sending its head (an honest head takes no time) or taking its answer slowly; of the address
  /// with the most connections, the oldest.
  void evict_one() {
    const std::scoped_lock lock(mutex_);
    const MonoTime now = SteadyClock::now();
    auto worst = open_.end();
    for (auto it = open_.begin(); it != open_.end(); ++it) {
      const Entry& entry = it->second;
      if (entry.evicted || (!entry.reading_head && now - entry.since < kSlowAnswer)) continue;
      if (worst == open_.end() || claim(entry) < claim(worst->second)) worst = it;
    }
    if (worst == open_.end()) return;
    worst->second.evicted = true;
    ::shutdown(worst->first, SHUT_RDWR);
  }

  void drain(Millis grace) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, grace, [this] { return open_.empty(); });
    for (const auto& [fd, entry] : open_)
      ::shutdown(fd, SHUT_RDWR);
  }

 private:
  static constexpr Millis kSlowAnswer{3'000};
  struct Entry {
    std::string address;
    MonoTime since;
    bool reading_head = true;
    bool evicted = false;
  };
  [[nodiscard]] std::tuple<bool, int, MonoTime> claim(const Entry& entry) const {
    return {!entry.reading_head, -by_address_.at(entry.address), entry.since};
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<int, Entry> open_;
  std::map<std::string, int> by_address_;
};

/// The library's pool, but one that makes room: a connection that finds every worker taken has another one
/// evicted.
class WorkerPool final : public httplib::TaskQueue {
 public:
  WorkerPool(int workers, Connections& connections) : connections_(connections) {
    for (int i = 0; i < workers; ++i)
      threads_.emplace_back([this] { work(); });
  }
  void enqueue(std::function<void()> task) override {
    bool crowded = false;
    {
      const std::scoped_lock lock(mutex_);
      tasks_.push_back(std::move(task));
      crowded = tasks_.size() > idle_;
    }
    if (crowded) connections_.evict_one();
    ready_.notify_one();
  }
  void shutdown() override {
    {
      const std::scoped_lock lock(mutex_);
      ending_ = true;
    }
    ready_.notify_all();
    threads_.clear();  // joins
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      ++idle_;
      ready_.wait(lock, [this] { return ending_ || !tasks_.empty(); });
      --idle_;
      if (tasks_.empty()) return;
      const std::function<void()> task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
      lock.lock();
    }
  }

  Connections& connections_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<std::function<void()>> tasks_;
  std::size_t idle_ = 0;
  bool ending_ = false;
  std::vector<std::jthread> threads_;
};

struct FreeSsl {
  void operator()(ssl_st* tls) const { SSL_free(tls); }
};

/// cpp-httplib parses and writes HTTP; this class decides how long and how much.
class GuardedServer final : public httplib::Server {
 public:
  GuardedServer(const ServerOptions& options, Connections& connections)
      : options_(options), connections_(connections) {
    new_task_queue = [&options, &connections] {
      return new WorkerPool(options.workers, connections);  // the library deletes it
    };
    set_keep_alive_max_count(options.keep_alive ? kKeptRequests : 1);
    set_payload_max_length(std::max<std::size_t>(options.max_body, 1));
    set_socket_options([](socket_t fd) {  // without SO_REUSEPORT: a second daemon on the port must fail
      const int on = 1;
      ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
      ::setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &kDeferAcceptSeconds, sizeof kDeferAcceptSeconds);
    });
  }

  /// The port, or -1 with errno set.
  int bind(const std::string& host, int port) {
    const int bound = port == 0 ? bind_to_any_port(host) : bind_to_port(host, port) ? port : -1;
    if (bound >= 0) ::listen(svr_sock_, kBacklog);
    return bound;
  }
  void adopt(int fd) { svr_sock_ = fd; }
  /// Ends the accept loop. Unlike stop(), after which the library also cuts the answers under way.
  void close_listener() { ::shutdown(svr_sock_, SHUT_RDWR); }

 private:
  static constexpr std::size_t kKeptRequests = 100'000;

  bool process_and_close_socket(socket_t fd) override {
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);  // NOLINT(*-vararg): POSIX
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    std::string address;
    int port = 0;
    GuardedStream(fd, nullptr, {}, 0).get_remote_ip_and_port(address, port);
    connections_.enter(fd, std::move(address));
    serve(fd);
    connections_.leave(fd);
    if (!resets_when_closed(fd)) ::shutdown(fd, SHUT_RDWR);
    ::close(fd);
    return true;
  }

  void serve(int fd) {
    const MonoTime accepted = SteadyClock::now();
    std::unique_ptr<ssl_st, FreeSsl> tls;
    if (options_.tls_context) {
      const auto context = options_.tls_context();
      if (!context) return;  // no certificate to serve with: closed, not open
      tls.reset(SSL_new(context.get()));
      if (!tls || SSL_set_fd(tls.get(), fd) != 1) return;
    }
    const std::size_t max_input = options_.max_head + options_.max_body;
    GuardedStream first(fd, tls.get(), accepted + options_.head_deadline, max_input);
    if (tls && !first.handshake()) return;
    serve_one(first, tls.get(), !options_.keep_alive);
    while (options_.keep_alive && !closed_ && is_running()) {
      pollfd waiting{fd, POLLIN, 0};
      if (::poll(&waiting, 1, static_cast<int>(options_.head_deadline.count())) <= 0) break;
      GuardedStream next(fd, tls.get(), SteadyClock::now() + options_.head_deadline, max_input);
      serve_one(next, tls.get(), false);
    }
    closed_ = false;
    if (tls) SSL_shutdown(tls.get());
  }

  void serve_one(GuardedStream& stream, ssl_st* tls, bool close) {
    bool closed = false;
    const MonoTime begun = SteadyClock::now();
    current_stream = &stream;
    const bool served = process_request(stream, close, closed, [&](httplib::Request& request) {
      request.ssl = tls;
      connections_.head_read(stream.socket());
      stream.set_deadline(begun + options_.request_deadline);
    });
    closed_ = closed || !served;
  }

  const ServerOptions& options_;
  Connections& connections_;
  static thread_local bool closed_;  ///< of the connection that this worker serves
};
thread_local bool GuardedServer::closed_ = false;

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
    std::string lower = name;
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    // The library adds these two behind what the peer sent under the same names.
    if (lower != "remote_addr" && lower != "remote_port")
      request.headers.emplace_back(std::move(lower), value);
  }
  request.body = from.body;
  request.remote_address = from.remote_addr;
  request.tls = from.ssl != nullptr;
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
  std::vector<std::shared_ptr<const std::string>> parts{from.body};
  parts.insert(parts.end(), from.tail.begin(), from.tail.end());
  std::size_t size = 0;
  for (const auto& part : parts)
    size += part->size();
  if (size == 0) return to.set_content("", from.content_type);
  // A provider with a length: the body is not copied, and the library does not compress it by itself.
  to.set_content_provider(
      size, from.content_type,
      [parts = std::move(parts)](std::size_t offset, std::size_t /*length*/, httplib::DataSink& sink) {
        return send_parts(parts, offset, sink);
      });
}

class GuardedHttpServer final : public HttpServer {
 public:
  GuardedHttpServer(ServerOptions options, ServerHandler handler)
      : options_(std::move(options)), handler_(std::move(handler)) {}
  ~GuardedHttpServer() override { stop(Millis{0}); }
  GuardedHttpServer(const GuardedHttpServer&) = delete;
  GuardedHttpServer& operator=(const GuardedHttpServer&) = delete;

  Result<Unit, std::string> listen() {
    auto server = make_server(options_.port);
    if (!server) return Err(std::move(server).error());
    server_ = std::move(*server);
    listener_ = std::jthread([this](const std::stop_token& stop) { listen_until(stop); });
    while (!server_->is_running() && !ended_)
      std::this_thread::yield();  // stop() before it runs would be lost
    return Unit{};
  }

  [[nodiscard]] int port() const override { return port_; }
  [[nodiscard]] bool healthy() const override { return !ended_; }

  void stop(Millis grace) override {
    if (!listener_.joinable()) return;
    listener_.request_stop();
    {
      const std::scoped_lock lock(server_mutex_);
      if (server_) server_->close_listener();
    }
    connections_.drain(grace);
    listener_.join();
  }

 private:
  Result<std::unique_ptr<GuardedServer>, std::string> make_server(int port) {
    auto server = std::make_unique<GuardedServer>(options_, connections_);
    route(*server);
    if (options_.adopted_fd >= 0) {
      server->adopt(options_.adopted_fd);
      return server;
    }
    errno = 0;
    port_ = server->bind(options_.host, port);
    if (port_ < 0) {
      const int why = errno;
      return Err(
          "cannot listen on " + clean(options_.host) + ":" + std::to_string(port) + ": " +
          (why == 0 ? std::string{"no such address, or it is taken"} : std::string{std::strerror(why)}));
    }
    return server;
  }

  void route(GuardedServer& server) {
    // No routes of the library's (they are regular expressions): every request is answered before it looks
    // for one.
    server.set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
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
      server.Post(R"([\s\S]*)", with_body).Put(R"([\s\S]*)", with_body).Delete(R"([\s\S]*)", with_body);
    }
    server.set_exception_handler(
        [](const httplib::Request&, httplib::Response& response, const std::exception_ptr&) {
          response.status = 500;  // the library would send the exception's text as a header
        });
  }

  void answer(const httplib::Request& request, httplib::Response& response) {
    ServerResponse made = handler_(to_request(request));
    if (!made.raw) return fill_response(std::move(made), response);
    GuardedStream& stream = *current_stream;
    made.raw([&stream](std::string_view bytes) { return stream.write(bytes.data(), bytes.size()) >= 0; });
    stream.seal();
    if (made.reset) reset_when_closed(stream.socket());
  }

  void listen_until(const std::stop_token& stop) {
    // The library's loop ends on any accept error but three; that must not be the end of /metrics.
    for (int attempt = 0; attempt < kListenAttempts && !stop.stop_requested(); ++attempt) {
      const MonoTime began = SteadyClock::now();
      server_->listen_after_bind();
      if (stop.stop_requested()) break;
      if (SteadyClock::now() - began > std::chrono::minutes{1}) attempt = 0;
      if (options_.adopted_fd >= 0) break;  // closed with the loop; only systemd has another
      auto again = make_server(port_);
      if (!again) break;
      const std::scoped_lock lock(server_mutex_);
      server_ = std::move(*again);
    }
    ended_ = true;
  }

  const ServerOptions options_;
  const ServerHandler handler_;
  Connections connections_;
  int port_ = -1;
  std::atomic<bool> ended_{false};
  std::mutex server_mutex_;  ///< guards the pointer, not the server
  std::unique_ptr<GuardedServer> server_;
  std::jthread listener_;
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
  auto server = std::make_unique<GuardedHttpServer>(std::move(options), std::move(handler));
  auto listening = server->listen();
  if (!listening) return Err(std::move(listening).error());
  return std::unique_ptr<HttpServer>(std::move(server));
}

}  // namespace sharedrift
