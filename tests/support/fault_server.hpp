#pragma once

#include "core/time.hpp"
#include "support/test_certs.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sharedrift::testing {

/// One accepted connection, in the hands of a script. Every wait ends when the server goes away, so a script
/// may hold a connection for as long as it likes.
class FaultConnection {
 public:
  using Heard = std::function<void(std::string_view)>;

  FaultConnection(int fd, int stop_fd, Heard heard) : fd_(fd), stop_fd_(stop_fd), heard_(std::move(heard)) {}
  FaultConnection(const FaultConnection&) = delete;
  FaultConnection& operator=(const FaultConnection&) = delete;
  ~FaultConnection() {
    tls_.reset();
    ::close(fd_);
  }

  /// Speaks TLS from here on; false when the handshake failed.
  bool start_tls(const std::shared_ptr<SSL_CTX>& context) {
    tls_ = {SSL_new(context.get()), &SSL_free};
    SSL_set_fd(tls_.get(), fd_);
    while (true) {
      ERR_clear_error();
      const int result = SSL_accept(tls_.get());
      if (result == 1) return true;
      if (!wait_for_tls(result)) return false;
    }
  }

  /// What comes next, 64 KiB at most; empty at the end of the connection or of the server.
  std::string read_some() {
    std::array<char, 65536> buffer{};
    while (true) {
      ERR_clear_error();
      const ssize_t got = tls_ ? SSL_read(tls_.get(), buffer.data(), buffer.size())
                               : ::recv(fd_, buffer.data(), buffer.size(), 0);
      if (got > 0) {
        const std::string_view bytes{buffer.data(), static_cast<std::size_t>(got)};
        heard_(bytes);
        return std::string{bytes};
      }
      const bool again = tls_ ? wait_for_tls(static_cast<int>(got))
                              : got < 0 && (errno == EAGAIN || errno == EINTR) && wait(POLLIN);
      if (!again) return {};
    }
  }

  /// A request with its body, as it was sent; none when the peer left first. What follows is kept for the
  /// next call.
  std::optional<std::string> read_request() {
    while (true) {
      const std::size_t end = unread_.find("\r\n\r\n");
      if (end != std::string::npos) {
        const std::size_t whole = end + 4 + body_length(std::string_view{unread_}.substr(0, end + 2));
        if (unread_.size() >= whole) {
          std::string request = unread_.substr(0, whole);
          unread_.erase(0, whole);
          return request;
        }
      }
      const std::string more = read_some();
      if (more.empty()) return std::nullopt;
      unread_ += more;
    }
  }

  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      ERR_clear_error();
      const ssize_t sent = tls_ ? SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size()))
                                : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent > 0) {
        bytes.remove_prefix(static_cast<std::size_t>(sent));
        continue;
      }
      const bool again = tls_ ? wait_for_tls(static_cast<int>(sent))
                              : sent < 0 && (errno == EAGAIN || errno == EINTR) && wait(POLLOUT);
      if (!again) return false;
    }
    return true;
  }

  /// A byte at a time, over and over, until the peer leaves.
  void drip(std::string_view bytes, Millis pause = Millis{20}) {
    for (std::size_t i = 0;; i = (i + 1) % bytes.size()) {
      if (!send(bytes.substr(i, 1)) || !rest(pause)) return;
    }
  }
  /// The same bytes as fast as they go, until the peer leaves.
  void flood(std::string_view bytes) {
    while (send(bytes)) {
    }
  }
  /// Says nothing until the peer leaves.
  void hold() {
    while (!read_some().empty()) {
    }
  }
  /// Passes bytes both ways between this connection and a port of this machine: what a proxy's tunnel does.
  void tunnel_to(int port);
  /// The connection ends with RST instead of FIN.
  void reset_on_close() const {
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }
  /// False when the server is going away.
  [[nodiscard]] bool rest(Millis pause) const {
    pollfd stop{stop_fd_, POLLIN, 0};
    return ::poll(&stop, 1, static_cast<int>(pause.count())) == 0;
  }

 private:
  static std::size_t body_length(std::string_view head) {
    constexpr std::string_view kName = "\r\nContent-Length: ";
    const std::size_t at = head.find(kName);
    if (at == std::string_view::npos) return 0;
    std::size_t length = 0;
    for (const char c : head.substr(at + kName.size())) {
      if (c < '0' || c > '9') break;
      length = length * 10 + static_cast<std::size_t>(c - '0');
    }
    return length;
  }
  [[nodiscard]] bool wait(short events) const {
    std::array<pollfd, 2> both{{{fd_, events, 0}, {stop_fd_, POLLIN, 0}}};
    while (::poll(both.data(), both.size(), -1) < 0) {
      if (errno != EINTR) return false;
    }
    return both[1].revents == 0;
  }
  [[nodiscard]] bool wait_for_tls(int result) const {
    const int error = SSL_get_error(tls_.get(), result);
    if (error == SSL_ERROR_WANT_READ) return wait(POLLIN);
    return error == SSL_ERROR_WANT_WRITE && wait(POLLOUT);
  }

  int fd_;
  int stop_fd_;
  Heard heard_;
  std::unique_ptr<SSL, decltype(&SSL_free)> tls_{nullptr, &SSL_free};
  std::string unread_;
};

