#include "http_client/curl_transport.hpp"

#include "http_client/curl_exchange.hpp"
#include "http_client/curl_sockets.hpp"
#include "wire/request_url.hpp"

#include <algorithm>
#include <iterator>
#include <mutex>
#include <stdexcept>
#include <utility>
#include <vector>

#include <curl/curl.h>

namespace sharedrift {

namespace {

/// Idle connections kept. libcurl's own bound is four for each exchange under way, so the end of a burst
/// would close most of what the next one needs.
constexpr long kMaxIdleConnections = 128;

void init_curl_once() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

CURLM* init_multi() {
  init_curl_once();
  CURLM* multi = curl_multi_init();
  if (multi == nullptr) throw std::runtime_error("libcurl could not be initialised");
  return multi;
}

}  // namespace

class CurlTransport::Impl {
 public:
  Impl() : multi_(init_multi()), sockets_(multi_) {
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kMaxIdleConnections);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    cancel_all();
    for (const EasyHandle& handle : idle_)
      curl_easy_cleanup(handle.easy);
    curl_multi_cleanup(multi_);
  }

  void start(HttpRequest request, MonoTime deadline, HttpDone done);
  void run_once(MonoTime until);
  void wake() noexcept { sockets_.wake(); }
  void cancel_all();

 private:
  using Exchanges = std::list<Exchange>;
  bool launch(Exchange& exchange, Millis left);
  bool act();
  bool finish_answered();
  bool finish_refused();
  void release(Exchange& exchange, bool sound);

  CURLM* multi_;
  CurlSockets sockets_;
  std::vector<EasyHandle> idle_;  ///< the one used last at the end
  Exchanges flying_;
  Exchanges refused_;  ///< never left: their callbacks are due at the next run_once()
};

void CurlTransport::Impl::start(HttpRequest request, MonoTime deadline, HttpDone done) {
  Exchange& exchange = flying_.emplace_back();
  exchange.self = std::prev(flying_.end());
  exchange.request = std::move(request);
  exchange.done = std::move(done);
  const MonoTime now = std::chrono::steady_clock::now();
  const auto left = deadline <= now ? Millis{0} : std::chrono::ceil<Millis>(deadline - now);
  if (left <= Millis{0}) {
    exchange.verdict =
        TransportError{Reason::timeout, "the deadline passed before the request could be sent"};
  } else {
    exchange.verdict = refuse_request(exchange.request);
  }
  if (!exchange.verdict && launch(exchange, left)) return;
  if (!exchange.verdict) exchange.verdict = TransportError{Reason::local, "out of memory for a request"};
  release(exchange, false);
  refused_.splice(refused_.end(), flying_, exchange.self);
  wake();
}

bool CurlTransport::Impl::launch(Exchange& exchange, Millis left) {
  const auto fit = std::find_if(idle_.rbegin(), idle_.rend(), [&exchange](const EasyHandle& handle) {
    return handle.serves(exchange.request);
  });
  if (idle_.empty()) {
    exchange.handle.easy = curl_easy_init();
  } else {
    std::swap(fit == idle_.rend() ? idle_.back() : *fit, idle_.back());
    exchange.handle = std::move(idle_.back());
    idle_.pop_back();
  }
  if (exchange.handle.easy == nullptr || !configure(exchange, left) ||
      curl_multi_add_handle(multi_, exchange.handle.easy) != CURLM_OK) {
    return false;
  }
  // Sends it now: by itself libcurl would begin when its timer is looked at, after all answers that have come
  // meanwhile.
  int running = 0;
  curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
  return true;
}

/// `sound`: the exchange ended as it should, so its handle is as good as before. Others begin anew.
void CurlTransport::Impl::release(Exchange& exchange, bool sound) {
  if (exchange.handle.easy == nullptr) return;
  curl_multi_remove_handle(multi_, exchange.handle.easy);
  if (sound) {
    forget_exchange(exchange.handle);
  } else {
    reset(exchange.handle);
  }
  idle_.push_back(std::exchange(exchange.handle, {}));
}

/// Calls back for the oldest of the exchanges that never left; false when there is none.
bool CurlTransport::Impl::finish_refused() {
  if (refused_.empty()) return false;
  Exchanges one;
  one.splice(one.begin(), refused_, refused_.begin());
  one.front().done(Err(std::move(*one.front().verdict)));
  return true;
}

/// Calls back for one exchange that libcurl has ended; false when there is none. A callback may start and
/// cancel others.
bool CurlTransport::Impl::finish_answered() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    Exchange* found = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &found);
    Exchanges one;
    one.splice(one.begin(), flying_, found->self);
    HttpResult result = conclude(*found, code);
    release(*found, static_cast<bool>(result));
    found->done(std::move(result));
    return true;
  }
  return false;
}

/// One answer a turn: the caller sends what follows from it before the next one, which may have come at the
/// same moment, is looked at. Else answers that come together stay together, and each waits for all.
void CurlTransport::Impl::run_once(MonoTime until) {
  if (finish_answered() || act() || finish_refused()) return;
  sockets_.wait(until);
  act();
}

/// Lets libcurl go on until it has ended an exchange; false when it has nothing left to do.
bool CurlTransport::Impl::act() {
  while (sockets_.act_once()) {
    if (finish_answered()) return true;
  }
  return false;
}

void CurlTransport::Impl::cancel_all() {
  for (Exchange& exchange : flying_)
    release(exchange, false);
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

}  // namespace sharedrift
