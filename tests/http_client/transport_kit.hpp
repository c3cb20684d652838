#pragma once

#include "http_client/curl_transport.hpp"
#include "http_server/serve.hpp"
#include "os/system_clock.hpp"
#include "support/faults.hpp"
#include "support/temp_dir.hpp"

#include <chrono>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include <gmock/gmock.h>

/// What the tests of the transport share; they live in this namespace.
namespace sharedrift::testing {

using std::chrono::steady_clock;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// The deadline of exchanges that end by themselves.
inline constexpr Millis kAmple{20'000};
inline constexpr std::size_t kBodyCap = 1U << 20U;

inline HttpRequest get(const std::string& url, std::shared_ptr<const HttpRoute> route = {}) {
  HttpRequest request;
  request.url = url;
  request.route = std::move(route);
  request.max_body = kBodyCap;
  return request;
}

inline std::string url_of(const char* scheme, const std::string& host, int port) {
  return std::string{scheme} + "://" + host + ":" + std::to_string(port) + "/?token=query-secret";
}

inline HttpResult exchange(CurlTransport& transport, HttpRequest request, Millis limit = kAmple) {
  return perform(transport, std::move(request), boot_now() + limit, {});
}
inline HttpResult exchange(HttpRequest request, Millis limit = kAmple) {
  CurlTransport transport;
  return exchange(transport, std::move(request), limit);
}

inline std::string reason_of(const HttpResult& result) {
  return result ? "success, status " + std::to_string(result->status)
                : std::string{to_string(result.error().reason)};
}

/// A certificate authority, its file and routes that trust it.
struct Trust {
  TestCa ca;
  TempDir dir;
  std::shared_ptr<HttpRoute> route = std::make_shared<HttpRoute>();

  Trust() {
    route->ca_file = dir.file("ca.pem");
    std::ofstream(route->ca_file) << ca.pem();
  }
  [[nodiscard]] std::shared_ptr<SSL_CTX> good() const { return server_tls(ca.issue()); }
  [[nodiscard]] std::shared_ptr<HttpRoute> through(const std::string& proxy_url) const {
    auto proxied = std::make_shared<HttpRoute>(*route);
    proxied->proxy_url = proxy_url;
    return proxied;
  }
};

}  // namespace sharedrift::testing
