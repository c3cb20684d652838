#include "web/web_tls.hpp"

#include "config/config_files.hpp"
#include "core/secret.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace sharedrift {

namespace {

using Sans = std::vector<std::string>;

std::string_view text_of(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<std::size_t>(ASN1_STRING_length(string))};
}

bool same_address(const ASN1_OCTET_STRING* address, const std::string& wanted) {
  std::array<unsigned char, 16> bytes{};
  const std::string_view octets = text_of(address);
  const int family = octets.size() == 4 ? AF_INET : AF_INET6;
  return (octets.size() == 4 || octets.size() == 16) &&
         ::inet_pton(family, wanted.c_str(), bytes.data()) == 1 &&
         std::equal(octets.begin(), octets.end(), bytes.begin(),
                    [](char a, unsigned char b) { return static_cast<unsigned char>(a) == b; });
}

/// As a whole, byte for byte, as exporter-toolkit does: DNS names, e-mail addresses, URIs, and IP addresses
/// by value. A wildcard in a certificate stands for itself.
bool matches(const GENERAL_NAME* name, const std::string& wanted) {
  switch (name->type) {
    case GEN_DNS: return text_of(name->d.dNSName) == wanted;
    case GEN_EMAIL: return text_of(name->d.rfc822Name) == wanted;
    case GEN_URI: return text_of(name->d.uniformResourceIdentifier) == wanted;
    case GEN_IPADD: return same_address(name->d.iPAddress, wanted);
    default: return false;
  }
}

bool has_allowed_san(const X509* certificate, const Sans& allowed) {
  const std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)),
      GENERAL_NAMES_free);
  if (!names) return false;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (std::any_of(allowed.begin(), allowed.end(), [name](const auto& san) { return matches(name, san); })) {
      return true;
    }
  }
  return false;
}

/// The allowed names hang on the context and end with it: connections outlive the configuration they began
/// under.
int sans_index() {
  static const int index = SSL_CTX_get_ex_new_index(
      0, nullptr, nullptr, nullptr,
      [](void*, void* sans, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<Sans*>(sans); });
  return index;
}

int accept_any(int /*verified*/, X509_STORE_CTX* /*store*/) {
  return 1;
}

int accept_allowed(int verified, X509_STORE_CTX* store) {
  if (verified != 1 || X509_STORE_CTX_get_error_depth(store) != 0) return verified;
  const auto* tls =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  const auto* sans = static_cast<const Sans*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(tls), sans_index()));
  if (has_allowed_san(X509_STORE_CTX_get_current_cert(store), *sans)) return 1;
  X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  return 0;
}

/// `value`: what the section has under `key`.
Diagnostic failed(std::string_view key, const std::string& value, const std::string& what) {
  std::string message = in_quotes(value) + " " + what;
  const unsigned long code = ERR_peek_last_error();
  // The reason is a constant of OpenSSL's, never a piece of the file.
  if (const char* why = code == 0 ? nullptr : ERR_reason_error_string(code); why != nullptr) {
    message += std::string(": ") + why;
  }
  ERR_clear_error();
  return {"", 0, 0, std::string(key), std::move(message), ""};
}

void set_protocol(SSL_CTX* context, const WebTls& config) {
  const auto version = [](TlsVersion v) { return v == TlsVersion::tls12 ? TLS1_2_VERSION : TLS1_3_VERSION; };
  SSL_CTX_set_min_proto_version(context, version(config.min_version));
  SSL_CTX_set_max_proto_version(context, version(config.max_version));
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION |
                                   (config.prefer_server_ciphers ? SSL_OP_CIPHER_SERVER_PREFERENCE : 0));
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}

std::optional<Diagnostic> set_ciphers(SSL_CTX* context, const WebTls& config) {
  // Of TLS 1.2 only what keeps the past secret when a key gets lost, and nothing of the kind that padding
  // oracles were found in.
  constexpr const char* kDefault = "ECDHE+AESGCM:ECDHE+CHACHA20";
  const std::string ciphers = config.ciphers.empty() ? kDefault : joined(config.ciphers, ":");
  if (SSL_CTX_set_cipher_list(context, ciphers.c_str()) != 1) {
    return failed("cipher_suites", ciphers, "cannot be used");
  }
  const std::string ciphers13 = joined(config.ciphers13, ":");
  if (!ciphers13.empty() && SSL_CTX_set_ciphersuites(context, ciphers13.c_str()) != 1) {
    return failed("cipher_suites", ciphers13, "cannot be used");
  }
  if (!config.curves.empty() && SSL_CTX_set1_groups_list(context, joined(config.curves, ":").c_str()) != 1) {
    return failed("curve_preferences", joined(config.curves, ":"), "cannot be used");
  }
  return std::nullopt;
}

using Bio = std::unique_ptr<BIO, decltype(&BIO_free_all)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

