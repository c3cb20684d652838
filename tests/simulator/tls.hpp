#pragma once

#include "core/result.hpp"

#include <memory>
#include <string>

struct ssl_ctx_st;  ///< OpenSSL's SSL_CTX

namespace sharedrift::simulator {

/// A server's TLS settings from PEM files: 1.2 at least. The error names the file.
Result<std::shared_ptr<ssl_ctx_st>, std::string> load_tls(const std::string& cert_file,
                                                          const std::string& key_file);

}  // namespace sharedrift::simulator
