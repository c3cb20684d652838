#include "http_server/listener.hpp"

#include "http_server/listening_socket.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

namespace sharedrift {

Listener::~Listener() {
  stop();
}

Result<Unit, std::string> Listener::start(const std::string& host, int port, int adopted_fd) {
  wake_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (wake_.get() < 0) return Err(std::string("no descriptor left to listen with"));
  host_ = host;
  adopted_ = adopted_fd >= 0;
  if (adopted_) {
    socket_.reset(adopted_fd);
    prepare_listening_socket(adopted_fd);
  } else {
    auto opened = open_listening_socket(host, port);
    if (!opened) return Err(std::move(opened).error());
    socket_.reset(*opened);
  }
  port_ = port_of_socket(socket_.get());
  thread_ = std::jthread([this](const std::stop_token& stop) { listen_until(stop); });
  return Unit{};
}

void Listener::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  ::eventfd_write(wake_.get(), 1);  // cannot fail: the counter is far from full
  thread_.join();
  // Never shutdown(): a socket of systemd's goes on listening for whoever comes next. The close sends away
  // those who wait in the kernel of a socket of our own.
  socket_.reset();
}

void Listener::listen_until(const std::stop_token& stop) {
  Millis delay = kFirstDelay;
  while (!stop.stop_requested()) {
    std::array<pollfd, 2> waiting{{{socket_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}}};
    // While somebody waits for a worker: what may be cut is found among those who have one by then.
    const int limit = pool_.is_crowded() ? static_cast<int>(kMakeRoomEvery.count()) : -1;
    const int ready = ::poll(waiting.data(), waiting.size(), limit);
    if (stop.stop_requested()) return;
    if (ready < 0) pause(kFirstDelay);
    if (ready == 0 && pool_.is_crowded()) connections_.evict_one();
    if (ready <= 0) continue;
    switch (accept_one()) {
      case Accepted::connection: delay = kFirstDelay; break;
      case Accepted::nothing: break;
      case Accepted::exhausted:
        connections_.evict_one();
        pause(delay);
        delay = std::min(2 * delay, kLongestDelay);
        break;
      case Accepted::broken:
        if (!open_again()) {
          ended_ = true;
          return;
        }
    }
  }
}

/// Of what accept(2) can fail with, most is the peer's trouble, and passes.
Listener::Accepted Listener::accept_one() {
  const int fd = ::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd >= 0) {
    pool_.enqueue(fd);
    return Accepted::connection;
  }
  switch (errno) {
    case EBADF:
    case EINVAL:
    case ENOTSOCK:
    case EOPNOTSUPP: return Accepted::broken;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM: return Accepted::exhausted;
    default: return Accepted::nothing;
  }
}

/// A listening socket that breaks must not be the end of /metrics.
bool Listener::open_again() {
  if (adopted_) return false;  // only systemd has another
  Millis delay = kFirstDelay;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    socket_.reset();
    auto opened = open_listening_socket(host_, port_);
    if (opened) {
      socket_.reset(*opened);
      return true;
    }
    pause(delay);
    delay = std::min(2 * delay, kLongestDelay);
  }
  return false;
}

/// Sleeps, or less if the thread is to end.
void Listener::pause(Millis time) const {
  pollfd waiting{wake_.get(), POLLIN, 0};
  ::poll(&waiting, 1, static_cast<int>(time.count()));
}

}  // namespace sharedrift
