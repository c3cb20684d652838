#pragma once

#include "http_client/curl_exchange.hpp"
#include "ports.hpp"

#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

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
  CurlTransport(const CurlTransport&) = delete;
  CurlTransport& operator=(const CurlTransport&) = delete;
  ~CurlTransport() override;

  void start(HttpRequest request, MonoTime deadline, HttpDone done) override;
  void run_once(MonoTime until) override;
  void wake() noexcept override { curl_multi_wakeup(multi_); }
  void cancel_all() override;

 private:
  using ExchangePtr = std::unique_ptr<Exchange>;
  /// A handle that waits for the next request by the route that it is set up for.
  struct Idle {
    EasyHandle easy;
    std::shared_ptr<const HttpRoute> route;
  };
  std::optional<TransportError> launch(Exchange& exchange, MonoTime deadline);
  EasyHandle take_handle(const std::shared_ptr<const HttpRoute>& route);
  bool finish_refused();
  bool finish_answered();
  void release(Exchange& exchange);

  CURLM* multi_;
  std::vector<Idle> idle_;
  std::unordered_map<CURL*, ExchangePtr> flying_;
  std::vector<ExchangePtr> refused_;  ///< never sent; run_once() calls back for them
};

/// One exchange for callers that have nothing else to do: blocks until it is over, or until stop is requested
/// (then the error is a timeout). `transport` must be driven by nobody else, and have no other exchange under
/// way.
HttpResult perform(HttpTransport& transport, HttpRequest request, MonoTime deadline,
                   const std::stop_token& stop);

}  // namespace sharedrift
