#pragma once

#include "core/time.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace sharedrift {

/// The requests that wait for the workers of a lane. First comes whom they worked least for lately, half of
/// which is forgotten every ten seconds; less than half a second is as nothing. So each client has one share,
/// and who is new goes before who keeps the workers busy. Not thread-safe.
class LaneQueue {
 public:
  struct Waiting {
    std::uint64_t id;
    std::string client;
    std::string one_by_one;  ///< of those that name the same, one is taken at a time
  };
  /// `newest_first`: of clients alike, the last that came goes first, so that a crowd keeps nobody out.
  LaneQueue(int workers, bool newest_first) : free_(workers), newest_first_(newest_first) {}

  void push(Waiting waiting) { queue_.push_back(std::move(waiting)); }
  /// left: may wait for its answer, but has most likely gone, and comes after all who are here.
  enum class Presence { here, left, gone };
  /// The next for a worker, if one is free, until done(). Who is gone is forgotten.
  std::optional<Waiting> take(MonoTime now, const std::function<Presence(std::uint64_t)>& presence);
  /// A worker is free again, after so much work for what it took. Negative: the client is known to be a good
  /// one by that, and goes before strangers from now on.
  void done(const Waiting& taken, std::chrono::nanoseconds took, MonoTime now);

 private:
  struct Work {
    double seconds = 0;
    MonoTime at{};
  };
  static double left(const Work& work, MonoTime now);
  [[nodiscard]] double worked_for(const std::string& client, MonoTime now) const;

  int free_;
  const bool newest_first_;
  std::deque<Waiting> queue_;  ///< in the order in which they came
  std::map<std::string, Work> work_;
  std::set<std::string> taken_;  ///< what is done one by one, and a worker is at
};

}  // namespace sharedrift
