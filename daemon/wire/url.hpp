#pragma once

#include "core/result.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace sharedrift {

/// An absolute http or https URL, taken apart. Deliberately narrow: what two parsers could read in two ways
/// is refused.
struct Url {
  bool https = false;
  std::string login;  ///< `user:password@` as written; empty: there is none
  std::string host;   ///< in lower case; an IPv6 address without its brackets
  int port = 0;       ///< 0: none is given
  std::string path;   ///< with its query and fragment; begins with `/`, `?` or `#`; may be empty

  [[nodiscard]] std::string_view scheme() const { return https ? "https" : "http"; }
  /// The one that is given, or the scheme's own.
  [[nodiscard]] int used_port() const { return port != 0 ? port : https ? 443 : 80; }
  /// `host` or `host:port`, as written: what a Host header says.
  [[nodiscard]] std::string authority() const;
  /// Scheme and authority, without the login.
  [[nodiscard]] std::string origin() const;
};

/// What is wrong with an address, in words that never repeat it: it may hold a password.
struct UrlFault {
  std::string message;
  std::string hint;
};

/// Which characters of a login in `text` must be written how, where there are such; else empty. For addresses
/// that cannot be read: a user or password with a `#` in it looks like anything.
std::string login_hint(std::string_view text);

Result<Url, UrlFault> parse_url(std::string_view text);

/// The rule of security that everything asks which sends or takes secrets in plain text: a host that is this
/// machine and nothing else, which is `localhost`, 127.0.0.0/8 and ::1. (libcurl, since 7.78, takes
/// `localhost` for loopback itself, whatever the name service says.) What only some resolvers take for an
/// address (127.1, 0x7f000001) and IPv4 inside IPv6 are not local. In lower case, without brackets.
bool is_local(std::string_view host);

/// The addresses where clouds answer with an instance's credentials, over a link that ends at the host's own
/// hypervisor: 100.100.100.200 and 169.254.0.0/16. Credentials may be fetched from there in plain text, as
/// the services offer nothing else; nothing else may be sent there.
bool is_metadata_address(std::string_view host);

/// https, or plain http that stays on this machine or its link: credentials may be fetched from there.
bool may_carry_credentials(const Url& url);

/// `host`, `host:port`, `[v6]` or `[v6]:port`, cut in two; neither part is looked into.
struct HostAndPort {
  std::string_view host;                 ///< without brackets; empty if a bracket is not closed
  std::optional<std::string_view> port;  ///< what follows the host; empty if that does not begin with a colon
  bool bracketed = false;
};
HostAndPort split_authority(std::string_view text);

}  // namespace sharedrift
