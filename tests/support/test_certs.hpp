#pragma once

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace sharedrift::testing {

/// A certificate with its key, as OpenSSL has them.
struct Identity {
  std::shared_ptr<X509> certificate;
  std::shared_ptr<EVP_PKEY> key;

  [[nodiscard]] std::string certificate_pem() const {
    const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), &BIO_free);
    PEM_write_bio_X509(out.get(), certificate.get());
    return text_of(out.get());
  }
  [[nodiscard]] std::string key_pem() const {
    const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), &BIO_free);
    PEM_write_bio_PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    return text_of(out.get());
  }

 private:
  static std::string text_of(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    return {data, static_cast<std::size_t>(size)};
  }
};

struct CertificateWish {
  std::string common_name = "localhost";
  std::string alternative_names = "DNS:localhost,IP:127.0.0.1";  ///< empty: none
  long begins_in = -3600;                                        ///< seconds from now
  long ends_in = 86'400;
};

/// A certificate authority of the test's own. Its keys are P-256, which takes no time to make.
class TestCa {
 public:
  TestCa() : root_(make({"Test CA", "", -86'400, 86'400}, nullptr, true)) {}
  [[nodiscard]] std::string pem() const { return root_.certificate_pem(); }
  [[nodiscard]] Identity issue(const CertificateWish& wish = {}) const { return make(wish, &root_, false); }
  /// Signed by nobody but itself.
  [[nodiscard]] static Identity self_signed(const CertificateWish& wish = {}) {
    return make(wish, nullptr, false);
  }

 private:
  static void must(bool done, const char* what) {
    if (!done) throw std::runtime_error(std::string("no test certificate: ") + what);
  }
  static void extend(X509* certificate, int kind, const std::string& value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
    must(extension != nullptr, value.c_str());
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }
  static Identity make(const CertificateWish& wish, const Identity* issuer, bool authority) {
    static long serial = 0;
    const std::shared_ptr<EVP_PKEY> key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
    const std::shared_ptr<X509> certificate(X509_new(), &X509_free);
    must(key && certificate, "out of memory");
    X509_set_version(certificate.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), wish.begins_in);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), wish.ends_in);
    X509_set_pubkey(certificate.get(), key.get());
    X509_NAME* name = X509_get_subject_name(certificate.get());
    const auto* common = reinterpret_cast<const unsigned char*>(wish.common_name.c_str());
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, common, -1, -1, 0);
    Identity self{certificate, key};
    const Identity& signer = issuer != nullptr ? *issuer : self;
    X509_set_issuer_name(certificate.get(), X509_get_subject_name(signer.certificate.get()));
    if (authority) extend(certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
    if (!wish.alternative_names.empty())
      extend(certificate.get(), NID_subject_alt_name, wish.alternative_names);
    must(X509_sign(certificate.get(), signer.key.get(), EVP_sha256()) > 0, "cannot be signed");
    return self;
  }

  Identity root_;
};

/// A server's side of TLS. `highest` below TLS 1.2 takes OpenSSL's security level with it.
inline std::shared_ptr<SSL_CTX> server_tls(const Identity& identity, int highest = 0) {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free);
  if (highest != 0) {
    SSL_CTX_set_security_level(context.get(), 0);
    SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context.get(), highest);
  }
  if (SSL_CTX_use_certificate(context.get(), identity.certificate.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context.get(), identity.key.get()) != 1) {
    throw std::runtime_error("no TLS context");
  }
  return context;
}

}  // namespace sharedrift::testing
