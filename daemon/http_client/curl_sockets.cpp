#include "http_client/curl_sockets.hpp"

#include <algorithm>
#include <iterator>

#include <sys/eventfd.h>

namespace sharedrift {

namespace {

constexpr Millis kLongestWait{3'600'000};
/// Of one whom nobody can wake, since no descriptor was left for that.
constexpr Millis kLongestBlindWait{100};

/// As libcurl reads poll() itself: what went wrong shows when it is read or written.
int libcurl_bits(const pollfd& found) {
  constexpr short kWrong = POLLERR | POLLHUP | POLLNVAL;
  int bits = 0;
  if ((found.revents & (POLLIN | kWrong)) != 0) bits |= CURL_CSELECT_IN;
  if ((found.revents & (POLLOUT | kWrong)) != 0) bits |= CURL_CSELECT_OUT;
  return bits;
}

}  // namespace

CurlSockets::CurlSockets(CURLM* multi) : multi_(multi), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  watched_.push_back({wake_.get(), POLLIN, 0});
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &CurlSockets::on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &CurlSockets::on_timer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
}

int CurlSockets::on_socket(CURL* /*easy*/, curl_socket_t socket, int what, void* self, void* /*of_socket*/) {
  static_cast<CurlSockets*>(self)->watch(socket, what);
  return 0;
}

int CurlSockets::on_timer(CURLM* /*multi*/, long millis, void* self) {
  static_cast<CurlSockets*>(self)->timer_ =
      millis < 0 ? MonoTime::max() : std::chrono::steady_clock::now() + Millis{millis};
  return 0;
}

void CurlSockets::watch(curl_socket_t socket, int what) {
  const auto at = std::find_if(watched_.begin() + 1, watched_.end(),
                               [socket](const pollfd& one) { return one.fd == socket; });
  if (what == CURL_POLL_REMOVE) {
    if (at != watched_.end()) watched_.erase(at);
    return;
  }
  const int events = ((what & CURL_POLL_IN) != 0 ? POLLIN : 0) | ((what & CURL_POLL_OUT) != 0 ? POLLOUT : 0);
  pollfd& entry = at != watched_.end() ? *at : watched_.emplace_back(pollfd{socket, 0, 0});
  entry.events = static_cast<short>(events);
}

void CurlSockets::wait(MonoTime until) {
  const MonoTime now = std::chrono::steady_clock::now();
  const Millis longest = wake_.get() >= 0 ? kLongestWait : kLongestBlindWait;
  const MonoTime end = std::clamp(std::min(until, timer_), now, now + longest);
  const auto left = std::chrono::ceil<Millis>(end - now);
  happened_.clear();
  next_ = 0;
  if (::poll(watched_.data(), watched_.size(), static_cast<int>(left.count())) <= 0) return;
  if (watched_.front().revents != 0) {
    eventfd_t woken = 0;
    ::eventfd_read(wake_.get(), &woken);
  }
  std::copy_if(watched_.begin() + 1, watched_.end(), std::back_inserter(happened_),
               [](const pollfd& one) { return one.revents != 0; });
}

bool CurlSockets::act_once() {
  int running = 0;
  if (next_ < happened_.size()) {
    const pollfd found = happened_[next_++];
    curl_multi_socket_action(multi_, found.fd, libcurl_bits(found), &running);
    return true;
  }
  if (timer_ > std::chrono::steady_clock::now()) return false;
  timer_ = MonoTime::max();
  curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
  return true;
}

void CurlSockets::wake() noexcept {
  ::eventfd_write(wake_.get(), 1);
}

}  // namespace sharedrift
