#include "http_server/guarded_socket.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

namespace sharedrift {

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kWriteChunk = 1U << 18U;

int millis_left(MonoTime deadline) {
  const auto left = std::chrono::ceil<Millis>(deadline - SteadyClock::now()).count();
  return static_cast<int>(std::clamp<Millis::rep>(left, 0, 60'000));
}

}  // namespace

void GuardedSocket::FreeTls::operator()(ssl_st* tls) const {
  SSL_free(tls);
}

GuardedSocket::GuardedSocket(int fd) : fd_(fd) {
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void GuardedSocket::allow(MonoTime deadline, std::size_t max_input) {
  deadline_ = deadline;
  input_left_ = max_input;
}

bool GuardedSocket::accept_tls(ssl_ctx_st* context) {
  tls_.reset(SSL_new(context));
  if (!tls_ || SSL_set_fd(tls_.get(), fd_) != 1) return false;
  while (true) {
    ERR_clear_error();  // else SSL_get_error reads what another call left behind
    const int result = SSL_accept(tls_.get());
    if (result == 1) return true;
    if (!wait_tls(result)) return false;
  }
}

bool GuardedSocket::wait(short events) const {
  while (true) {
    const int left = millis_left(deadline_);
    if (left == 0) return false;
    pollfd waiting{fd_, events, 0};
    const int ready = ::poll(&waiting, 1, left);
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

bool GuardedSocket::wait_tls(int result) {
  switch (SSL_get_error(tls_.get(), result)) {
    case SSL_ERROR_WANT_READ: return wait(POLLIN);
    case SSL_ERROR_WANT_WRITE: return wait(POLLOUT);
    default: return false;
  }
}

ssize_t GuardedSocket::receive(std::size_t size) {
  while (SteadyClock::now() < deadline_) {
    if (tls_) {
      ERR_clear_error();
      const int n = SSL_read(tls_.get(), buffer_.data(), static_cast<int>(size));
      if (n > 0) return n;
      if (!wait_tls(n)) return -1;
      continue;
    }
    const ssize_t n = ::recv(fd_, buffer_.data(), size, 0);
    if (n > 0) return n;
    if (n < 0 && errno == EINTR) continue;
    if (n == 0 || errno != EAGAIN || !wait(POLLIN)) return -1;
  }
  return -1;
}

bool GuardedSocket::fill() {
  if (input_left_ == 0) return false;
  const ssize_t n = receive(std::min(buffer_.size(), input_left_));
  if (n <= 0) return false;
  filled_ = static_cast<std::size_t>(n);
  offset_ = 0;
  input_left_ -= filled_;
  return true;
}

ssize_t GuardedSocket::read(char* out, std::size_t size) {
  if (offset_ == filled_ && !fill()) return -1;
  const std::size_t taken = std::min(size, filled_ - offset_);
  std::memcpy(out, buffer_.data() + offset_, taken);
  offset_ += taken;
  return static_cast<ssize_t>(taken);
}

ssize_t GuardedSocket::send_some(const char* data, std::size_t size) {
  while (SteadyClock::now() < deadline_) {
    if (tls_) {
      ERR_clear_error();
      const int n = SSL_write(tls_.get(), data, static_cast<int>(size));
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

ssize_t GuardedSocket::write(const char* data, std::size_t size) {
  if (sealed_) return -1;
  std::size_t written = 0;
  while (written < size) {
    const ssize_t n = send_some(data + written, std::min(size - written, kWriteChunk));
    if (n < 0) return -1;
    written += static_cast<std::size_t>(n);
  }
  return static_cast<ssize_t>(size);
}

void GuardedSocket::gather() {
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
}

void GuardedSocket::flush() {
  const int off = 0;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_CORK, &off, sizeof off);
}

bool GuardedSocket::wait_for_input(Millis limit) {
  if (offset_ < filled_ || (tls_ && SSL_pending(tls_.get()) > 0)) return true;
  deadline_ = SteadyClock::now() + limit;
  return wait(POLLIN);
}

void GuardedSocket::reset_at_close() {
  const linger now{1, 0};  // a close that lingers for no time sends RST
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  resets_ = true;
}

void GuardedSocket::finish() {
  if (resets_) return;
  if (tls_ && !sealed_) {
    ERR_clear_error();
    SSL_shutdown(tls_.get());
  }
  ::shutdown(fd_, SHUT_WR);
  constexpr int kReads = 64;
  for (int i = 0; i<kReads&& ::recv(fd_, buffer_.data(), buffer_.size(), 0)> 0; ++i) {
  }
  ::shutdown(fd_, SHUT_RD);
}

GuardedSocket::Peer GuardedSocket::peer() const {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::getpeername(fd_, generic, &length) != 0) return {};
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> service{};
  if (::getnameinfo(generic, length, host.data(), host.size(), service.data(), service.size(),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return {};
  }
  return {host.data(), std::atoi(service.data())};  // the kernel's own number
}

}  // namespace sharedrift
