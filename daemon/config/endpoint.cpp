#include "config/endpoint.hpp"

#include "config/diagnostic.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace sharedrift {

namespace {

constexpr std::array<std::string_view, 5> kEnsHosts{
    "ens.aliyuncs.com", "ens.ap-southeast-1.aliyuncs.com", "ens-vpc.cn-zhangjiakou.aliyuncs.com",
    "ens.vpc-proxy.aliyuncs.com", "ens-vpc.ap-southeast-1.aliyuncs.com"};

bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool all_of(std::string_view text, bool (*is)(char)) {
  return std::all_of(text.begin(), text.end(), is);
}
/// The next part before `separator`; the rest stays in `text`.
std::string_view take_part(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

/// Four decimal numbers without leading zeros: the only spelling that every resolver reads alike.
std::optional<std::array<int, 4>> parse_ipv4(std::string_view text) {
  std::array<int, 4> out{};
  if (std::count(text.begin(), text.end(), '.') != 3) return std::nullopt;
  for (int& byte : out) {
    const std::string_view part = take_part(text, '.');
    if (part.empty() || part.size() > 3 || !all_of(part, is_digit)) return std::nullopt;
    if (part.size() > 1 && part.front() == '0') return std::nullopt;
    std::from_chars(part.data(), part.data() + part.size(), byte);
    if (byte > 255) return std::nullopt;
  }
  return out;
}

bool is_host_name(std::string_view host) {
  constexpr std::size_t kLongestHost = 253;
  constexpr std::size_t kLongestLabel = 63;
  if (host.empty() || host.size() > kLongestHost || host.back() == '.') return false;
  std::string_view label;
  while (!host.empty()) {
    label = take_part(host, '.');
    if (label.empty() || label.size() > kLongestLabel || label.front() == '-' || label.back() == '-')
      return false;
    if (!std::all_of(label.begin(), label.end(), [](char c) { return is_alnum(c) || c == '-'; }))
      return false;
  }
  // `127.1`, `0x7f000001` and the like are addresses to some resolvers.
  return !is_digit(label.front());
}

bool is_ipv6(std::string_view text) {
  constexpr std::size_t kLongest = 45;
  return text.size() >= 2 && text.size() <= kLongest && std::count(text.begin(), text.end(), ':') >= 2 &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_hex(c) || c == ':' || c == '.'; });
}

Err<EndpointFault> fault(std::string message, std::string hint = {}) {
  return Err(EndpointFault{std::move(message), std::move(hint)});
}

/// `host[:port]` or `[address][:port]`.
std::optional<EndpointFault> read_authority(std::string_view text, Url& url) {
  std::string_view host = text.substr(0, text.find(':'));
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    host = text.substr(1, end == std::string_view::npos ? 0 : end - 1);
    text.remove_prefix(std::min(end == std::string_view::npos ? end : end + 1, text.size()));
    if (!is_ipv6(host)) return EndpointFault{"has no valid address in its brackets", ""};
  } else {
    text.remove_prefix(host.size());
    if (!is_host_name(host) && !parse_ipv4(host)) {
      return EndpointFault{"has no valid host name", "letters, digits, hyphens and dots, or a full address"};
    }
  }
  url.host = to_lower(host);
  if (text.empty()) return std::nullopt;
  constexpr int kMostPort = 65535;
  const std::string_view digits = text.substr(1);
  if (!text.starts_with(':') || digits.empty() || digits.size() > 5 || !all_of(digits, is_digit)) {
    return EndpointFault{"has no valid port", ""};
  }
  std::from_chars(digits.data(), digits.data() + digits.size(), url.port);
  if (url.port < 1 || url.port > kMostPort) return EndpointFault{"has no valid port", "1 to 65535"};
  return std::nullopt;
}

std::string origin(const Url& url) {
  std::string out = url.https ? "https://" : "http://";
  out += url.host.find(':') != std::string::npos ? '[' + url.host + ']' : url.host;
  if (url.port != 0) out += ':' + std::to_string(url.port);
  return out;
}

std::optional<EndpointFault> require_origin(const Url& url) {
  if (url.has_user) return EndpointFault{"must not hold a user or password", ""};
  if (!url.path.empty()) {
    return EndpointFault{"must not hold a path or query", "did you mean " + in_quotes(origin(url)) + "?"};
  }
  return std::nullopt;
}

