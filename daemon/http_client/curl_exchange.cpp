#include "http_client/curl_exchange.hpp"

#include "core/text.hpp"
#include "http_client/curl_errors.hpp"
#include "http_client/proxy_environment.hpp"
#include "http_client/request_rules.hpp"

#include <exception>
#include <utility>

namespace sharedrift {

namespace {

/// A page of 100 rows comes in one read or two; libcurl's own choice is twice as large.
constexpr long kReceiveBuffer = 8192;
/// A request that goes out by TLS is copied to one first. libcurl's own choice is 64 KiB for each handle.
constexpr long kSendBuffer = 16384;
constexpr std::size_t kMaxHeaderBytes = 64U << 10U;
/// How long a changed CA bundle may go unnoticed. libcurl's own choice is a day; one load takes 25 ms.
constexpr long kCaCacheSeconds = 600;

/// libcurl takes any count but the one it gave for "end the transfer".
std::size_t refuse(Exchange& exchange, Reason reason, std::string detail) {
  if (!exchange.verdict) exchange.verdict = TransportError{reason, std::move(detail)};
  return 0;
}

bool may_lack_body(const Exchange& exchange) {
  const int status = exchange.response.status;
  return exchange.request.method == "HEAD" || status == 204 || status == 304;
}

std::size_t take_header(Exchange& exchange, std::string_view name, std::string_view value,
                        std::size_t bytes) {
  Exchange::Head& head = exchange.head;
  if (equal_but_for_case(name, "content-length")) {
    if (head.length && *head.length != value)
      return refuse(exchange, Reason::protocol, "the answer has two lengths");
    head.length = value;
  } else if (equal_but_for_case(name, "transfer-encoding")) {
    // libcurl would undo `gzip, chunked` by itself.
    if (!equal_but_for_case(value, "chunked"))
      return refuse(exchange, Reason::protocol, "the answer has a transfer coding other than chunked");
    head.chunked = true;
  } else if (equal_but_for_case(name, "content-encoding") && !equal_but_for_case(value, "identity")) {
    return refuse(exchange, Reason::protocol, "the answer is encoded although no coding was asked for");
  }
  exchange.response.headers.add(name, value);
  return bytes;
}

std::size_t take_header_line(Exchange& exchange, std::string_view data) {
  Exchange::Head& head = exchange.head;
  head.bytes += data.size();
  if (head.bytes > kMaxHeaderBytes)
    return refuse(exchange, Reason::too_large, "the answer's header is larger than 64 KiB");
  const std::string_view line = trim(data);
  if (line.starts_with("HTTP/")) {  // a new answer begins: what came before was a 1xx
    const std::size_t bytes = head.bytes;
    head = {};
    head.bytes = bytes;
    exchange.response.headers.clear();
    return data.size();
  }
  if (line.empty()) {
    head.complete = true;
    return data.size();
  }
  if (head.complete) return data.size();  // a trailer: nobody asked for one
  if (data.front() == ' ' || data.front() == '\t') {
    // To libcurl it is part of the header before, to a reader of lines a header of its own.
    return refuse(exchange, Reason::protocol, "the answer has a folded header");
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return data.size();
  return take_header(exchange, trim(line.substr(0, colon)), trim(line.substr(colon + 1)), data.size());
}

std::size_t take_body(Exchange& exchange, std::string_view data) {
  if (!exchange.head.length && !exchange.head.chunked) {
    // Its end would be wherever the connection breaks: a cut answer could not be told from a whole one.
    return refuse(exchange, Reason::protocol, "the answer is framed neither by a length nor by chunks");
  }
  if (exchange.response.body.size() + data.size() > exchange.request.max_body) {
    return refuse(exchange, Reason::too_large,
                  "the answer is larger than " + std::to_string(exchange.request.max_body) + " bytes");
  }
  exchange.response.body.append(data);
  return data.size();
}

/// An exception must not pass through libcurl's frames.
template <std::size_t (*take)(Exchange&, std::string_view)>
std::size_t guarded(char* data, std::size_t size, std::size_t count, void* user) noexcept {
  auto& exchange = *static_cast<Exchange*>(user);
  try {
    return take(exchange, {data, size * count});
  } catch (const std::exception&) {
    return refuse(exchange, Reason::local, "out of memory");
  }
}

CURLcode on_handshake(CURL* /*easy*/, void* /*ssl_context*/, void* user) noexcept {
  auto& exchange = *static_cast<Exchange*>(user);
  if (!std::exchange(exchange.proxy_handshake, false)) exchange.handshake = true;
  return CURLE_OK;
}

/// Called before a request goes out. The second call is libcurl's retry after a kept-alive connection turned
/// out to be dead: the far side may have seen the first request, so the same signature must not arrive twice.
int on_sending(void* user, char* /*peer*/, char* /*own*/, int /*peer_port*/, int /*own_port*/) noexcept {
  auto& exchange = *static_cast<Exchange*>(user);
  if (!std::exchange(exchange.sent, true)) return CURL_PREREQFUNC_OK;
  exchange.verdict = TransportError{Reason::reset, "", TransportError::Kind::stale};
  return CURL_PREREQFUNC_ABORT;
}

/// The proxy to go through; empty: none.
std::string proxy_of(const Url& url, const HttpRoute& route) {
  if (route.never_proxy) return {};
  if (!route.proxy_url.empty() || !route.proxy_from_environment) return route.proxy_url;
  auto found = environment_proxy(url, process_variable);
  return found ? std::move(found->url) : "";  // one that is none was refused before
}

void set_up_route(CURL* easy, const HttpRoute& route) {
  if (!route.ca_file.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, route.ca_file.c_str());
    curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, route.ca_file.c_str());
  }
  // Debian's libcurl looks at a bundle and at a directory of the same certificates; with the directory it
  // loads the bundle for each connection anew (7.88: only a store that came from a file alone is kept).
  curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, nullptr);
  curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, kCaCacheSeconds);
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
}

