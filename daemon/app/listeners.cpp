#include "app/listeners.hpp"

#include "os/sd_notify.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace sharedrift {

Result<Unit, std::string> Listeners::start(const Options& options, const ServerOptions& common,
                                           const ServerHandler& handler, EventSink& sink,
                                           const Clock& clock) {
  if (options.systemd_socket) return adopt(common, handler);
  for (const ListenAddress& address : options.listen_addresses) {
    ServerOptions server = common;
    server.host = address.host;
    server.port = address.port;
    auto started = HttpServer::start(server, handler);
    if (!started && !address.may_fail) return Err(std::move(started).error());
    if (!started) continue;
    sink.on_event({EventType::listening,
                   clock.wall(),
                   "",
                   {{"address", address.host}, {"port", std::int64_t{(*started)->port()}}}});
    servers_.push_back(std::move(*started));
  }
  return Unit{};
}

Result<Unit, std::string> Listeners::adopt(const ServerOptions& common, const ServerHandler& handler) {
  SD_TRY(sockets, SystemdNotifier::listening_sockets());
  for (const int fd : sockets) {
    ServerOptions server = common;
    server.adopted_fd = fd;
    SD_TRY(started, HttpServer::start(server, handler));
    servers_.push_back(std::move(started));
  }
  return Unit{};
}

bool Listeners::live() const {
  return std::all_of(servers_.begin(), servers_.end(), [](const auto& server) { return server->healthy(); });
}

void Listeners::stop(Millis grace) {
  for (const auto& server : servers_)
    server->stop(grace);
}

}  // namespace sharedrift
