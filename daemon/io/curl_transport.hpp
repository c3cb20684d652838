#pragma once

#include "ports.hpp"

#include <memory>

namespace sharedrift {

/// HttpTransport on libcurl's multi interface: one thread, any number of exchanges, kept-alive connections.
/// The rules of the port hold here: TLS 1.2 at least with peer and host verified, no redirects, no content
/// coding, caps on header and body bytes, one deadline from name resolution to the last byte, no proxy but
/// the route's. Plain http only to loopback and link-local metadata services.
///
/// A kept-alive connection that died is tried once more on a fresh one by libcurl, with the same bytes: a
/// signed request may so arrive twice and be refused for its nonce, which callers must take as a reason to
/// sign anew.
class CurlTransport final : public HttpTransport {
 public:
  CurlTransport();
  ~CurlTransport() override;
  CurlTransport(const CurlTransport&) = delete;
  CurlTransport& operator=(const CurlTransport&) = delete;

  void start(HttpRequest request, MonoTime deadline, HttpDone done) override;
  void run_once(MonoTime until) override;
  void wake() noexcept override;
  void cancel_all() override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// One exchange for callers that have nothing else to do: blocks until it is over, or until stop is requested
/// (then the error is a timeout). `transport` must be driven by nobody else.
HttpResult perform(HttpTransport& transport, HttpRequest request, MonoTime deadline, std::stop_token stop);

}  // namespace sharedrift
