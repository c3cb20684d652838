#pragma once

#include "core/result.hpp"

#include <string>
#include <string_view>

namespace sharedrift {

/// An absolute http or https URL, taken apart. Deliberately narrow: what two parsers could read in two ways
/// is refused.
struct Url {
  bool https = false;
  bool has_user = false;
  std::string host;  ///< in lower case; an IPv6 address without its brackets
  int port = 0;      ///< 0: none is given
  std::string path;  ///< with its query and fragment; begins with `/` or `?`; may be empty
};

/// What is wrong with an address, in words that never repeat it: it may hold a password.
struct EndpointFault {
  std::string message;
  std::string hint;
};

Result<Url, EndpointFault> parse_url(std::string_view text);

/// `localhost`, 127.0.0.0/8, ::1.
bool is_loopback(std::string_view host);

enum class Service { ens, sts };

// Each gives the address in its normal form (host in lower case), or what is wrong with it.

/// Where signed calls go: an origin; https unless the host is loopback; a host that is not known as the
/// service's needs `allow_any`.
Result<std::string, EndpointFault> check_endpoint(std::string_view text, Service service, bool allow_any);
/// An origin with a port; a user and a password are allowed.
Result<std::string, EndpointFault> check_proxy(std::string_view text);
/// An origin; plain http only to loopback and the link-local addresses of metadata services.
Result<std::string, EndpointFault> check_metadata_endpoint(std::string_view text);
/// As before, but with any path and query.
Result<std::string, EndpointFault> check_credentials_uri(std::string_view text);

/// The address as it may be shown: without user, password and query.
std::string masked_url(std::string_view url_text);

}  // namespace sharedrift
