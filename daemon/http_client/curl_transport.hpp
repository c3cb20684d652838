#pragma once

#include "http_client/blocking_http.hpp"  // perform(): most who make a transport of their own block on it
#include "ports.hpp"

#include <memory>

namespace sharedrift {

/// HttpTransport on libcurl's multi interface: one thread, any number of exchanges, kept-alive connections.
/// The rules of the port hold here: TLS 1.2 at least with peer and host verified, no redirects, no content
/// coding, caps on header and body bytes, one deadline from name resolution to the last byte, no proxy but
/// the route's. Plain http goes to loopback only, unless the route says otherwise.
///
/// A connection that the far side has closed is not used again. If it closes it at the very moment the next
/// request goes out, the exchange fails with Reason::reset instead of being sent a second time: the first
/// copy may have been seen, and a caller that signs must sign anew.
///
/// SIGPIPE must be ignored by the process: OpenSSL writes without asking for no signal.
///
/// A deadline that passes is Reason::dns while the name is looked up, connect or proxy until there is a
/// connection or tunnel, and timeout from the TLS handshake on.
class CurlTransport final : public HttpTransport {
 public:
  /// Throws std::runtime_error when libcurl cannot start, which takes a machine without memory.
  CurlTransport();
  ~CurlTransport() override;

  void start(HttpRequest request, MonoTime deadline, HttpDone done) override;
  void run_once(MonoTime until) override;
  void wake() noexcept override;
  void cancel_all() override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sharedrift
