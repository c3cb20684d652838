#include "http_client/curl_errors.hpp"

#include "core/text.hpp"
#include "http_client/request_rules.hpp"
#include "os/process_stats.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace sharedrift {

namespace {

/// CURLE_TOO_LARGE, which libcurl has since 8.6. Until then a header line that is too long was "out of
/// memory".
constexpr int kTooLarge = 100;

template <class Number, CURLINFO info>
Number told(const Exchange& exchange) {
  Number value{};
  curl_easy_getinfo(exchange.easy.get(), info, &value);
  return value;
}

/// There is a connection to the host or to its proxy, be it only the first one's TCP.
bool is_connected(const Exchange& exchange) {
  return exchange.sent || told<long, CURLINFO_NUM_CONNECTS>(exchange) > 0;
}

/// libcurl has one code for the phases of an exchange that took too long.
Reason reason_of_timeout(const Exchange& exchange) {
  if (is_connected(exchange)) return Reason::timeout;
  return told<curl_off_t, CURLINFO_NAMELOOKUP_TIME_T>(exchange) == 0 ? Reason::dns : Reason::connect;
}

/// True while whatever fails is between us and the proxy: no tunnel stood and nothing was sent.
bool is_the_proxys(const Exchange& exchange) {
  return exchange.proxied && !exchange.sent && !exchange.handshake;
}

Reason reason_of_traffic(const Exchange& exchange, CURLcode code, std::string_view text) {
  switch (code) {
    case CURLE_COULDNT_CONNECT: return Reason::connect;
    case CURLE_OPERATION_TIMEDOUT: return reason_of_timeout(exchange);
    case CURLE_RECV_ERROR:
      // A chunk size that is none has the code of a connection that failed: its words alone tell, "Illegal or
      // missing hexadecimal sequence in chunked-encoding" (7.88), "chunk hex-length char not a hex digit"
      // (8.14).
      return text.find("chunk") != std::string_view::npos ? Reason::protocol : Reason::reset;
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

constexpr long kWantsLogin = 407;

/// The proxy's answer to CONNECT, where it was no; else 0.
long proxys_no(const Exchange& exchange) {
  const long status = told<long, CURLINFO_HTTP_CONNECTCODE>(exchange);
  return status / 100 == 2 ? 0 : status;
}

/// libcurl keeps no more than 100 kB of a line of a header or trailer, the server's or the proxy's.
bool has_long_header_line(const Exchange& exchange, CURLcode code) {
  return is_connected(exchange) && (code == CURLE_OUT_OF_MEMORY || static_cast<int>(code) == kTooLarge);
}

/// Of a trailer it keeps 4 kB, and calls more of it out of memory, with the code of a connection that failed.
bool has_long_trailer(std::string_view text) {
  return text.find("Out of memory in chunked-encoding") != text.npos;
}

Reason reason_of(const Exchange& exchange, CURLcode code, std::string_view text) {
  if (proxys_no(exchange) != 0) return Reason::proxy;
  if (has_long_trailer(text)) return Reason::too_large;
  if (has_long_header_line(exchange, code))
    return is_the_proxys(exchange) ? Reason::proxy : Reason::too_large;
  // libcurl says of it that a name or a host could not be reached.
  if (!exchange.sent && is_out_of_descriptors()) return Reason::local;
  if (is_traffic(code)) {
    return is_the_proxys(exchange) ? Reason::proxy : reason_of_traffic(exchange, code, text);
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
    case CURLE_FAILED_INIT: return Reason::local;
    default: return Reason::protocol;
  }
}

/// What happened, in libcurl's words but where they would say something else.
std::string words(const Exchange& exchange, CURLcode code, Reason reason) {
  if (has_long_header_line(exchange, code)) {
    return std::string{reason == Reason::proxy ? "a line of the proxy's" : "a line of the answer's"} +
           " header is longer than 100 kB";
  }
  if (has_long_trailer(exchange.error_text.data())) return "the answer's trailer is longer than 4 kB";
  if (code == CURLE_FILESIZE_EXCEEDED)
    return "the answer is larger than " + std::to_string(exchange.request.max_body) + " bytes";
  if (reason == Reason::local) return "out of file descriptors or memory";
  std::string_view text = exchange.error_text.data();
  // What libcurl cannot make sense of it quotes, a proxy's URL with its password, too.
  if (text.empty() || text.find('@') != std::string_view::npos) text = curl_easy_strerror(code);
  return std::string{text};
}

}  // namespace

TransportError proxy_refusal(const Exchange& exchange) {
  return {Reason::proxy,
          exchange.proxy_login
              ? "the proxy refuses this user and password (HTTP 407)"
              : "the proxy wants a user and a password (HTTP 407): write them into its address",
          TransportError::Kind::refused};
}

TransportError error_of(Exchange& exchange, CURLcode code) {
  const std::string where = host_and_port(exchange.request.url) + ": ";
  if (!exchange.verdict && proxys_no(exchange) == kWantsLogin) exchange.verdict = proxy_refusal(exchange);
  if (exchange.verdict) {
    TransportError error = std::move(*exchange.verdict);
    if (error.detail.empty()) error.detail = "the kept-alive connection ended before the answer began";
    error.detail.insert(0, where);
    return error;
  }
  const Reason reason = reason_of(exchange, code, exchange.error_text.data());
  return {reason, clean(where + words(exchange, code, reason)), TransportError::Kind::fault};
}

}  // namespace sharedrift
