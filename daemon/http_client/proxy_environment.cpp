#include "http_client/proxy_environment.hpp"

#include "core/number.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>

#include <arpa/inet.h>
#include <netinet/in.h>

namespace sharedrift {

namespace {

/// An address in network order; 4 bytes or 16.
struct Address {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  int bits = 0;
};

std::optional<Address> parse_address(std::string_view text) {
  constexpr int kV4Bits = 32;
  constexpr int kV6Bits = 128;
  Address address;
  const std::string copy{text};
  if (::inet_pton(AF_INET, copy.c_str(), address.bytes.data()) == 1) address.bits = kV4Bits;
  if (::inet_pton(AF_INET6, copy.c_str(), address.bytes.data()) == 1) address.bits = kV6Bits;
  return address.bits == 0 ? std::nullopt : std::optional(address);
}

/// The first `length` bits agree.
bool same_network(const Address& a, const Address& b, int length) {
  constexpr int kByte = 8;
  if (a.bits != b.bits || length < 0 || length > a.bits) return false;
  for (int bit = 0; bit < length; ++bit) {
    const auto at = static_cast<std::size_t>(bit / kByte);
    const auto mask = static_cast<unsigned char>(0x80U >> static_cast<unsigned>(bit % kByte));
    if (((a.bytes.at(at) ^ b.bytes.at(at)) & mask) != 0) return false;
  }
  return true;
}

bool is_below(std::string_view host, std::string_view domain) {
  if (domain.starts_with("*.")) domain.remove_prefix(1);
  if (domain.starts_with('.')) domain.remove_prefix(1);
  if (domain.empty() || !host.ends_with(domain)) return false;
  host.remove_suffix(domain.size());
  return host.empty() || host.ends_with('.');
}

bool fits(std::string_view entry, std::string_view host, int port) {
  if (entry == "*") return true;
  const auto address = parse_address(host);
  if (const std::size_t slash = entry.find('/'); slash != entry.npos) {
    const auto network = parse_address(entry.substr(0, slash));
    const auto length = parse_number<int>(entry.substr(slash + 1));
    return address && network && length && same_network(*address, *network, *length);
  }
  const bool bare_v6 = parse_address(entry).has_value();  // colons that are no port's
  const HostAndPort parts = bare_v6 ? HostAndPort{entry, std::nullopt, false} : split_authority(entry);
  if (parts.port && parse_number<int>(*parts.port) != port) return false;
  if (const auto other = parse_address(parts.host))
    return address && same_network(*address, *other, address->bits);
  return !address && is_below(host, parts.host);
}

/// A proxy without a port is at its scheme's own, as Go's tools have it; without a scheme it is http.
Result<std::string, std::string> proxy_url(std::string_view text) {
  if (to_lower(text.substr(0, 5)) == "socks") return std::string{text};
  const bool bare = text.find("://") == text.npos;
  auto url = parse_url(bare ? "http://" + std::string{text} : std::string{text});
  if (!url) return Err(url.error().message + (url.error().hint.empty() ? "" : ": " + url.error().hint));
  if (!url->path.empty() && url->path != "/") {
    const std::string hint = login_hint(text);
    return Err("must not hold a path or query" + (hint.empty() ? "" : ": " + hint));
  }
  url->port = url->used_port();
  return std::string{url->scheme()} + "://" + url->login + url->authority();
}

}  // namespace

std::string process_variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : std::string{trim(value)};
}

bool is_excepted(std::string_view list, std::string_view host, int port) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find_first_of(", \t"), list.size());
    const std::string entry = to_lower(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
    if (!entry.empty() && fits(entry, host, port)) return true;
  }
  return false;
}

Result<EnvironmentProxy, std::string> environment_proxy(const Url& target, const ReadVariable& read) {
  using Names = std::array<const char*, 4>;
  const Names names = target.https ? Names{"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}
                                   : Names{"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"};
  const auto* const name =
      std::find_if(names.begin(), names.end(), [&read](const char* n) { return !read(n).empty(); });
  if (name == names.end()) return EnvironmentProxy{};
  const std::string lower = read("no_proxy");
  if (is_excepted(lower.empty() ? read("NO_PROXY") : lower, target.host, target.used_port()))
    return EnvironmentProxy{};
  auto url = proxy_url(read(*name));
  if (!url) return Err(std::string{*name} + " " + std::move(url).error());
  return EnvironmentProxy{*name, std::move(*url)};
}

}  // namespace sharedrift
