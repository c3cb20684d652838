#pragma once

#include "core/result.hpp"

#include <string>

namespace sharedrift {

/// Binds and listens: SO_REUSEADDR without SO_REUSEPORT, so that a second daemon on the port fails; both IP
/// versions for `::`, or IPv4 alone where there is no IPv6. Non-blocking. Port 0 takes any free one. The
/// error names the address and the reason.
Result<int, std::string> open_listening_socket(const std::string& host, int port);

/// Hands out connections that have sent something already: one that stays silent costs the kernel a few
/// hundred bytes and us nothing. Fits TLS, too, where the client also speaks first. Makes `fd` non-blocking.
void prepare_listening_socket(int fd);

/// The port that a socket is bound to; -1 if it has none.
int port_of_socket(int fd);

}  // namespace sharedrift