/// `text` of `key`, or else what its file holds. OpenSSL would wait for somebody who writes into a pipe.
Result<std::string, Diagnostic> read_pem(const std::string& key, const std::string& file,
                                         const std::string& text) {
  if (!text.empty()) return text;
  auto content = read_regular_file(file);
  if (content) return content;
  return Err(Diagnostic{"", 0, 0, key + "_file", in_quotes(file) + " " + content.error().message, ""});
}

Bio open_pem(const std::string& pem) {
  return {BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free_all};
}

/// All in the order in which they stand; none if one cannot be read.
std::vector<Certificate> parse_certificates(const std::string& text) {
  std::vector<Certificate> all;
  const Bio pem = open_pem(text);
  while (X509* next = PEM_read_bio_X509(pem.get(), nullptr, nullptr, nullptr))
    all.emplace_back(next, X509_free);
  if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
    all.clear();
  } else if (!all.empty()) {
    ERR_clear_error();  // that was the end
  }
  return all;
}

/// Of a file, or of the text that stands in its place and is not repeated.
Diagnostic failed_pem(const std::string& key, const std::string& file, const std::string& what) {
  return file.empty() ? failed(key, "PEM", what) : failed(key + "_file", file, what);
}

std::optional<Diagnostic> set_key(SSL_CTX* context, const WebTls& config) {
  auto text = read_pem("key", config.key_file, config.key);
  if (!text) return text.error();
  const Bio pem = open_pem(*text);
  // Without it OpenSSL asks the terminal for the pass phrase of an encrypted key.
  const auto no_pass_phrase = [](char*, int, int, void*) { return 0; };
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      PEM_read_bio_PrivateKey(pem.get(), nullptr, no_pass_phrase, nullptr), EVP_PKEY_free);
  wipe(*text);
  if (!key || SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1)
    return failed_pem("key", config.key_file, "cannot be used as the key of " + clean(config.cert_file));
  return std::nullopt;
}

std::optional<Diagnostic> set_certificate(SSL_CTX* context, const WebTls& config) {
  const auto text = read_pem("cert", config.cert_file, config.cert);
  if (!text) return text.error();
  const auto chain = parse_certificates(*text);
  bool good = !chain.empty() && SSL_CTX_use_certificate(context, chain.front().get()) == 1;
  for (std::size_t i = 1; good && i < chain.size(); ++i)
    good = SSL_CTX_add1_chain_cert(context, chain[i].get()) == 1;
  if (!good) return failed_pem("cert", config.cert_file, "cannot be used as the certificate");
  return set_key(context, config);
}

/// Whose clients are let in.
bool trust(SSL_CTX* context, const std::vector<Certificate>& authorities) {
  return !authorities.empty() &&
         std::all_of(authorities.begin(), authorities.end(), [context](const Certificate& authority) {
           return X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority.get()) == 1 &&
                  SSL_CTX_add_client_CA(context, authority.get()) == 1;
         });
}

std::optional<Diagnostic> set_clients(SSL_CTX* context, const WebTls& config) {
  const bool verifies = config.client_auth == ClientAuth::verify_if_given ||
                        config.client_auth == ClientAuth::require_and_verify;
  const bool requires_one =
      config.client_auth == ClientAuth::require_any || config.client_auth == ClientAuth::require_and_verify;
  if (config.client_auth == ClientAuth::none) return std::nullopt;
  if (verifies) {
    const auto text = read_pem("client_ca", config.client_ca_file, config.client_ca);
    if (!text) return text.error();
    if (!trust(context, parse_certificates(*text)))
      return failed_pem("client_ca", config.client_ca_file, "cannot be used as the clients' CA");
  }
  SSL_verify_cb callback = verifies ? nullptr : accept_any;
  if (verifies && !config.client_allowed_sans.empty()) {
    auto sans = std::make_unique<Sans>(config.client_allowed_sans);
    if (SSL_CTX_set_ex_data(context, sans_index(), sans.get()) != 1) {
      return failed("client_allowed_sans", config.client_ca_file, "cannot be kept");
    }
    static_cast<void>(sans.release());
    callback = accept_allowed;
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (requires_one ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                     callback);
  return std::nullopt;
}

}  // namespace

Result<std::shared_ptr<ssl_ctx_st>, Diagnostic> make_tls_context(const WebTls& config) {
  ERR_clear_error();
  const std::shared_ptr<ssl_ctx_st> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (!context) return Err(failed("cert_file", config.cert_file, "cannot be served: TLS cannot be set up"));
  set_protocol(context.get(), config);
  for (auto* step : {set_ciphers, set_certificate, set_clients}) {
    if (auto fault = step(context.get(), config)) return Err(std::move(*fault));
  }
  return context;
}

}  // namespace sharedrift
