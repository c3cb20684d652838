#include "io/curl_transport.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <list>
#include <mutex>
#include <stdexcept>
#include <utility>
#include <vector>

#include <curl/curl.h>

namespace sharedrift {

namespace {

constexpr std::size_t kMaxHeaderBytes = 64U << 10U;
constexpr long kLongestWaitMillis = 3'600'000;

void init_curl_once() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

/// `https://host:port/...` -> `host:port`: all of a URL that may be shown.
std::string_view authority(std::string_view url) {
  const std::size_t begin = url.find("://");
  if (begin == std::string_view::npos) return {};
  url.remove_prefix(begin + 3);
  return url.substr(0, url.find_first_of("/?#"));
}

bool may_be_plain(const HttpRequest& request) {
  if (request.route && request.route->plain_http_anywhere) return true;
  const std::string_view host = authority(request.url);
  return host.starts_with("127.") || host.starts_with("[::1]") || host == "localhost" ||
         host.starts_with("localhost:");
}

/// One exchange. Its address is given to libcurl, so it stays where it is.
struct Exchange {
  HttpRequest request;
  HttpDone done;
  HttpResponse response;
  std::optional<TransportError> abort;  ///< why a callback ended the transfer
  CURL* easy = nullptr;
  curl_slist* headers = nullptr;
  std::size_t header_bytes = 0;
  bool has_length = false;
  bool has_chunks = false;
  std::array<char, CURL_ERROR_SIZE> error_text{};
};

std::size_t abort_with(Exchange& exchange, Reason reason, std::string detail) {
  exchange.abort = TransportError{reason, std::move(detail)};
  return 0;  // not the number of bytes: libcurl ends the transfer
}

std::size_t on_header(char* data, std::size_t size, std::size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  const std::size_t bytes = size * count;
  exchange.header_bytes += bytes;
  if (exchange.header_bytes > kMaxHeaderBytes) {
    return abort_with(exchange, Reason::too_large, "the answer's header is larger than 64 KiB");
  }
  const std::string_view line = trim({data, bytes});
  if (line.starts_with("HTTP/")) {  // a new answer begins: what came before was a 1xx
    exchange.response.headers.clear();
    exchange.has_length = exchange.has_chunks = false;
    return bytes;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return bytes;
  HttpHeader header{lower(trim(line.substr(0, colon))), std::string{trim(line.substr(colon + 1))}};
  if (header.name == "content-length") exchange.has_length = true;
  if (header.name == "transfer-encoding" && lower(header.value) == "chunked") exchange.has_chunks = true;
  if (header.name == "content-encoding" && lower(header.value) != "identity") {
    return abort_with(exchange, Reason::protocol, "the answer is encoded although no coding was asked for");
  }
  exchange.response.headers.push_back(std::move(header));
  return bytes;
}

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  const std::size_t bytes = size * count;
  if (!exchange.has_length && !exchange.has_chunks) {
    // Its end would be wherever the connection breaks: a cut answer could not be told from a whole one.
    return abort_with(exchange, Reason::protocol, "the answer is framed neither by a length nor by chunks");
  }
  if (exchange.response.body.size() + bytes > exchange.request.max_body) {
    return abort_with(exchange, Reason::too_large,
                      "the answer is larger than " + std::to_string(exchange.request.max_body) + " bytes");
  }
  exchange.response.body.append(data, bytes);
  return bytes;
}

Reason reason_of(CURLcode code, CURL* easy) {
  long os_error = 0;
  curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_error);
  if (os_error == EMFILE || os_error == ENFILE || os_error == ENOMEM || os_error == ENOBUFS)
    return Reason::local;
  long connect_status = 0;
  curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &connect_status);
  if (connect_status != 0 && connect_status / 100 != 2) return Reason::proxy;
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST: return Reason::dns;
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_PROXY: return Reason::proxy;
    case CURLE_COULDNT_CONNECT:
    case CURLE_INTERFACE_FAILED: return Reason::connect;
    case CURLE_OPERATION_TIMEDOUT: return Reason::timeout;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_USE_SSL_FAILED: return Reason::tls;
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR: return Reason::reset;
    case CURLE_FILESIZE_EXCEEDED: return Reason::too_large;
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT: return Reason::local;
    default: return Reason::protocol;
  }
}

