#pragma once

#include "config/diagnostic.hpp"
#include "core/result.hpp"
#include "core/time.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sharedrift {

/// What is asked of clients and what of their answer is checked; crypto/tls' names in the file.
enum class ClientAuth {
  none,                ///< NoClientCert
  request,             ///< RequestClientCert: may be given, is not verified
  require_any,         ///< RequireAnyClientCert: must be given, is not verified
  verify_if_given,     ///< VerifyClientCertIfGiven
  require_and_verify,  ///< RequireAndVerifyClientCert
};

enum class TlsVersion { tls12, tls13 };

struct WebTls {
  std::string cert_file;  ///< PEM, with the chain; paths are absolute, or relative as the config's own was
  std::string key_file;
  std::string cert;  ///< the PEM itself, where cert_file is empty; the same for the two others
  std::string key;
  std::string client_ca;
  ClientAuth client_auth = ClientAuth::none;
  std::string client_ca_file;                    ///< this or client_ca is given if client_auth verifies
  std::vector<std::string> client_allowed_sans;  ///< not empty: a client's certificate must hold one of them
  std::vector<std::string> ciphers;              ///< TLS 1.2, OpenSSL's names; empty: the library's choice
  std::vector<std::string> ciphers13;            ///< TLS 1.3, the same
  std::vector<std::string> curves;               ///< OpenSSL's group names; empty: the library's choice
  bool prefer_server_ciphers = true;
  TlsVersion min_version = TlsVersion::tls12;
  TlsVersion max_version = TlsVersion::tls13;
};

/// A request each `interval`, and `burst` at once after a rest.
struct RateLimit {
  Millis interval{0};  ///< 0: no limit
  int burst = 1;
};

/// exporter-toolkit's web config, as far as this server can keep its promises. `http2` is checked but changes
/// nothing: it allows HTTP/2, and this server speaks HTTP/1.1 alone.
struct WebConfig {
  std::optional<WebTls> tls;                                 ///< none: plain HTTP
  std::vector<std::pair<std::string, std::string>> headers;  ///< for every answer
  RateLimit rate_limit;
  std::map<std::string, std::string> users;  ///< name to bcrypt hash; not empty: authentication is needed
};

using WebConfigResult = Result<WebConfig, std::vector<Diagnostic>>;

/// As strict as parse_config(), and an empty file is refused: one cut off while it is written must not open
/// the door. Relative paths in it are taken from the directory of `file`. Throws nothing.
WebConfigResult parse_web_config(std::string_view text, const std::string& file);

}  // namespace sharedrift
