#include "app/listen_address.hpp"

#include "core/number.hpp"
#include "core/text.hpp"
#include "wire/url.hpp"

namespace sharedrift {

Result<ListenAddress, std::string> parse_listen_address(std::string_view text) {
  const auto bad = [text] {
    return Err("--web.listen-address: \"" + clean(text) + "\" is not host:port, :port or [v6]:port");
  };
  const HostAndPort parts = split_authority(text);
  const auto port = parse_number<int>(parts.port.value_or(""));
  if (!port || *port < 0 || *port > 65'535 || (parts.bracketed && parts.host.empty())) return bad();
  return ListenAddress{parts.host.empty() ? "::" : std::string{parts.host}, *port};
}

std::vector<ListenAddress> default_listen_addresses() {
  constexpr int kPort = 10'191;
  return {{"127.0.0.1", kPort}, {"::1", kPort, true}};
}

}  // namespace sharedrift
