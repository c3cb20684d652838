#include "simulator/tls.hpp"

#include <openssl/ssl.h>

namespace sharedrift::simulator {

Result<std::shared_ptr<ssl_ctx_st>, std::string> load_tls(const std::string& cert_file,
                                                          const std::string& key_file) {
  std::shared_ptr<ssl_ctx_st> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (!context || SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1) {
    return Err(std::string("TLS is not available"));
  }
  if (SSL_CTX_use_certificate_chain_file(context.get(), cert_file.c_str()) != 1) {
    return Err("cannot use the certificate " + cert_file);
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context.get()) != 1) {
    return Err("cannot use the private key " + key_file);
  }
  return context;
}

}  // namespace sharedrift::simulator
