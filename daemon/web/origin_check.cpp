#include "web/origin_check.hpp"

#include "core/text.hpp"

#include <string_view>

#include <arpa/inet.h>
#include <netinet/in.h>

namespace sharedrift {

namespace {

/// `host`, `host:port`, `[v6]` or `[v6]:port` without port and brackets, in lower case.
std::string host_of(std::string_view authority) {
  if (authority.starts_with('[')) return to_lower(authority.substr(1, authority.find(']') - 1));
  return to_lower(authority.substr(0, authority.find(':')));
}

bool is_address(const std::string& host) {
  in6_addr ignored{};
  return ::inet_pton(AF_INET, host.c_str(), &ignored) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), &ignored) == 1;
}

bool is_ours(const std::string& host, const std::optional<Url>& external_url) {
  return host.empty() || host == "localhost" || is_address(host) ||
         (external_url && external_url->host == host);
}

bool is_same_origin(const Url& a, const Url& b) {
  return a.https == b.https && a.host == b.host && a.used_port() == b.used_port();
}

}  // namespace

std::optional<ServerResponse> refuse_foreign(const ServerRequest& request,
                                             const std::optional<Url>& external_url) {
  const std::string_view authority = request.header("host");
  const std::string host = host_of(authority);
  if ((request.loopback || external_url) && !is_ours(host, external_url)) {
    return ServerResponse::text(
        421, "The Host \"" + clean(host) +
                 "\" is no name of this server's. Ask for localhost, or for its address.\n");
  }
  const std::string_view origin = request.header("origin");
  if (request.method != "POST" || origin.empty()) return std::nullopt;
  const auto from = parse_url(origin);
  const auto asked = parse_url((request.tls ? "https://" : "http://") + std::string(authority));
  if (from &&
      ((asked && is_same_origin(*from, *asked)) || (external_url && is_same_origin(*from, *external_url))))
    return std::nullopt;
  return ServerResponse::text(403,
                              "Not from a page of another site. Behind a proxy, set --web.external-url.\n");
}

}  // namespace sharedrift
