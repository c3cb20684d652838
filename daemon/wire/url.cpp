#include "wire/url.hpp"

#include "core/number.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <cstdint>

#include <arpa/inet.h>
#include <netinet/in.h>

namespace sharedrift {

namespace {

template <class Address>
std::optional<Address> parse_address(int family, std::string_view text) {
  Address address{};
  const bool whole = text.find('\0') == std::string_view::npos;
  if (!whole || ::inet_pton(family, std::string{text}.c_str(), &address) != 1) return std::nullopt;
  return address;
}

/// Four decimal numbers without leading zeros: the only spelling that every resolver reads alike.
std::optional<std::uint32_t> parse_ipv4(std::string_view text) {
  const auto address = parse_address<in_addr>(AF_INET, text);
  return address ? std::optional(ntohl(address->s_addr)) : std::nullopt;
}

std::optional<in6_addr> parse_ipv6(std::string_view text) {
  return parse_address<in6_addr>(AF_INET6, text);
}

bool is_host_name(std::string_view host) {
  constexpr std::size_t kLongestHost = 253;
  constexpr std::size_t kLongestLabel = 63;
  if (host.size() > kLongestHost) return false;
  while (true) {
    const std::size_t end = std::min(host.find('.'), host.size());
    const std::string_view label = host.substr(0, end);
    if (label.empty() || label.size() > kLongestLabel || label.front() == '-' || label.back() == '-' ||
        !all_alnum_or(label, "-")) {
      return false;
    }
    // `127.1`, `0x7f000001` and the like are addresses to some resolvers.
    if (end == host.size()) return !is_digit(label.front());
    host.remove_prefix(end + 1);
  }
}

Err<UrlFault> fault(std::string message, std::string hint = {}) {
  return Err(UrlFault{std::move(message), std::move(hint)});
}

/// `host[:port]` or `[address][:port]`.
std::optional<UrlFault> read_authority(std::string_view text, Url& url) {
  const HostAndPort parts = split_authority(text);
  if (parts.bracketed && !parse_ipv6(parts.host)) {
    return UrlFault{"has no valid address in its brackets", ""};
  }
  if (!parts.bracketed && !is_host_name(parts.host) && !parse_ipv4(parts.host)) {
    return UrlFault{"has no valid host name", "letters, digits, hyphens and dots, or a full address"};
  }
  url.host = to_lower(parts.host);
  if (!parts.port) return std::nullopt;
  constexpr int kMostPort = 65535;
  const auto port = parse_number<int>(*parts.port);
  if (!port || *port < 1 || *port > kMostPort) return UrlFault{"has no valid port", "1 to 65535"};
  url.port = *port;
  return std::nullopt;
}

}  // namespace

std::string Url::authority() const {
  std::string out = host.find(':') == std::string::npos ? host : '[' + host + ']';
  if (port != 0) out += ':' + std::to_string(port);
  return out;
}

std::string Url::origin() const {
  return std::string{scheme()} + "://" + authority();
}

HostAndPort split_authority(std::string_view text) {
  HostAndPort parts;
  parts.bracketed = text.starts_with('[');
  const std::size_t end = parts.bracketed ? text.find(']') : text.find(':');
  if (parts.bracketed && end == std::string_view::npos) return parts;
  parts.host = text.substr(0, end);
  if (parts.bracketed) parts.host.remove_prefix(1);
  text.remove_prefix(std::min(end, text.size()));
  if (parts.bracketed) text.remove_prefix(1);
  if (!text.empty()) parts.port = text.starts_with(':') ? text.substr(1) : std::string_view{};
  return parts;
}

std::string login_hint(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  constexpr std::string_view kAllowed = "-._~!$&'()*+,;=:%";
  const std::size_t scheme = text.find("://");
  const std::size_t at = text.rfind('@');
  if (at == text.npos) return {};
  const std::size_t begin = scheme == text.npos || scheme > at ? 0 : scheme + 3;
  std::string seen;
  std::string hint;
  for (const char c : text.substr(begin, at - begin)) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_alnum(c) || kAllowed.find(c) != kAllowed.npos || byte > '~' || seen.find(c) != seen.npos) continue;
    seen += c;
    const std::string name = c == ' ' ? "a blank" : is_printable_ascii({&c, 1}) ? std::string{c} : "";
    if (name.empty()) continue;
    hint += (hint.empty() ? "in a user or password, write " : ", ") + name + " as %" + kHex[byte >> 4U] +
            kHex[byte & 15U];
  }
  return hint;
}

namespace {

Result<Url, UrlFault> read_url(std::string_view text) {
  constexpr std::size_t kLongest = 2048;
  if (text.size() > kLongest) return fault("is too long");
  // Visible ASCII only. A backslash is a slash to some parsers; the others never stand in a URL unescaped.
  const bool clean = std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c <= '~' && std::string_view("\\\"<>^`{|}").find(c) == std::string_view::npos;
  });
  if (!clean) return fault("holds a character that no address may hold");
  Url url;
  const std::size_t scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) return fault("is not an address", "begin it with https://");
  const std::string scheme = to_lower(text.substr(0, scheme_end));
  if (scheme != "https" && scheme != "http") return fault("must begin with https:// or http://");
  url.https = scheme == "https";
  text.remove_prefix(scheme_end + 3);
  const std::size_t authority_end = std::min(text.find_first_of("/?#"), text.size());
  std::string_view authority = text.substr(0, authority_end);
  url.path = text.substr(authority_end);
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    if (authority.find('@') != at) return fault("holds more than one @");
    url.login = authority.substr(0, at + 1);
    authority.remove_prefix(at + 1);
  }
  if (auto problem = read_authority(authority, url)) return Err(std::move(*problem));
  return url;
}

}  // namespace

Result<Url, UrlFault> parse_url(std::string_view text) {
  auto url = read_url(text);
  if (url) return url;
  UrlFault problem = std::move(url).error();
  if (std::string hint = login_hint(text); !hint.empty()) problem.hint = std::move(hint);
  return Err(std::move(problem));
}

bool is_local(std::string_view host) {
  constexpr std::uint32_t kLoopbackNet = 127;
  if (host == "localhost") return true;
  if (const auto v4 = parse_ipv4(host)) return *v4 >> 24U == kLoopbackNet;
  const auto v6 = parse_ipv6(host);
  return v6 && IN6_IS_ADDR_LOOPBACK(&*v6);
}

bool is_metadata_address(std::string_view host) {
  constexpr std::uint32_t kAlibabaCloud = 0x646464C8;  // 100.100.100.200
  constexpr std::uint32_t kLinkLocal = 0xA9FE;         // 169.254.0.0/16
  const auto v4 = parse_ipv4(host);
  return v4 && (*v4 == kAlibabaCloud || *v4 >> 16U == kLinkLocal);
}

bool may_carry_credentials(const Url& url) {
  return url.https || is_local(url.host) || is_metadata_address(url.host);
}

}  // namespace sharedrift
