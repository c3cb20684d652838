#include "http_server/lane_queue.hpp"

#include <cmath>
#include <utility>

namespace sharedrift {

double LaneQueue::left(const Work& work, MonoTime now) {
  return work.seconds * std::exp2(-std::chrono::duration<double>(now - work.at).count() / 10);
}

double LaneQueue::worked_for(const std::string& client, MonoTime now) const {
  // A crowd of strangers has as many addresses that have done nothing yet as it wants.
  constexpr double kLikeNothing = 0.5;
  const auto found = work_.find(client);
  const double seconds = found == work_.end() ? 0 : left(found->second, now);
  return seconds > 0 && seconds < kLikeNothing ? 0 : seconds;
}

std::optional<LaneQueue::Waiting> LaneQueue::take(MonoTime now,
                                                  const std::function<Presence(std::uint64_t)>& presence) {
  if (free_ == 0) return std::nullopt;
  std::erase_if(queue_,
                [&presence](const Waiting& waiting) { return presence(waiting.id) == Presence::gone; });
  auto best = queue_.end();
  std::pair<Presence, double> least;
  for (auto at = queue_.begin(); at != queue_.end(); ++at) {
    if (taken_.contains(at->one_by_one)) continue;
    const std::pair rank(presence(at->id), worked_for(at->client, now));
    if (best != queue_.end() && (rank > least || (rank == least && !newest_first_))) continue;
    best = at;
    least = rank;
  }
  if (best == queue_.end()) return std::nullopt;
  Waiting next = std::move(*best);
  queue_.erase(best);
  --free_;
  if (!next.one_by_one.empty()) taken_.insert(next.one_by_one);
  return next;
}

void LaneQueue::done(const Waiting& taken, std::chrono::nanoseconds took, MonoTime now) {
  constexpr std::size_t kMost = 4096;
  ++free_;
  taken_.erase(taken.one_by_one);
  if (work_.size() >= kMost) {
    std::erase_if(work_, [now](const auto& entry) {
      const double seconds = left(entry.second, now);
      return seconds >= 0 && seconds < 0.01;
    });
  }
  Work& work = work_[taken.client];
  work = {left(work, now) + std::chrono::duration<double>(took).count(), now};
}

}  // namespace sharedrift
