#pragma once

#include "core/result.hpp"
#include "core/time.hpp"
#include "http_server/http_connections.hpp"
#include "http_server/worker_pool.hpp"
#include "os/descriptor.hpp"

#include <atomic>
#include <stop_token>
#include <string>
#include <thread>

namespace sharedrift {

/// Accepts connections on a thread of its own and hands them to the workers. It outlives a flood, a lack of
/// descriptors or memory, and a socket that breaks: who has least claim to a worker is cut to make room.
/// One thread may call start() and stop(); the rest is thread-safe.
class Listener {
 public:
  /// Both must outlive the object.
  Listener(WorkerPool& pool, HttpConnections& connections) : pool_(pool), connections_(connections) {}
  /// As stop().
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// Listens on `host` and `port` (0: any free one), or on `adopted_fd`, a listening socket of systemd's,
  /// where that is not -1. Once. The error names the address and the reason.
  Result<Unit, std::string> start(const std::string& host, int port, int adopted_fd);
  /// No connection is handed over any more, and the socket is closed. Idempotent.
  void stop();

  /// -1 before start().
  [[nodiscard]] int port() const { return port_; }
  /// False when it ended by itself, since the socket broke and none could be opened in its place.
  [[nodiscard]] bool healthy() const { return !ended_; }

 private:
  static constexpr Millis kMakeRoomEvery{100};
  static constexpr Millis kFirstDelay{50};
  static constexpr Millis kLongestDelay{1'000};
  static constexpr int kAttempts = 5;
  enum class Accepted { connection, nothing, exhausted, broken };

  void listen_until(const std::stop_token& stop);
  Accepted accept_one();
  bool open_again();
  void pause(Millis time) const;

  WorkerPool& pool_;
  HttpConnections& connections_;
  std::string host_;
  bool adopted_ = false;
  Descriptor wake_;
  Descriptor socket_;  ///< of the thread while it runs
  int port_ = -1;
  std::atomic<bool> ended_{false};
  std::jthread thread_;
};

}  // namespace sharedrift
