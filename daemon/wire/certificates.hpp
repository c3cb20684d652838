#pragma once

#include "core/result.hpp"
#include "core/time.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace sharedrift {

/// When a certificate is valid.
struct CertificateTerm {
  WallTime begins;
  WallTime ends;
};

/// Of each certificate in a file in PEM; what else stands in it is passed over. One at least. The error says
/// what is wrong, never with a piece of the file.
Result<std::vector<CertificateTerm>, std::string> read_certificate_terms(std::string_view pem);

}  // namespace sharedrift