void configure_method(CURL* easy, const HttpRequest& request) {
  const char* name = nullptr;  // libcurl's own
  if (request.method == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  } else if (request.method == "GET" && request.body.empty()) {
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
  } else {
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.c_str());
    if (request.method != "POST") name = request.method.c_str();
  }
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, name);
}

/// Adds a line to the list; false when memory is short.
bool append_line(HeaderList& list, const std::string& line) {
  curl_slist* longer = curl_slist_append(list.get(), line.c_str());
  if (longer == nullptr) return false;
  (void)list.release();  // its first line is that of `longer`
  list.reset(longer);
  return true;
}

/// All headers with a value are one item of libcurl's list, which it sends as it is. As items of their own
/// they cost a twentieth of a poll.
bool configure_headers(Exchange& exchange) {
  HeaderList& list = exchange.header_list;
  // A line that ends in a colon leaves out what libcurl would add; one without a value ends in a semicolon.
  bool whole = append_line(list, "Accept:") && append_line(list, "Content-Type:");
  std::string lines;
  for (const auto& [name, value] : exchange.request.headers) {
    if (value.empty()) {
      whole = whole && append_line(list, name + ";");
    } else {
      lines.append(lines.empty() ? "" : "\r\n").append(name).append(": ").append(value);
    }
  }
  if (!lines.empty()) whole = whole && append_line(list, lines);
  return whole && curl_easy_setopt(exchange.easy.get(), CURLOPT_HTTPHEADER, list.get()) == CURLE_OK;
}

void set_up_callbacks(CURL* easy) {
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &guarded<take_header_line>);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &guarded<take_body>);
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, &on_handshake);
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, &on_sending);
}

void configure_callbacks(CURL* easy, Exchange& exchange) {
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &exchange);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &exchange);
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, &exchange);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, &exchange);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange.error_text.data());
}

void set_up_protocol(CURL* easy) {
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  // A resolver thread that hangs must not be waited for (since 7.87).
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, kReceiveBuffer);
  curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, kSendBuffer);
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(easy, CURLOPT_PROXY_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
  curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

}  // namespace

void set_up(CURL* easy, const HttpRoute& route) {
  set_up_protocol(easy);
  set_up_route(easy, route);
  set_up_callbacks(easy);
}

bool configure(Exchange& exchange, const Url& url, Millis left) {
  CURL* const easy = exchange.easy.get();
  const HttpRequest& request = exchange.request;
  const std::string proxy = request.route ? proxy_of(url, *request.route) : "";
  exchange.proxied = !proxy.empty();
  exchange.proxy_login = proxy.find('@') != proxy.npos;
  exchange.proxy_handshake = proxy.starts_with("https://");
  configure_method(easy, request);
  configure_callbacks(easy, exchange);
  // An empty name is "none". libcurl itself never looks at the environment, whose forms it reads in its own
  // way.
  curl_easy_setopt(easy, CURLOPT_PROXY, proxy.c_str());
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(left.count()));
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(left.count()));
  curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(request.max_body));
  return configure_headers(exchange) &&
         curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, url.https ? "https" : "http") == CURLE_OK &&
         curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str()) == CURLE_OK;
}

HttpResult conclude(Exchange& exchange, CURLcode code) {
  long status = 0;
  curl_easy_getinfo(exchange.easy.get(), CURLINFO_RESPONSE_CODE, &status);
  exchange.response.status = static_cast<int>(status);
  if (code == CURLE_OK && !exchange.head.complete) {
    refuse(exchange, Reason::reset, "the connection ended inside the answer's header");  // success to 7.88
  } else if (code == CURLE_OK && !exchange.head.length && !exchange.head.chunked &&
             !may_lack_body(exchange)) {
    refuse(exchange, Reason::protocol, "the answer is framed neither by a length nor by chunks");
  }
  constexpr long kProxyWantsLogin = 407;
  if (code == CURLE_OK && status == kProxyWantsLogin) exchange.verdict = proxy_refusal(exchange);
  if (code == CURLE_OK && !exchange.verdict) return std::move(exchange.response);
  return Err(error_of(exchange, code));
}

}  // namespace sharedrift
