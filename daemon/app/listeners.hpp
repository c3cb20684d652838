#pragma once

#include "app/cli.hpp"
#include "core/result.hpp"
#include "http_server/http_server.hpp"
#include "ports.hpp"

#include <memory>
#include <string>
#include <vector>

namespace sharedrift {

/// The servers of the addresses that the command line names, or of the sockets that systemd hands over. Not
/// thread-safe.
class Listeners {
 public:
  /// All that must be there, each told to the log, or an error that names what is wrong; those that listen by
  /// then go on until stop(). `common` is what all servers have alike.
  Result<Unit, std::string> start(const Options& options, const ServerOptions& common,
                                  const ServerHandler& handler, EventSink& sink, const Clock& clock);
  /// False: one of them ended and could not be brought back.
  [[nodiscard]] bool live() const;
  /// Answers in flight have `grace` to end.
  void stop(Millis grace);

 private:
  Result<Unit, std::string> adopt(const ServerOptions& common, const ServerHandler& handler);

  std::vector<std::unique_ptr<HttpServer>> servers_;
};

}  // namespace sharedrift
