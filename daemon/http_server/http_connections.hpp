#pragma once

#include "core/time.hpp"

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <tuple>

namespace sharedrift {

/// The connections that workers serve, and ways to cut them: when others wait, and at the end. Thread-safe.
class HttpConnections {
 public:
  /// False: the server has stopped, nobody is served any more.
  [[nodiscard]] bool enter(int fd, std::string address);
  /// The head was read; what follows is the answer.
  void answering(int fd);
  /// Between two requests. False: the server is stopping, so there will be no other.
  [[nodiscard]] bool idle(int fd);
  /// Another request begins.
  void reading(int fd);
  /// Of what was not entered, nothing. Must come before the close: a number that is closed may be somebody
  /// else's a moment later.
  void leave(int fd);

  /// Somebody waits and every worker is taken: cuts the connection that has least claim to its worker. That
  /// is an idle one, or one still sending its head (an honest head takes no time), or one that takes its
  /// answer slowly; of these, of the address with the most connections, the oldest.
  void evict_one();

  /// Cuts the idle at once and the others when `grace` is over. No connection is idle after that.
  void drain(Millis grace);

 private:
  static constexpr Millis kSlowAnswer{3'000};
  enum class Phase { idle, reading, answering };  // least claim first
  struct Entry {
    std::string address;
    MonoTime since;  ///< of the phase
    Phase phase = Phase::reading;
    bool cut = false;
  };
  [[nodiscard]] std::tuple<Phase, int, MonoTime> claim(const Entry& entry) const;
  void enter_phase(int fd, Phase phase);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<int, Entry> open_;  ///< guarded by mutex_, as what follows
  std::map<std::string, int> by_address_;
  bool draining_ = false;
  bool closed_ = false;  ///< the grace is over
};

}  // namespace sharedrift
