#include "wire/certificates.hpp"

#include <ctime>
#include <memory>
#include <optional>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

namespace sharedrift {

namespace {

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};

std::optional<WallTime> to_time(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  return WallTime{std::chrono::seconds{::timegm(&parts)}};
}

}  // namespace

Result<std::vector<CertificateTerm>, std::string> read_certificate_terms(std::string_view pem) {
  ERR_clear_error();
  const std::unique_ptr<BIO, FreeBio> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::vector<CertificateTerm> terms;
  while (true) {
    const std::unique_ptr<X509, FreeCertificate> certificate(
        PEM_read_bio_X509_AUX(bio.get(), nullptr, nullptr, nullptr));
    const bool at_end = !certificate && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    if (at_end && terms.empty()) return Err(std::string{"holds no certificate in PEM"});
    if (at_end) return terms;
    const auto begins = certificate ? to_time(X509_get0_notBefore(certificate.get())) : std::nullopt;
    const auto ends = certificate ? to_time(X509_get0_notAfter(certificate.get())) : std::nullopt;
    if (!begins || !ends)
      return Err("holds a broken certificate, number " + std::to_string(terms.size() + 1));
    terms.push_back({*begins, *ends});
  }
}

}  // namespace sharedrift
