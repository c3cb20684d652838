#include "web/web_config.hpp"

#include "config/yaml_reader.hpp"
#include "core/text.hpp"

#include <array>
#include <exception>

namespace sharedrift {

namespace {

constexpr auto kRootKeys = std::to_array<std::string_view>(
    {"tls_server_config", "http_server_config", "basic_auth_users", "rate_limit"});
constexpr auto kTlsKeys = std::to_array<std::string_view>(
    {"cert_file", "key_file", "client_auth_type", "client_ca_file", "client_allowed_sans", "cipher_suites",
     "curve_preferences", "min_version", "max_version", "prefer_server_cipher_suites", "cert", "key",
     "client_ca"});
constexpr auto kRateKeys = std::to_array<std::string_view>({"interval", "burst"});
constexpr auto kHttpKeys = std::to_array<std::string_view>({"http2", "headers"});
constexpr auto kHeaderKeys =
    std::to_array<std::string_view>({"Content-Security-Policy", "X-Frame-Options", "X-Content-Type-Options",
                                     "X-XSS-Protection", "Strict-Transport-Security"});

constexpr std::array<Choice<ClientAuth>, 5> kClientAuths{{
    {"NoClientCert", ClientAuth::none},
    {"RequestClientCert", ClientAuth::request},
    {"RequireAnyClientCert", ClientAuth::require_any},
    {"VerifyClientCertIfGiven", ClientAuth::verify_if_given},
    {"RequireAndVerifyClientCert", ClientAuth::require_and_verify},
}};
constexpr std::array<Choice<TlsVersion>, 2> kVersions{
    {{"TLS12", TlsVersion::tls12}, {"TLS13", TlsVersion::tls13}}};

/// Go's names and OpenSSL's. Of Go's list those that keep past traffic secret; it is what Go itself offers by
/// default, without SHA-1 and CBC.
struct Cipher {
  std::string_view openssl;
  bool tls13;
};
constexpr std::array<Choice<Cipher>, 9> kCiphers{{
    {"TLS_AES_128_GCM_SHA256", {"TLS_AES_128_GCM_SHA256", true}},
    {"TLS_AES_256_GCM_SHA384", {"TLS_AES_256_GCM_SHA384", true}},
    {"TLS_CHACHA20_POLY1305_SHA256", {"TLS_CHACHA20_POLY1305_SHA256", true}},
    {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", {"ECDHE-ECDSA-AES128-GCM-SHA256", false}},
    {"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", {"ECDHE-ECDSA-AES256-GCM-SHA384", false}},
    {"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", {"ECDHE-ECDSA-CHACHA20-POLY1305", false}},
    {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", {"ECDHE-RSA-AES128-GCM-SHA256", false}},
    {"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", {"ECDHE-RSA-AES256-GCM-SHA384", false}},
    {"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", {"ECDHE-RSA-CHACHA20-POLY1305", false}},
}};
constexpr std::array<Choice<std::string_view>, 4> kCurves{{
    {"X25519", "X25519"},
    {"CurveP256", "P-256"},
    {"CurveP384", "P-384"},
    {"CurveP521", "P-521"},
}};

/// `$2b$10$` and 53 characters.
bool is_bcrypt(std::string_view hash) {
  constexpr std::size_t kLength = 60;
  if (hash.size() != kLength || !hash.starts_with("$2") || hash[3] != '$' || hash[6] != '$') return false;
  if (std::string_view("aby").find(hash[2]) == std::string_view::npos) return false;
  const std::string_view salted = hash.substr(7);
  return is_digit(hash[4]) && is_digit(hash[5]) && all_alnum_or(salted, "./");
}

class WebReader {
 public:
  WebReader(YamlReader& reader, const std::string& file) : reader_(reader) {
    const std::size_t slash = file.rfind('/');
    if (slash != std::string::npos) directory_ = file.substr(0, slash + 1);
  }

  WebConfig run() {
    WebConfig config;
    const Place root = reader_.root();
    const Fields fields(reader_, root, kRootKeys);
    fields.with("tls_server_config", [&](const Place& at) { config.tls = read_tls(at); });
    fields.with("http_server_config", [&](const Place& at) { read_http(at, config); });
    fields.with("basic_auth_users", [&](const Place& at) { read_users(at, config); });
    fields.with("rate_limit", [&](const Place& at) { read_rate_limit(at, config.rate_limit); });
    return config;
  }

 private:
  WebTls read_tls(const Place& at) {
    WebTls tls;
    Fields fields(reader_, at, kTlsKeys);
    if (!read_pem(fields, "cert", tls.cert)) read_required_file(fields, "cert_file", tls.cert_file);
    if (!read_pem(fields, "key", tls.key)) read_required_file(fields, "key_file", tls.key_file);
    if (!read_pem(fields, "client_ca", tls.client_ca))
      fields.with("client_ca_file", [&](const Place& p) { read_file(p, tls.client_ca_file); });
    read_client_auth(fields, at, tls);
    read_list(fields, "cipher_suites", [&](const Place& p) {
      Cipher cipher{};
      if (reader_.choice(p, kCiphers, cipher))
        (cipher.tls13 ? tls.ciphers13 : tls.ciphers).emplace_back(cipher.openssl);
    });
    read_list(fields, "curve_preferences", [&](const Place& p) {
      std::string_view curve;
      if (reader_.choice(p, kCurves, curve)) tls.curves.emplace_back(curve);
    });
    fields.with("prefer_server_cipher_suites",
                [&](const Place& p) { reader_.boolean(p, tls.prefer_server_ciphers); });
    fields.with("min_version", [&](const Place& p) { read_version(p, tls.min_version); });
    fields.with("max_version", [&](const Place& p) {
      read_version(p, tls.max_version);
      if (tls.max_version < tls.min_version) reader_.fail(p, "is lower than min_version");
    });
    return tls;
  }

  void read_rate_limit(const Place& at, RateLimit& limit) {
    const Fields fields(reader_, at, kRateKeys);
    fields.with("interval", [&](const Place& p) {
      if (reader_.kind(p) == YamlKind::scalar && reader_.raw(p) == "0s") return;
      reader_.duration(p, Millis{1}, std::chrono::hours{1}, limit.interval);
    });
    fields.with("burst", [&](const Place& p) { reader_.integer(p, 1, 1'000'000, limit.burst); });
  }

  /// Whether the text itself is given, in place of a file. No message repeats it.
  bool read_pem(const Fields& fields, std::string_view key, std::string& out) {
    const auto at = fields.find(key);
    if (!at) return false;
    const std::string file = std::string(key) + "_file";
    if (fields.find(file)) reader_.fail_key(*at, "and " + file + " exclude each other");
    if (!reader_.expect_scalar(*at, "PEM")) return true;
    if (reader_.raw(*at).find("-----BEGIN ") == std::string_view::npos)
      reader_.fail(*at, "expected PEM", "for the path of a file: " + file);
    out = reader_.raw(*at);
    return true;
  }

  void read_client_auth(const Fields& fields, const Place& section, WebTls& tls) {
    bool known = true;
    fields.with("client_auth_type",
                [&](const Place& p) { known = reader_.choice(p, kClientAuths, tls.client_auth); });
    const bool verifies =
        tls.client_auth == ClientAuth::verify_if_given || tls.client_auth == ClientAuth::require_and_verify;
    const bool has_ca = fields.find("client_ca_file").has_value() || fields.find("client_ca").has_value();
    const auto at = fields.find("client_auth_type");
    if (verifies && !has_ca) {
      reader_.fail(at.value_or(section), "needs client_ca_file",
                   "else every certificate of a public authority would be let in");
    }
    for (const std::string_view key : {"client_ca_file", "client_ca", "client_allowed_sans"}) {
      const auto unused = known && !verifies ? fields.find(key) : std::nullopt;
      if (unused) {
        reader_.fail_key(*unused, "is not used: no client is verified",
                         "client_auth_type: RequireAndVerifyClientCert");
      }
    }
    read_list(fields, "client_allowed_sans", [&](const Place& p) {
      std::string san;
      if (reader_.text(p, {1, 1024}, san)) tls.client_allowed_sans.push_back(std::move(san));
    });
  }

  template <class F>
  void read_list(const Fields& fields, std::string_view key, F read) {
    fields.with(key, [&](const Place& at) {
      reader_.expect_list(at);
      reader_.each_item(at, read);
      if (reader_.is_empty_list(at))
        reader_.fail(at, "must not be empty", "leave the key out for the default");
    });
  }

  void read_version(const Place& at, TlsVersion& out) {
    if (reader_.kind(at) == YamlKind::scalar && (reader_.raw(at) == "TLS10" || reader_.raw(at) == "TLS11")) {
      reader_.fail(at,
                   in_quotes(reader_.raw(at)) + " is not offered: it is broken and was withdrawn by RFC 8996",
                   "TLS12 or TLS13");
      return;
    }
    reader_.choice(at, kVersions, out);
  }

  void read_required_file(Fields& fields, std::string_view key, std::string& out) {
    if (const auto at = fields.require(key)) read_file(*at, out);
  }
  void read_file(const Place& at, std::string& out) {
    constexpr std::size_t kPathMax = 4095;
    if (reader_.text(at, {1, kPathMax}, out) && out.front() != '/') out.insert(0, directory_);
  }

  void read_http(const Place& at, WebConfig& config) {
    const Fields fields(reader_, at, kHttpKeys);
    fields.with("http2", [&](const Place& p) {
      bool allowed = false;
      reader_.boolean(p, allowed);
    });
    fields.with("headers", [&](const Place& p) {
      const Fields headers(reader_, p, kHeaderKeys);
      for (const std::string_view name : kHeaderKeys) {
        headers.with(name, [&](const Place& value) { read_header(value, name, config); });
      }
    });
  }

  void read_header(const Place& at, std::string_view name, WebConfig& config) {
    constexpr std::size_t kLongest = 4096;
    std::string value;
    if (!reader_.text(at, {1, kLongest}, value)) return;
    if (!is_printable_ascii(value)) {
      reader_.fail(at, "a header is of visible ASCII characters");
    } else if (name == "X-Content-Type-Options" && value != "nosniff") {
      reader_.fail(at, in_quotes(value) + " is not nosniff");
    } else if (name == "X-Frame-Options" && value != "deny" && value != "sameorigin") {
      reader_.fail(at, in_quotes(value) + " is none of deny, sameorigin");
    } else {
      config.headers.emplace_back(name, std::move(value));
    }
  }

  void read_users(const Place& at, WebConfig& config) {
    if (!reader_.expect_map(at)) return;
    bool any = false;
    reader_.each_entry(at, [&](std::string_view name, const Place& value) {
      any = true;
      read_user(name, value, config);
    });
    if (!any) reader_.fail(at, "names no user", "leave the key out to let everybody in");
  }

  /// No message repeats the value: it may be the password itself.
  void read_user(std::string_view name, const Place& at, WebConfig& config) {
    constexpr int kMostCost = 15;
    if (name.empty() || name.find(':') != std::string_view::npos) {
      reader_.fail_key(at, "a user's name must not be empty or hold a colon");
    }
    if (!reader_.expect_scalar(at, "a bcrypt hash")) return;
    const std::string_view hash = reader_.raw(at);
    if (!is_bcrypt(hash)) {
      reader_.fail(at, "expected a bcrypt hash", R"(htpasswd -nBC 10 "" | tr -d ':\n')");
      return;
    }
    const int cost = (hash[4] - '0') * 10 + (hash[5] - '0');
    if (cost < 4 || cost > kMostCost) {
      reader_.fail(at, "has cost " + std::to_string(cost) + "; expected 4 to 15",
                   "each step doubles the time of every request; 10 is usual");
      return;
    }
    config.users.emplace(name, hash);
  }

  YamlReader& reader_;
  std::string directory_;
};

WebConfigResult read_web_config(std::string_view text, const std::string& file) {
  DiagnosticList problems(file);
  YamlTree tree;
  WebConfig config;
  if (parse_yaml(text, tree, problems)) {
    YamlReader reader(tree, problems);
    if (tree.root() == kNoYamlNode || tree[tree.root()].kind == YamlKind::null) {
      problems.add(0, 0, "", "is empty", "write {} for plain HTTP without authentication");
    } else {
      config = WebReader(reader, file).run();
    }
  }
  if (!problems.empty()) return Err(problems.take(text));
  return config;
}

}  // namespace

WebConfigResult parse_web_config(std::string_view text, const std::string& file) {
  try {
    return read_web_config(text, file);
  } catch (const std::exception& error) {  // out of memory
    return Err(std::vector<Diagnostic>{{file, 0, 0, "", std::string("cannot be read: ") + error.what(), ""}});
  }
}

}  // namespace sharedrift