TransportError error_of(Exchange& exchange, CURLcode code) {
  if (exchange.abort) return std::move(*exchange.abort);
  std::string_view text = exchange.error_text.data();
  if (text.empty()) text = curl_easy_strerror(code);
  return {reason_of(code, exchange.easy),
          clean(std::string{authority(exchange.request.url)} + ": " + std::string{text})};
}

}  // namespace

class CurlTransport::Impl {
 public:
  Impl() : multi_((init_curl_once(), curl_multi_init())) {
    if (multi_ == nullptr) throw std::runtime_error("libcurl could not be initialised");
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    cancel_all();
    for (CURL* easy : idle_)
      curl_easy_cleanup(easy);
    curl_multi_cleanup(multi_);
  }

  void start(HttpRequest request, MonoTime deadline, HttpDone done);
  void run_once(MonoTime until);
  void wake() noexcept { curl_multi_wakeup(multi_); }
  void cancel_all();

 private:
  using Exchanges = std::list<Exchange>;
  void configure(Exchange& exchange, Millis left);
  static void configure_route(CURL* easy, const HttpRoute& route);
  static void configure_method(Exchange& exchange);
  static void add_headers(Exchange& exchange);
  std::size_t finish_done();
  void release(Exchange& exchange);

  CURLM* multi_;
  std::vector<CURL*> idle_;
  Exchanges flying_;
  Exchanges refused_;  ///< never left: their callbacks are due at the next run_once()
};

void CurlTransport::Impl::start(HttpRequest request, MonoTime deadline, HttpDone done) {
  const auto left = std::chrono::ceil<Millis>(deadline - std::chrono::steady_clock::now());
  Exchange& exchange = flying_.emplace_back();
  exchange.request = std::move(request);
  exchange.done = std::move(done);
  const bool plain = exchange.request.url.starts_with("http://");
  if (left <= Millis{0}) {
    exchange.abort = TransportError{Reason::timeout, "the deadline passed before the request could be sent"};
  } else if (plain && !may_be_plain(exchange.request)) {
    exchange.abort = TransportError{
        Reason::protocol, "plain http is for loopback only: " + clean(authority(exchange.request.url))};
  } else {
    if (idle_.empty()) {
      exchange.easy = curl_easy_init();
    } else {
      exchange.easy = idle_.back();
      idle_.pop_back();
    }
    if (exchange.easy == nullptr)
      exchange.abort = TransportError{Reason::local, "out of memory for a request"};
  }
  if (exchange.abort) {
    refused_.splice(refused_.end(), flying_, std::prev(flying_.end()));
    wake();
    return;
  }
  configure(exchange, left);
  curl_multi_add_handle(multi_, exchange.easy);
}

void CurlTransport::Impl::configure(Exchange& exchange, Millis left) {
  CURL* easy = exchange.easy;
  curl_easy_reset(easy);  // keeps connections and DNS, forgets the last request
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT,
                   1L);  // a resolver thread that hangs must not be waited for (since 7.87)
  curl_easy_setopt(easy, CURLOPT_URL, exchange.request.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR,
                   exchange.request.url.starts_with("http://") ? "http" : "https");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(left.count()));
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(left.count()));
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &exchange);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &exchange);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange.error_text.data());
  curl_easy_setopt(easy, CURLOPT_PRIVATE, &exchange);
  configure_route(easy, exchange.request.route ? *exchange.request.route : HttpRoute{});
  configure_method(exchange);
  add_headers(exchange);
}

void CurlTransport::Impl::configure_route(CURL* easy, const HttpRoute& route) {
  if (!route.ca_file.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, route.ca_file.c_str());
    curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  }
  if (route.never_proxy) {
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
  } else if (!route.proxy_url.empty()) {
    curl_easy_setopt(easy, CURLOPT_PROXY, route.proxy_url.c_str());
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
  } else if (!route.proxy_from_environment) {
    curl_easy_setopt(easy, CURLOPT_PROXY, "");  // an empty name is "none", whatever the environment says
  }
}

void CurlTransport::Impl::configure_method(Exchange& exchange) {
  CURL* easy = exchange.easy;
  const HttpRequest& request = exchange.request;
  if (request.method == "GET") {
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    return;
  }
  curl_easy_setopt(easy, CURLOPT_POST, 1L);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.c_str());
  if (request.method != "POST") curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

