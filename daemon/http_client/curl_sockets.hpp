#pragma once

#include "os/descriptor.hpp"
#include "ports.hpp"

#include <cstddef>
#include <vector>

#include <curl/curl.h>
#include <poll.h>

namespace sharedrift {

/// What a multi handle waits for: its sockets and its one timer, by CURLMOPT_SOCKETFUNCTION and
/// _TIMERFUNCTION. curl_multi_perform() would ask the kernel about every exchange under way each time one
/// answer came, and read all that have come before the first is looked at. Not thread-safe but for wake().
class CurlSockets {
 public:
  /// `multi` must be cleaned up before this goes.
  explicit CurlSockets(CURLM* multi);
  ~CurlSockets() = default;
  CurlSockets(const CurlSockets&) = delete;
  CurlSockets& operator=(const CurlSockets&) = delete;

  /// Returns when something happened at a socket, libcurl's timer ran out, wake() was called, or at `until`.
  void wait(MonoTime until);
  /// Lets libcurl act on one thing that the last wait() found. False: there is nothing left.
  bool act_once();
  /// Thread-safe. Ends the wait() under way, or the next one.
  void wake() noexcept;

 private:
  static int on_socket(CURL* easy, curl_socket_t socket, int what, void* self, void* of_socket);
  static int on_timer(CURLM* multi, long millis, void* self);
  void watch(curl_socket_t socket, int what);

  CURLM* multi_;
  Descriptor wake_;
  std::vector<pollfd> watched_;   ///< the first is wake_, then those watched for longest
  std::vector<pollfd> happened_;  ///< what the last wait() found
  std::size_t next_ = 0;          ///< of it
  MonoTime timer_ = MonoTime::max();
};

}  // namespace sharedrift
