#include "web/origin_check.hpp"

#include "core/text.hpp"

#include <algorithm>
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

bool is_ours(const std::string& host, const std::vector<std::string>& allowed_hosts) {
  return host.empty() || host == "localhost" || is_address(host) ||
         std::any_of(allowed_hosts.begin(), allowed_hosts.end(),
                     [&host](const std::string& name) { return equal_but_for_case(name, host); });
}

}  // namespace

std::optional<ServerResponse> refuse_foreign(const ServerRequest& request,
                                             const std::vector<std::string>& allowed_hosts) {
  const std::string_view authority = request.header("host");
  const std::string host = host_of(authority);
  if ((request.loopback || !allowed_hosts.empty()) && !is_ours(host, allowed_hosts)) {
    return ServerResponse::text(
        421, "The Host \"" + clean(host) +
                 "\" is no name of this server's. Ask for localhost, or for its address.\n");
  }
  const std::string_view origin = request.header("origin");
  if (request.method != "POST" || origin.empty()) return std::nullopt;
  const std::size_t scheme = origin.find("://");
  const std::string_view from = scheme == std::string_view::npos ? origin : origin.substr(scheme + 3);
  const bool is_own = equal_but_for_case(from, authority) ||
                      std::any_of(allowed_hosts.begin(), allowed_hosts.end(), [&](const std::string& name) {
                        return equal_but_for_case(name, host_of(from));
                      });
  if (is_own) return std::nullopt;
  return ServerResponse::text(403, "Not from a page of another site.\n");
}

}  // namespace sharedrift
