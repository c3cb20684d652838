#pragma once

#include "core/result.hpp"

#include <string>

namespace sharedrift {

/// Which address families a socket for `::` takes. `both` is IPv4 alone where there is no IPv6.
enum class Family { both, v6_only };

/// Binds and listens: SO_REUSEADDR without SO_REUSEPORT, so that a second daemon on the port fails.
/// Non-blocking. Port 0 takes any free one. The error names the address and the reason.
Result<int, std::string> open_listening_socket(const std::string& host, int port,
                                               Family family = Family::both);

/// What connections inherit: those that have not sent anything stay in the kernel, where they cost a few
/// hundred bytes (fits TLS, too, where the client also speaks first); small packets are not held back; and
/// the kernel takes no more of an answer than it can send soon. Makes `fd` non-blocking.
void prepare_listening_socket(int fd);

/// The port that a socket is bound to; -1 if it has none.
int port_of_socket(int fd);

/// Who is at the other end of a connection.
struct Peer {
  std::string address;    ///< as text; empty if it is no Internet address
  std::string neighbors;  ///< what counts as one client: an IPv4 address, a /64 of IPv6
  bool loopback = false;  ///< it came to a loopback address of this machine
};
Peer peer_of_socket(int fd);

}  // namespace sharedrift
