#include "app/cli_values.hpp"

#include "core/number.hpp"
#include "core/text.hpp"
#include "metrics/self_metrics.hpp"

#include <algorithm>

namespace sharedrift {

Result<std::variant<std::monostate, WallTime, Millis>, std::string> parse_since(const std::string& text) {
  std::variant<std::monostate, WallTime, Millis> since;
  if (text.empty()) return since;
  if (const auto age = parse_duration(text)) {
    since = *age;
  } else if (const auto moment = parse_rfc3339(text.find('T') == text.npos ? text + "T00:00:00Z" : text)) {
    since = *moment;
  } else {
    return Err("--since: \"" + clean(text) +
               "\" is neither a day (2026-11-24) nor a time (2026-11-24T09:20:44Z) nor an age (12h)");
  }
  return since;
}

Result<int, std::string> parse_shard(const std::string& text, const std::string& hostname, int count) {
  std::string_view digits = text;
  if (text == "auto") {
    const std::size_t dash = hostname.rfind('-');
    digits = dash == std::string::npos ? "" : std::string_view(hostname).substr(dash + 1);
    if (digits.empty() || !std::all_of(digits.begin(), digits.end(), is_digit)) {
      return Err(
          "--shard.index=auto needs a host name that ends in - and a number, as a StatefulSet gives; this "
          "one is " +
          clean(hostname));
    }
  }
  const int index = parse_number<int>(digits).value_or(-1);
  if (index < 0) {
    return Err("--shard.index: \"" + text + "\" is neither a number from 0 nor auto");
  }
  if (index >= count) {
    return Err("--shard.index " + std::to_string(index) + " must be less than --shard.count " +
               std::to_string(count));
  }
  return index;
}

bool is_path_of_its_own(std::string_view path) {
  const bool taken = path.starts_with("/api/") || path.starts_with("/assets/") ||
                     path.starts_with("/images/") ||
                     std::find(kHttpPaths.begin(), kHttpPaths.end(), path) != kHttpPaths.end();
  return path == "/metrics" || (path.starts_with('/') && !taken && path.find_first_of("?# ") == path.npos);
}

Result<OutsideAddress, std::string> parse_outside_address(const std::string& external_url,
                                                          const std::optional<std::string>& route_prefix) {
  OutsideAddress out;
  if (!external_url.empty()) {
    auto url = parse_url(external_url);
    if (!url || !url->login.empty() || url->path.find_first_of("?#") != std::string::npos) {
      return Err(
          std::string("--web.external-url must be an http or https URL without login and query, such as "
                      "https://monitor.example/share-drift/"));
    }
    out.prefix = url->path;
    out.url = std::move(*url);
  }
  if (route_prefix) out.prefix = *route_prefix;
  std::string& prefix = out.prefix;
  while (prefix.ends_with('/'))
    prefix.pop_back();
  if (!prefix.empty() && !prefix.starts_with('/')) prefix.insert(0, "/");
  if (prefix.find_first_of("?#% \\") == std::string::npos && prefix.find("//") == std::string::npos)
    return out;
  return Err(std::string("--web.route-prefix must be a path, such as /share-drift"));
}

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
