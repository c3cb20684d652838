#pragma once

#include "core/time.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>

namespace sharedrift {

/// How often clients, and the networks that they are in, tried something in this half minute and the one
/// before.
class Tries {
 public:
  /// Of a client: the bytes of its address, as Peer::neighbors has them.
  void note(const std::string& client, MonoTime now);
  /// The client's own, and an eighth of its network's.
  [[nodiscard]] double of(const std::string& client) const;

 private:
  using Counts = std::map<std::string, std::uint32_t, std::less<>>;
  [[nodiscard]] std::uint32_t count(const std::string& name) const;
  MonoTime begun_{};  ///< the half minute of recent_
  Counts recent_;
  Counts before_;
};

/// The requests that wait for the workers of a lane. Not thread-safe.
class LaneQueue {
 public:
  struct Waiting {
    std::uint64_t id;
    std::string client;
    std::string one_by_one;  ///< of those that name the same, one is taken at a time
  };
  /// Who comes first.
  enum class Order {
    /// Whom the workers worked least for lately, half of which is forgotten every ten seconds; of those whom
    /// they worked for less than 200 ms, who was served longest ago. So each client has one share, and who is
    /// new goes before who keeps them busy. One time in four who came first of all below half a second, so
    /// that addresses which are always new keep nobody out who was there before.
    by_work,
    /// Clients that have proven something. Then, one time in three, who has tried least often, so that a
    /// flood of addresses that try again and again keeps no new one out; else the last that came, so that
    /// addresses which are always new keep nobody out who tries again.
    by_tries
  };
  LaneQueue(int workers, Order order) : free_(workers), order_(order) {}

  void push(Waiting waiting, MonoTime now);
  /// left: may wait for its answer, but has most likely gone, and comes after all who are here.
  enum class Presence { here, left, gone };
  using Look = std::function<Presence(std::uint64_t)>;
  /// The next for a worker, if one is free, until done(). Who is gone is forgotten.
  std::optional<Waiting> take(MonoTime now, const Look& presence);
  /// Of more than `most` who wait: of 32 of them, chosen at random, who tried most.
  std::optional<std::uint64_t> take_surplus(std::size_t most, const Look& presence);
  /// A worker is free again, after so much work for what it took. `proven`: the client is known to be a good
  /// one by that.
  void done(const Waiting& taken, std::chrono::nanoseconds took, bool proven, MonoTime now);

 private:
  struct Work {
    double seconds = 0;
    MonoTime at{};  ///< of the last
  };
  static double left(const Work& work, MonoTime now);
  [[nodiscard]] double worked_for(const std::string& client, MonoTime now) const;
  [[nodiscard]] bool newest_next() const { return turn_ % 3 != 0; }  ///< by_tries
  [[nodiscard]] bool oldest_next() const { return turn_ % 4 == 0; }  ///< by_work
  [[nodiscard]] double rank(const std::string& client, MonoTime now) const;

  int free_;
  const Order order_;
  std::minstd_rand random_;    ///< so that nobody can keep in step
  unsigned turn_ = 0;          ///< a number of random_'s: which of an order's rules comes next
  std::deque<Waiting> queue_;  ///< in the order in which they came
  std::map<std::string, Work> work_;
  Tries tries_;
  std::set<std::string> proven_;
  std::set<std::string> taken_;  ///< what is done one by one, and a worker is at
};

}  // namespace sharedrift
