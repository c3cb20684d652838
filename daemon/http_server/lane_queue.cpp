#include "http_server/lane_queue.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

namespace sharedrift {

namespace {

/// A /24 of IPv4, a /48 of IPv6.
std::string network_of(const std::string& client) {
  return client.substr(0, client.size() == 4 ? 3 : 6);
}

}  // namespace

void Tries::note(const std::string& client, MonoTime now) {
  constexpr Millis kPeriod{30'000};
  constexpr std::size_t kMost = 100'000;  // of a larger crowd the rest counts as new
  if (now - begun_ >= kPeriod) {
    before_ = now - begun_ < 2 * kPeriod ? std::move(recent_) : Counts{};
    recent_.clear();
    begun_ = now;
  }
  if (recent_.size() >= kMost) return;
  ++recent_[client];
  ++recent_[network_of(client)];
}

std::uint32_t Tries::count(const std::string& name) const {
  const auto recent = recent_.find(name);
  const auto before = before_.find(name);
  return (recent == recent_.end() ? 0 : recent->second) + (before == before_.end() ? 0 : before->second);
}

double Tries::of(const std::string& client) const {
  return count(client) + count(network_of(client)) / 8.0;
}

double LaneQueue::left(const Work& work, MonoTime now) {
  return work.seconds * std::exp2(-std::chrono::duration<double>(now - work.at).count() / 10);
}

double LaneQueue::worked_for(const std::string& client, MonoTime now) const {
  constexpr double kLittle = 0.2;
  constexpr double kLikeNothing = 0.5;
  const auto found = work_.find(client);
  const Work work = found == work_.end() ? Work{} : found->second;
  const double seconds = left(work, now);
  if (oldest_next()) return seconds < kLikeNothing ? 0 : seconds;
  return seconds < kLittle ? -std::chrono::duration<double>(now - work.at).count() : seconds;
}

double LaneQueue::rank(const std::string& client, MonoTime now) const {
  if (order_ == Order::by_work) return worked_for(client, now);
  if (proven_.contains(client)) return -1;
  return newest_next() ? 0 : tries_.of(client);
}

void LaneQueue::push(Waiting waiting, MonoTime now) {
  if (order_ == Order::by_tries) tries_.note(waiting.client, now);
  queue_.push_back(std::move(waiting));
}

std::optional<LaneQueue::Waiting> LaneQueue::take(MonoTime now, const Look& presence) {
  if (free_ == 0) return std::nullopt;
  std::erase_if(queue_,
                [&presence](const Waiting& waiting) { return presence(waiting.id) == Presence::gone; });
  auto best = queue_.end();
  std::pair<Presence, double> least;
  for (auto at = queue_.begin(); at != queue_.end(); ++at) {
    if (taken_.contains(at->one_by_one)) continue;
    const std::pair own(presence(at->id), rank(at->client, now));
    if (best != queue_.end() && (own > least || (own == least && order_ == Order::by_work))) continue;
    best = at;
    least = own;
  }
  if (best == queue_.end()) return std::nullopt;
  Waiting next = std::move(*best);
  queue_.erase(best);
  --free_;
  turn_ = static_cast<unsigned>(random_());
  if (!next.one_by_one.empty()) taken_.insert(next.one_by_one);
  return next;
}

std::optional<std::uint64_t> LaneQueue::take_surplus(std::size_t most, const Look& presence) {
  if (queue_.size() <= most) return std::nullopt;
  constexpr std::size_t kLooks = 32;  // at random: no try may cause a walk over a whole crowd
  const std::size_t looks = std::min(queue_.size(), kLooks);
  auto worst = queue_.begin();
  std::pair<Presence, double> highest(Presence::here, -2);
  for (std::size_t i = 0; i < looks; ++i) {
    const auto at =
        queue_.begin() + static_cast<std::ptrdiff_t>(looks < kLooks ? i : random_() % queue_.size());
    const std::pair own(presence(at->id), proven_.contains(at->client) ? -1 : tries_.of(at->client));
    if (own <= highest) continue;
    worst = at;
    highest = own;
  }
  const std::uint64_t id = worst->id;
  queue_.erase(worst);
  return id;
}

void LaneQueue::done(const Waiting& taken, std::chrono::nanoseconds took, bool proven, MonoTime now) {
  constexpr std::size_t kMost = 4096;
  ++free_;
  taken_.erase(taken.one_by_one);
  if (order_ == Order::by_tries) {
    if (!proven) proven_.erase(taken.client);
    if (proven && proven_.size() < kMost) proven_.insert(taken.client);
    return;
  }
  if (work_.size() >= kMost)
    std::erase_if(work_, [now](const auto& entry) { return left(entry.second, now) < 0.01; });
  Work& work = work_[taken.client];
  work = {left(work, now) + std::chrono::duration<double>(took).count(), now};
}

}  // namespace sharedrift
