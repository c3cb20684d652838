#include "http_server/connection_table.hpp"

#include <algorithm>
#include <set>

namespace sharedrift {

namespace {

using Phase = Connection::Phase;

constexpr std::size_t kMostUnsent = 16U << 20U;  ///< besides two of the largest answer
/// Who asked for an answer does not lose his place before.
constexpr Millis kMinimumWait{1'000};
/// So many are looked at for the one who should rather go, all over the place, since those who wait stand
/// side by side. Of the others the first will do: a crowd may come as fast as it wants.
constexpr std::size_t kLooks = 64;

}  // namespace

ConnectionTable::Map::iterator ConnectionTable::add(int fd, ssl_ctx_st* tls, const ServerOptions& options,
                                                    const Peer& peer, MonoTime now) {
  ++places_[peer.neighbors];
  return all_.try_emplace(next_id_++, fd, tls, options, peer, now).first;
}

void ConnectionTable::drop(Map::iterator at) {
  const auto held = places_.find(at->second.peer().neighbors);
  if (--held->second == 0) places_.erase(held);
  all_.erase(at);
}

void ConnectionTable::drop_idle() {
  for (auto at = all_.begin(); at != all_.end();) {
    const auto next = std::next(at);
    if (at->second.phase() == Phase::idle) drop(at);
    at = next;
  }
}

void ConnectionTable::clear() {
  all_.clear();
  places_.clear();
}

std::size_t ConnectionTable::held_by(const Peer& peer) const {
  const auto found = places_.find(peer.neighbors);
  return found == places_.end() ? 0 : found->second;
}

bool ConnectionTable::has_room(const Peer& newcomer) const {
  return all_.size() < most_ && held_by(newcomer) < most_ - most_ / 4;
}

ConnectionTable::Map::iterator ConnectionTable::find_victim(std::span<const std::uint64_t> ids,
                                                            const Peer* newcomer, MonoTime now) {
  const std::size_t held = newcomer == nullptr ? 0 : held_by(*newcomer);
  if (ids.empty() || (nobody_.first == now && held >= nobody_.second)) return all_.end();
  auto asking = all_.end();
  auto stalled = all_.end();
  const std::size_t first = random_() % ids.size();
  for (std::size_t i = 0; i < ids.size() + kLooks; ++i) {
    if (i >= kLooks && (asking != all_.end() || stalled != all_.end())) break;
    const auto at = all_.find(ids[(i < kLooks ? random_() : first + i) % ids.size()]);
    if (at == all_.end() || held_by(at->second.peer()) < held) continue;
    const Channel& channel = at->second.channel();
    const bool may_go = at->second.may_lose_place(now);
    if (may_go && (!channel.has_tls() || channel.is_shaking_hands())) return at;
    if (may_go) stalled = at;
    const bool has_waited = at->second.phase() == Phase::complete && now - at->second.since() >= kMinimumWait;
    if (has_waited && asking == all_.end()) asking = at;
  }
  if (stalled != all_.end()) return stalled;
  if (asking == all_.end()) nobody_ = {now, held};
  return asking;
}

ConnectionTable::Map::iterator ConnectionTable::find_slowest_of_too_much() {
  std::set<const std::string*> seen;
  std::size_t held = 0;
  std::size_t largest = 0;
  auto slowest = all_.end();
  for (auto at = all_.begin(); at != all_.end(); ++at) {
    if (at->second.phase() != Phase::writing) continue;
    std::size_t size = 0;
    for (const auto& part : at->second.unsent()) {
      size += part->size();
      if (seen.insert(part.get()).second) held += part->size();  // many send the same page
    }
    largest = std::max(largest, size);
    if (slowest == all_.end() || at->second.since() < slowest->second.since()) slowest = at;
  }
  return held > kMostUnsent + 2 * largest ? slowest : all_.end();
}

}  // namespace sharedrift