bool is_sts_host(std::string_view host) {
  constexpr std::string_view kDomain = ".aliyuncs.com";
  if (host == "sts.aliyuncs.com") return true;
  if (!host.ends_with(kDomain)) return false;
  host.remove_suffix(kDomain.size());
  const bool vpc = host.starts_with("sts-vpc.");
  if (!vpc && !host.starts_with("sts.")) return false;
  host.remove_prefix(vpc ? 8 : 4);
  return host.find('.') == std::string_view::npos && host.find('-') != std::string_view::npos;
}

bool is_known(std::string_view host, Service service) {
  if (service == Service::sts) return is_sts_host(host);
  return std::find(kEnsHosts.begin(), kEnsHosts.end(), host) != kEnsHosts.end();
}

bool is_metadata_host(std::string_view host) {
  const auto address = parse_ipv4(host);
  return host == "100.100.100.200" || (address && (*address)[0] == 169 && (*address)[1] == 254);
}

std::optional<EndpointFault> require_safe_metadata(const Url& url) {
  if (url.has_user) return EndpointFault{"must not hold a user or password", ""};
  if (url.https || is_loopback(url.host) || is_metadata_host(url.host)) return std::nullopt;
  return EndpointFault{
      "must use https: " + in_quotes(url.host) + " is neither loopback nor a metadata address", ""};
}

}  // namespace

Result<Url, EndpointFault> parse_url(std::string_view text) {
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
    url.has_user = true;
    if (authority.find('@') != at) return fault("holds more than one @", "write %40 for one in a password");
    authority.remove_prefix(at + 1);
  }
  if (auto problem = read_authority(authority, url)) return Err(std::move(*problem));
  return url;
}

bool is_loopback(std::string_view host) {
  if (host == "localhost" || host == "::1") return true;
  const auto address = parse_ipv4(host);
  return address && (*address)[0] == 127;
}

Result<std::string, EndpointFault> check_endpoint(std::string_view text, Service service, bool allow_any) {
  SD_TRY(url, parse_url(text));
  if (auto problem = require_origin(url)) return Err(std::move(*problem));
  const bool local = is_loopback(url.host);
  if (!url.https && !local) return fault("must use https: " + in_quotes(url.host) + " is not loopback");
  if (!local && !allow_any && !is_known(url.host, service)) {
    return fault(
        in_quotes(url.host) + " is not known as an endpoint of " + (service == Service::ens ? "ENS" : "STS"),
        "if it is meant, set allow_any_endpoint: true");
  }
  return origin(url);
}

Result<std::string, EndpointFault> check_proxy(std::string_view text) {
  SD_TRY(url, parse_url(text));
  if (url.path == "/") url.path.clear();
  if (!url.path.empty()) return fault("must not hold a path or query");
  // Left out, curl takes 1080, and people think of 80, 3128 or 8080.
  if (url.port == 0) return fault("needs a port");
  const std::size_t user = text.find("://") + 3;
  const std::string login(text.substr(user, url.has_user ? text.find('@') + 1 - user : 0));
  const std::string bare = origin(url);
  return bare.substr(0, bare.find("://") + 3) + login + bare.substr(bare.find("://") + 3);
}

Result<std::string, EndpointFault> check_metadata_endpoint(std::string_view text) {
  SD_TRY(url, parse_url(text));
  if (auto problem = require_origin(url)) return Err(std::move(*problem));
  if (auto problem = require_safe_metadata(url)) return Err(std::move(*problem));
  return origin(url);
}

Result<std::string, EndpointFault> check_credentials_uri(std::string_view text) {
  SD_TRY(url, parse_url(text));
  if (auto problem = require_safe_metadata(url)) return Err(std::move(*problem));
  if (url.path.find('#') != std::string::npos) return fault("must not hold a fragment");
  return origin(url) + url.path;
}

std::string masked_url(std::string_view url_text) {
  auto url = parse_url(url_text);
  if (!url) return "***";
  const std::string bare = origin(*url);
  const std::size_t start = bare.find("://") + 3;
  const std::string_view path = std::string_view(url->path).substr(0, url->path.find('?'));
  std::string out = bare.substr(0, start) + (url->has_user ? "***@" : "") + bare.substr(start);
  out += path;
  if (path.size() < url->path.size()) out += "?***";
  return out;
}

}  // namespace sharedrift
