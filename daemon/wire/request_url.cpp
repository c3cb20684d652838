#include "wire/request_url.hpp"

#include "core/text.hpp"

#include <algorithm>

#include <arpa/inet.h>
#include <netinet/in.h>

namespace sharedrift {

namespace {

struct Authority {
  std::string_view host;  ///< without brackets
  std::string_view port;  ///< may be empty
};

Authority authority_of(std::string_view url) {
  url = origin_of(url);
  if (url.empty()) return {};
  url.remove_prefix(url.find("://") + 3);
  if (const std::size_t at = url.rfind('@'); at != std::string_view::npos) url.remove_prefix(at + 1);
  if (url.starts_with('[')) {
    const std::size_t end = std::min(url.find(']'), url.size());
    const std::string_view rest = url.substr(std::min(end + 1, url.size()));
    return {url.substr(1, end - 1), rest.starts_with(':') ? rest.substr(1) : std::string_view{}};
  }
  const std::size_t colon = url.find(':');
  if (colon == std::string_view::npos) return {url, {}};
  return {url.substr(0, colon), url.substr(colon + 1)};
}

/// Whether an http URL stays on this machine. Names that merely look like an address do not count; libcurl
/// (since 7.78) resolves `localhost` to loopback itself, whatever the name service says.
bool is_loopback(std::string_view url) {
  const std::string host(authority_of(url).host);
  if (host == "localhost") return true;
  in_addr v4{};
  if (::inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24U) == 127U;
  in6_addr v6{};
  return ::inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

/// Header names are tokens; values hold visible ASCII, blanks and tabs: anything else could begin a header or
/// a request of its own.
bool is_sendable(const HttpHeader& header) {
  const auto& [name, value] = header;
  const auto token = [](char c) { return c > ' ' && c <= '~' && c != ':' && c != ';'; };
  return !name.empty() && std::all_of(name.begin(), name.end(), token) && is_printable_or_tab(value);
}

bool is_sendable(std::string_view url) {
  return is_printable_ascii(url) && url.find(' ') == std::string_view::npos;
}

}  // namespace

std::string_view origin_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  return url.substr(0, url.find_first_of("/?#\\", scheme + 3));
}

std::optional<TransportError> refuse_request(const HttpRequest& request) {
  const bool anywhere = request.route && request.route->plain_http_anywhere;
  if (is_plain(request) && !anywhere && !is_loopback(request.url)) {
    return TransportError{Reason::protocol, "plain http is for loopback only: " + host_and_port(request.url)};
  }
  if (!is_sendable(request.url)) {
    return TransportError{Reason::protocol, "the URL cannot be sent: it has more in it than visible ASCII"};
  }
  for (const HttpHeader& header : request.headers) {
    if (is_sendable(header)) continue;
    return TransportError{Reason::protocol, "the header " + clean(header.first, 60) +
                                                " cannot be sent: it is not visible ASCII"};
  }
  return std::nullopt;
}

std::string host_and_port(std::string_view url) {
  const Authority authority = authority_of(url);
  const bool v6 = authority.host.find(':') != std::string_view::npos;
  const std::string host = clean(authority.host, 100);
  return (v6 ? "[" + host + "]" : host) + ":" +
         (authority.port.empty() ? (url.starts_with("http://") ? "80" : "443") : clean(authority.port, 10));
}

}  // namespace sharedrift
