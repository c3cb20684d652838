#include "app/listeners.hpp"

#include "http_server/sockets.hpp"
#include "os/sd_notify.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace sharedrift {

namespace {

/// `[::]:P` takes IPv4, too, unless that has a socket of its own on the port.
Family family_of(const ListenAddress& address, const std::vector<ListenAddress>& all) {
  const bool has_other = std::any_of(all.begin(), all.end(), [&address](const ListenAddress& other) {
    return other.port == address.port && other.port != 0 && other.host.find(':') == std::string::npos;
  });
  return has_other ? Family::v6_only : Family::both;
}

}  // namespace

Result<std::vector<int>, std::string> open_listeners(const Options& options, EventSink& sink,
                                                     const Clock& clock) {
  if (options.systemd_socket) return SystemdNotifier::listening_sockets();
  std::vector<int> sockets;
  for (const ListenAddress& address : options.listen_addresses) {
    auto socket =
        open_listening_socket(address.host, address.port, family_of(address, options.listen_addresses));
    if (!socket && !address.may_fail) return Err(std::move(socket).error());
    if (!socket) continue;
    sockets.push_back(*socket);
    sink.on_event({EventType::listening,
                   clock.wall(),
                   "",
                   {{"address", address.host}, {"port", std::int64_t{port_of_socket(*socket)}}}});
  }
  return sockets;
}

}  // namespace sharedrift
