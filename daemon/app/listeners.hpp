#pragma once

#include "app/cli.hpp"
#include "core/result.hpp"
#include "http_server/http_server.hpp"
#include "ports.hpp"

#include <memory>
#include <string>

namespace sharedrift {

/// The server on the addresses that the command line names, or on the sockets that systemd hands over. Not
/// thread-safe.
class Listeners {
 public:
  /// Listens wherever it must, and tells each address to `sink`, or an error that names what is wrong.
  Result<Unit, std::string> start(const Options& options, ServerOptions server, ServerHandler handler,
                                  EventSink& sink, const Clock& clock);
  /// False: it does not listen any more where it should.
  [[nodiscard]] bool live() const;
  /// Answers in flight have `grace` to end.
  void stop(Millis grace);

 private:
  std::unique_ptr<HttpServer> server_;
};

}  // namespace sharedrift
