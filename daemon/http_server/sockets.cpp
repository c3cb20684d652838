#include "http_server/sockets.hpp"

#include "core/text.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sharedrift {

namespace {

constexpr int kBacklog = SOMAXCONN;  // a flood waits in the kernel, where it costs next to nothing
constexpr int kDeferAcceptSeconds = 3;
constexpr int kMostUnsentInKernel = 1 << 18;

void set_option(int fd, int level, int option, int value) {
  ::setsockopt(fd, level, option, &value, sizeof value);
}

/// The socket, or -1 with errno set.
int listen_on(const addrinfo& address, Family family) {
  const int fd = ::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (address.ai_family == AF_INET6)
    set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, family == Family::v6_only ? 1 : 0);
  prepare_listening_socket(fd);
  if (::bind(fd, address.ai_addr, address.ai_addrlen) == 0 && ::listen(fd, kBacklog) == 0) return fd;
  const int why = errno;
  ::close(fd);
  errno = why;
  return -1;
}

/// An IPv4 address is 4 bytes, whichever way it came; an IPv6 address 16.
std::string bytes_of(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address).sin_addr;
    return {reinterpret_cast<const char*>(&v4), sizeof v4};
  }
  if (address.ss_family != AF_INET6) return {};
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  const std::string bytes(reinterpret_cast<const char*>(&v6), sizeof v6);
  return IN6_IS_ADDR_V4MAPPED(&v6) ? bytes.substr(12) : bytes;
}

}  // namespace

Result<int, std::string> open_listening_socket(const std::string& host, int port, Family family) {
  const std::string where = "cannot listen on " + clean(host) + ":" + std::to_string(port) + ": ";
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failure = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (failure != 0) return Err(where + ::gai_strerror(failure));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> list(found, ::freeaddrinfo);
  int why = 0;
  for (const addrinfo* at = list.get(); at != nullptr; at = at->ai_next) {
    const int fd = listen_on(*at, family);
    if (fd >= 0) return fd;
    why = errno;
  }
  if (host == "::" && family == Family::both && why == EAFNOSUPPORT)
    return open_listening_socket("0.0.0.0", port);
  return Err(where + std::strerror(why));
}

void prepare_listening_socket(int fd) {
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  set_option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, kDeferAcceptSeconds);
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, kMostUnsentInKernel);
}

int port_of_socket(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) return -1;
  if (address.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
  if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  return -1;
}

Peer peer_of_socket(int fd) {
  Peer peer;
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) return peer;
  const std::string bytes = bytes_of(address);
  if (bytes.empty()) return peer;
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(bytes.size() == 4 ? AF_INET : AF_INET6, bytes.data(), text.data(), text.size());
  peer.address = text.data();
  peer.neighbors = bytes.substr(0, 8);
  length = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) return peer;
  const std::string local = bytes_of(address);
  peer.loopback = local.size() == 4 ? local[0] == 127 : local == std::string(15, '\0') + '\1';
  return peer;
}

}  // namespace sharedrift
