#pragma once

#include "http_server/http_server.hpp"
#include "http_server/sockets.hpp"

#include <memory>
#include <stdexcept>
#include <utility>

namespace sharedrift::testing {

/// A server on a free port of this machine's.
inline std::unique_ptr<HttpServer> serve(ServerHandler handler, ServerOptions options = {}) {
  auto socket = open_listening_socket("127.0.0.1", 0);
  if (!socket) throw std::runtime_error(socket.error());
  auto server = HttpServer::start({*socket}, std::move(options), std::move(handler));
  if (!server) throw std::runtime_error(server.error());
  return std::move(*server);
}

inline ServerResponse echo(const ServerRequest& request) {
  return ServerResponse::text(200, request.method + " " + request.path + " " + request.body);
}

}  // namespace sharedrift::testing
