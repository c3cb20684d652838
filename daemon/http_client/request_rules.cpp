#include "http_client/request_rules.hpp"

#include "core/text.hpp"
#include "http_client/proxy_environment.hpp"

#include <algorithm>
#include <filesystem>

namespace sharedrift {

namespace {

/// Header names are tokens; values hold visible ASCII, blanks and tabs: anything else could begin a header or
/// a request of its own.
bool is_sendable(const HttpHeader& header) {
  const auto& [name, value] = header;
  const auto token = [](char c) { return c > ' ' && c <= '~' && c != ':' && c != ';'; };
  return !name.empty() && std::all_of(name.begin(), name.end(), token) && is_printable_or_tab(value);
}

std::string host_and_port(const Url& url) {
  Url full = url;
  full.port = url.used_port();
  return clean(full.authority(), 100);
}

/// libcurl would wait for somebody who writes into a pipe, and the loop with it.
bool is_something_else_than_a_file(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  return std::filesystem::exists(status) && !std::filesystem::is_regular_file(status);
}

}  // namespace

Result<Url, TransportError> admit_request(const HttpRequest& request) {
  auto url = parse_url(request.url);
  if (!url) return Err(TransportError{Reason::protocol, "the URL cannot be sent: it " + url.error().message});
  const bool anywhere = request.route && request.route->plain_http_anywhere;
  if (!url->https && !anywhere && !is_local(url->host)) {
    return Err(TransportError{Reason::protocol, "plain http is for loopback only: " + host_and_port(*url)});
  }
  if (request.route && request.route->proxy_from_environment) {
    const auto proxy = environment_proxy(*url, process_variable);
    if (!proxy) return Err(TransportError{Reason::proxy, "the proxy in " + proxy.error()});
  }
  if (request.route && !request.route->ca_file.empty() &&
      is_something_else_than_a_file(request.route->ca_file)) {
    return Err(
        TransportError{Reason::tls, "ca_file " + clean(request.route->ca_file) + " is not a regular file"});
  }
  for (const HttpHeader& header : request.headers) {
    if (is_sendable(header)) continue;
    return Err(TransportError{Reason::protocol, "the header " + clean(header.first, 60) +
                                                    " cannot be sent: it is not visible ASCII"});
  }
  return std::move(*url);
}

std::string host_and_port(std::string_view url) {
  const auto parsed = parse_url(url);
  return parsed ? host_and_port(*parsed) : "a URL that cannot be read";
}

}  // namespace sharedrift