void CurlTransport::Impl::add_headers(Exchange& exchange) {
  bool has_type = false;
  bool has_accept = false;
  for (const HttpHeader& header : exchange.request.headers) {
    const std::string name = lower(header.name);
    has_type = has_type || name == "content-type";
    has_accept = has_accept || name == "accept";
    // libcurl takes `Name:` for "remove" and `Name;` for an empty value.
    const std::string line = header.value.empty() ? header.name + ";" : header.name + ": " + header.value;
    exchange.headers = curl_slist_append(exchange.headers, line.c_str());
  }
  exchange.headers = curl_slist_append(exchange.headers, "Expect:");
  if (!has_type) exchange.headers = curl_slist_append(exchange.headers, "Content-Type:");
  if (!has_accept) exchange.headers = curl_slist_append(exchange.headers, "Accept:");
  curl_easy_setopt(exchange.easy, CURLOPT_HTTPHEADER, exchange.headers);
}

void CurlTransport::Impl::release(Exchange& exchange) {
  curl_slist_free_all(exchange.headers);
  exchange.headers = nullptr;
  if (exchange.easy == nullptr) return;
  curl_multi_remove_handle(multi_, exchange.easy);
  idle_.push_back(exchange.easy);
  exchange.easy = nullptr;
}

/// Calls back for every exchange that is over; how many there were. A callback may start new ones.
std::size_t CurlTransport::Impl::finish_done() {
  std::size_t finished = 0;
  while (!refused_.empty()) {
    Exchanges one;
    one.splice(one.begin(), refused_, refused_.begin());
    one.front().done(Err(std::move(*one.front().abort)));
    ++finished;
  }
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    Exchange* found = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &found);
    Exchanges one;
    one.splice(one.begin(), flying_, std::find_if(flying_.begin(), flying_.end(), [found](const Exchange& e) {
                 return &e == found;
               }));
    Exchange& exchange = one.front();
    long status = 0;
    curl_easy_getinfo(exchange.easy, CURLINFO_RESPONSE_CODE, &status);
    exchange.response.status = static_cast<int>(status);
    HttpResult result = code == CURLE_OK ? HttpResult(std::move(exchange.response))
                                         : HttpResult(Err(error_of(exchange, code)));
    release(exchange);
    exchange.done(std::move(result));
    ++finished;
  }
  return finished;
}

void CurlTransport::Impl::run_once(MonoTime until) {
  int running = 0;
  curl_multi_perform(multi_, &running);
  if (finish_done() > 0) return;
  long wait = kLongestWaitMillis;
  if (until != MonoTime::max()) {
    const auto left = std::chrono::ceil<Millis>(until - std::chrono::steady_clock::now()).count();
    wait = std::clamp<long>(left, 0, kLongestWaitMillis);
  }
  curl_multi_poll(multi_, nullptr, 0, static_cast<int>(wait), nullptr);
  curl_multi_perform(multi_, &running);
  finish_done();
}

void CurlTransport::Impl::cancel_all() {
  for (Exchange& exchange : flying_)
    release(exchange);
  flying_.clear();
  refused_.clear();
}

CurlTransport::CurlTransport() : impl_(std::make_unique<Impl>()) {}
CurlTransport::~CurlTransport() = default;
void CurlTransport::start(HttpRequest request, MonoTime deadline, HttpDone done) {
  impl_->start(std::move(request), deadline, std::move(done));
}
void CurlTransport::run_once(MonoTime until) {
  impl_->run_once(until);
}
void CurlTransport::wake() noexcept {
  impl_->wake();
}
void CurlTransport::cancel_all() {
  impl_->cancel_all();
}

HttpResult perform(HttpTransport& transport, HttpRequest request, MonoTime deadline, std::stop_token stop) {
  std::optional<HttpResult> result;
  transport.start(std::move(request), deadline, [&result](HttpResult r) { result = std::move(r); });
  const std::stop_callback wake_up(stop, [&transport] { transport.wake(); });
  while (!result && !stop.stop_requested())
    transport.run_once(deadline);
  if (result) return std::move(*result);
  transport.cancel_all();
  return Err(TransportError{Reason::timeout, "stopped"});
}

}  // namespace sharedrift