/// What the server does with a connection; the connection is closed when it returns.
using FaultScript = std::function<void(FaultConnection&)>;

/// A server on 127.0.0.1 that misbehaves to order: each connection is given to a script on a thread of its
/// own. Whole and half requests that it heard are kept (1 MiB of them), so that a test can tell what a client
/// gave away. Ends promptly, whatever its scripts are at.
class FaultServer {
 public:
  explicit FaultServer(FaultScript script) : script_(std::move(script)) {
    ::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes with write()
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    stop_ = ::eventfd(0, EFD_CLOEXEC);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, generic, size) != 0 || ::listen(listener_, 128) != 0 ||
        ::getsockname(listener_, generic, &size) != 0) {
      throw std::runtime_error("the fault server cannot listen");
    }
    port_ = ntohs(address.sin_port);
    acceptor_ = std::jthread([this] { accept_all(); });
  }
  /// The same behind a TLS handshake.
  FaultServer(FaultScript script, std::shared_ptr<SSL_CTX> tls)
      : FaultServer([script = std::move(script), tls = std::move(tls)](FaultConnection& connection) {
          if (connection.start_tls(tls)) script(connection);
        }) {}
  FaultServer(const FaultServer&) = delete;
  FaultServer& operator=(const FaultServer&) = delete;
  ~FaultServer() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(stop_, &one, sizeof one);
    acceptor_.join();
    workers_.clear();
    ::close(listener_);
    ::close(stop_);
  }

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::size_t connections() const {
    const std::scoped_lock lock(mutex_);
    return connections_;
  }
  /// Everything that clients sent, in the clear.
  [[nodiscard]] std::string heard() const {
    const std::scoped_lock lock(mutex_);
    return heard_;
  }

 private:
  static constexpr std::size_t kMaxHeard = 1U << 20U;
  static constexpr std::size_t kMaxConnections = 512;

  void accept_all() {
    std::array<pollfd, 2> both{{{listener_, POLLIN, 0}, {stop_, POLLIN, 0}}};
    while (true) {
      if (::poll(both.data(), both.size(), -1) < 0 && errno != EINTR) return;
      if (both[1].revents != 0) return;
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (fd < 0) continue;
      const int on = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      {
        const std::scoped_lock lock(mutex_);
        ++connections_;
      }
      if (workers_.size() == kMaxConnections) {
        ::close(fd);
        continue;
      }
      workers_.emplace_back([this, fd] {
        FaultConnection connection(fd, stop_, [this](std::string_view bytes) { note(bytes); });
        script_(connection);
      });
    }
  }
  void note(std::string_view bytes) {
    const std::scoped_lock lock(mutex_);
    heard_.append(bytes.substr(0, kMaxHeard - std::min(kMaxHeard, heard_.size())));
  }

  FaultScript script_;
  int listener_ = -1;
  int stop_ = -1;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::size_t connections_ = 0;
  std::string heard_;
  std::vector<std::jthread> workers_;
  std::jthread acceptor_;
};

inline void FaultConnection::tunnel_to(int port) {
  const int far = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(far, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
    std::array<pollfd, 3> all{{{fd_, POLLIN, 0}, {far, POLLIN, 0}, {stop_fd_, POLLIN, 0}}};
    std::array<char, 65536> buffer{};
    while (::poll(all.data(), all.size(), -1) > 0 && all[2].revents == 0) {
      const bool outward = all[0].revents != 0;
      const ssize_t got = ::recv(outward ? fd_ : far, buffer.data(), buffer.size(), 0);
      if (got <= 0) break;
      const std::string_view bytes{buffer.data(), static_cast<std::size_t>(got)};
      if (outward) heard_(bytes);
      if (outward ? ::send(far, bytes.data(), bytes.size(), MSG_NOSIGNAL) != got : !send(bytes)) break;
    }
  }
  ::close(far);
}

}  // namespace sharedrift::testing
