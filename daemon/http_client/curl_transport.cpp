#include "http_client/curl_transport.hpp"

#include "http_client/request_rules.hpp"
#include "os/system_clock.hpp"

#include <algorithm>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <utility>

namespace sharedrift {

namespace {

/// Idle connections kept. libcurl's own bound is four for each exchange under way, so the end of a burst
/// would close most of what the next one needs.
constexpr long kMaxIdleConnections = 128;
constexpr Millis kLongestWait{3'600'000};

CURLM* init_multi() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  CURLM* multi = curl_multi_init();
  if (multi == nullptr) throw std::runtime_error("libcurl could not be initialised");
  return multi;
}

}  // namespace

CurlTransport::CurlTransport() : multi_(init_multi()) {
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kMaxIdleConnections);
}
CurlTransport::~CurlTransport() {
  CurlTransport::cancel_all();
  idle_.clear();
  curl_multi_cleanup(multi_);
}

void CurlTransport::start(HttpRequest request, MonoTime deadline, HttpDone done) {
  auto exchange = std::make_unique<Exchange>();
  exchange->request = std::move(request);
  exchange->done = std::move(done);
  exchange->verdict = launch(*exchange, deadline);
  if (exchange->verdict) {
    refused_.push_back(std::move(exchange));
  } else {
    CURL* const easy = exchange->easy.get();
    flying_.emplace(easy, std::move(exchange));
  }
}

/// Hands the exchange to libcurl; or says why not.
std::optional<TransportError> CurlTransport::launch(Exchange& exchange, MonoTime deadline) {
  const MonoTime now = boot_now();
  if (deadline <= now)
    return TransportError{Reason::timeout, "the deadline passed before the request could be sent"};
  auto url = admit_request(exchange.request);
  if (!url) return std::move(url.error());
  exchange.easy = take_handle(exchange.request.route);
  const bool launched = exchange.easy &&
                        configure(exchange, *url, std::chrono::ceil<Millis>(deadline - now)) &&
                        curl_multi_add_handle(multi_, exchange.easy.get()) == CURLM_OK;
  if (!launched) return TransportError{Reason::local, "out of memory for a request"};
  return std::nullopt;
}

/// Null when memory is short. A handle that is set up for the route already goes before any other.
EasyHandle CurlTransport::take_handle(const std::shared_ptr<const HttpRoute>& route) {
  const auto fits =
      std::find_if(idle_.rbegin(), idle_.rend(), [&route](const Idle& idle) { return idle.route == route; });
  EasyHandle easy;
  if (fits != idle_.rend()) {
    easy = std::move(fits->easy);
    idle_.erase(std::next(fits).base());
    return easy;
  }
  if (!idle_.empty()) {
    easy = std::move(idle_.back().easy);
    idle_.pop_back();
    curl_easy_reset(easy.get());
  } else {
    easy.reset(curl_easy_init());
  }
  static const HttpRoute direct;
  if (easy) set_up(easy.get(), route ? *route : direct);
  return easy;
}

void CurlTransport::release(Exchange& exchange) {
  curl_multi_remove_handle(multi_, exchange.easy.get());  // connections are its, and stay
  idle_.push_back({std::move(exchange.easy), exchange.request.route});
}

/// Calls back for the oldest of the exchanges that were never sent; false when there is none.
bool CurlTransport::finish_refused() {
  if (refused_.empty()) return false;
  const ExchangePtr exchange = std::move(refused_.front());
  refused_.erase(refused_.begin());
  exchange->done(Err(std::move(*exchange->verdict)));
  return true;
}

/// Calls back for one exchange that libcurl has ended; false when there is none. A callback may start and
/// cancel others.
bool CurlTransport::finish_answered() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    const ExchangePtr exchange = std::move(flying_.extract(message->easy_handle).mapped());
    HttpResult result = conclude(*exchange, code);
    release(*exchange);
    exchange->done(std::move(result));
    return true;
  }
  return false;
}

/// Calls back for one exchange. libcurl goes on only when all that ended have been called back for: each turn
/// of it looks at every exchange under way, which is what a poll would cost most in.
void CurlTransport::run_once(MonoTime until) {
  if (finish_refused() || finish_answered()) return;
  const MonoTime now = boot_now();
  const auto wait = std::chrono::ceil<Millis>(std::clamp(until, now, now + kLongestWait) - now);
  curl_multi_poll(multi_, nullptr, 0, static_cast<int>(wait.count()), nullptr);
  int running = 0;
  curl_multi_perform(multi_, &running);
  finish_answered();
}

void CurlTransport::cancel_all() {
  for (const auto& [easy, exchange] : flying_)
    release(*exchange);
  flying_.clear();
  refused_.clear();
}

HttpResult perform(HttpTransport& transport, HttpRequest request, MonoTime deadline,
                   const std::stop_token& stop) {
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
