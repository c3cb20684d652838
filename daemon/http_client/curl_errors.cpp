#include "http_client/curl_errors.hpp"

#include "core/text.hpp"
#include "http_client/request_rules.hpp"

#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include <sys/eventfd.h>
#include <unistd.h>

namespace sharedrift {

namespace {

/// libcurl has no code for "no descriptor left": it says that a name or a host could not be reached. What a
/// failed exchange held has been closed by now, hence the handful.
bool out_of_descriptors() {
  std::array<int, 8> probes{};
  bool out = false;
  for (int& fd : probes) {
    fd = ::eventfd(0, EFD_CLOEXEC);
    out = out || (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM));
  }
  for (const int fd : probes) {
    if (fd >= 0) ::close(fd);
  }
  return out;
}

/// The words tell the phases apart where libcurl 7.88 has one code for all of them.
Reason reason_of_timeout(const Exchange& exchange, std::string_view text) {
  if (text.starts_with("Resolving")) return Reason::dns;
  const bool connecting = text.starts_with("Connection time") || text.starts_with("Failed to connect");
  return connecting && !exchange.handshake ? Reason::connect : Reason::timeout;
}

/// True while whatever fails is between us and the proxy: no tunnel stood and nothing was sent. One that was
/// found in the environment is known by libcurl's words only.
bool is_the_proxys(const Exchange& exchange, std::string_view text) {
  if (exchange.sent) return false;
  return (exchange.proxied && !exchange.handshake) || text.find("CONNECT ") != std::string_view::npos;
}

Reason reason_of_traffic(const Exchange& exchange, CURLcode code, std::string_view text) {
  switch (code) {
    case CURLE_COULDNT_CONNECT: return Reason::connect;
    case CURLE_OPERATION_TIMEDOUT: return reason_of_timeout(exchange, text);
    case CURLE_RECV_ERROR:
      // A chunk size that is none is reported as if the connection had failed.
      return text.find("chunked-encoding") != std::string_view::npos ? Reason::protocol : Reason::reset;
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR: return Reason::reset;
    default: return Reason::protocol;
  }
}

bool is_traffic(CURLcode code) {
  return code == CURLE_COULDNT_CONNECT || code == CURLE_OPERATION_TIMEDOUT || code == CURLE_RECV_ERROR ||
         code == CURLE_PARTIAL_FILE || code == CURLE_GOT_NOTHING || code == CURLE_SEND_ERROR ||
         code == CURLE_WEIRD_SERVER_REPLY;
}

bool proxy_refused(CURL* easy) {
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &status);
  return status != 0 && status / 100 != 2;
}

Reason reason_of(const Exchange& exchange, CURLcode code, std::string_view text) {
  if (proxy_refused(exchange.easy.get())) return Reason::proxy;
  if (!exchange.sent && out_of_descriptors()) return Reason::local;
  if (is_traffic(code)) {
    return is_the_proxys(exchange, text) ? Reason::proxy : reason_of_traffic(exchange, code, text);
  }
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST: return Reason::dns;
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_PROXY: return Reason::proxy;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CLIENTCERT:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_USE_SSL_FAILED: return Reason::tls;
    case CURLE_FILESIZE_EXCEEDED: return Reason::too_large;
    case CURLE_OUT_OF_MEMORY:
      // Also what a header line of more than 100 kB is called (7.88: the line buffer is full).
      return exchange.sent && !exchange.head.complete ? Reason::too_large : Reason::local;
    case CURLE_FAILED_INIT: return Reason::local;
    default: return Reason::protocol;
  }
}

std::string_view advice(Reason reason) {
  return reason == Reason::local ? "out of file descriptors or memory: " : "";
}

}  // namespace

TransportError error_of(Exchange& exchange, CURLcode code) {
  const std::string where = host_and_port(exchange.request.url) + ": ";
  if (exchange.verdict) {
    TransportError error = std::move(*exchange.verdict);
    if (error.detail.empty()) error.detail = "the kept-alive connection ended before the answer began";
    error.detail.insert(0, where);
    return error;
  }
  std::string_view text = exchange.error_text.data();
  const Reason reason = reason_of(exchange, code, text);
  // What libcurl cannot make sense of it quotes, a proxy's URL with its password, too.
  const bool quotes = text.find('@') != std::string_view::npos;
  if (text.empty() || quotes) text = curl_easy_strerror(code);
  return {reason, clean(where + std::string{advice(reason)} + std::string{text})};
}

}  // namespace sharedrift
