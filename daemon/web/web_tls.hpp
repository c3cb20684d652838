#pragma once

#include "core/result.hpp"
#include "web/web_config.hpp"

#include <memory>

struct ssl_ctx_st;  ///< OpenSSL's SSL_CTX

namespace sharedrift {

/// The server side of TLS as the web config wants it: its certificate, and whom it lets in. Sessions are
/// never resumed, so a change of the rules holds for the next connection. The error has the
/// key of the section that is to blame as its path, and no place; never a secret.
Result<std::shared_ptr<ssl_ctx_st>, Diagnostic> make_tls_context(const WebTls& config);

}  // namespace sharedrift
