#include "app/listen_address.hpp"

#include "core/number.hpp"
#include "core/text.hpp"

namespace sharedrift {

Result<ListenAddress, std::string> parse_listen_address(std::string_view text) {
  const auto bad = [text] {
    return Err("--web.listen-address: \"" + clean(text) + "\" is not host:port, :port or [v6]:port");
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad();
  ListenAddress address;
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  const auto number = parse_number<int>(port);
  if (!number || *number < 0 || *number > 65'535) return bad();
  address.port = *number;
  if (host.starts_with('[')) {
    if (!host.ends_with(']') || host.size() < 4) return bad();
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return bad();  // an IPv6 address needs brackets
  }
  address.host = host.empty() ? "::" : std::string{host};
  return address;
}

std::vector<ListenAddress> default_listen_addresses() {
  constexpr int kPort = 10'191;
  return {{"127.0.0.1", kPort}, {"::1", kPort, true}};
}

}  // namespace sharedrift
