#pragma once

#include "http_server/connection.hpp"

#include <cstdint>
#include <map>
#include <random>
#include <span>
#include <string>

namespace sharedrift {

/// All connections of a server, and whose turn it is to go where places or memory are short. Not thread-safe.
class ConnectionTable {
 public:
  using Map = std::map<std::uint64_t, Connection>;
  explicit ConnectionTable(std::size_t most) : most_(most) {}

  [[nodiscard]] std::size_t most() const { return most_; }
  /// To look at, and to erase nothing from.
  [[nodiscard]] Map& all() { return all_; }
  Map::iterator add(int fd, ssl_ctx_st* tls, const ServerOptions& options, const Peer& peer, MonoTime now);
  void drop(Map::iterator at);
  void drop_idle();
  void clear();

  /// Whether a newcomer gets a place: three quarters of them at most are one neighborhood's.
  [[nodiscard]] bool has_room(const Peer& newcomer) const;
  /// Who of `ids`, which are in the order of their age, must give his place to `newcomer` (none: to anybody):
  /// one of a neighborhood that has at least as many places, at random, since any order could be made use of.
  /// Who has done a handshake gives way after all who have not, who has waited for his answer for a while
  /// last. end(): nobody.
  Map::iterator find_victim(std::span<const std::uint64_t> ids, const Peer* newcomer, MonoTime now);
  /// Who takes longest over his answer, if answers that are not taken hold too much memory; else end().
  Map::iterator find_slowest_of_too_much();

 private:
  [[nodiscard]] std::size_t held_by(const Peer& peer) const;

  const std::size_t most_;
  Map all_;
  std::map<std::string, std::size_t> places_;  ///< how many each neighborhood has
  std::uint64_t next_id_ = 0;
  std::pair<MonoTime, std::size_t> nobody_;  ///< lost his place then to one who had so many
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace sharedrift
