#include "core/schedule.hpp"

#include <algorithm>

namespace sharedrift {

namespace {

constexpr int kJitterShare = 10;  // a tenth of the interval

/// The image's own first moment after `now`: the same in every life of this boot, different from its
/// neighbours'.
MonoTime next_own_moment(const ImageId& id, Millis interval, MonoTime now) {
  const auto length = static_cast<std::uint64_t>(interval.count());
  const auto phase = Millis{static_cast<Millis::rep>(stable_hash(id.str()) % length)};
  const auto since_phase = now.time_since_epoch() - phase;
  const auto periods = since_phase / interval + (since_phase < MonoTime::duration::zero() ? 0 : 1);
  return MonoTime{phase + periods * interval};
}

}  // namespace

Schedule::Schedule(const std::vector<Entry>& entries, Spread spread, MonoTime now) : spread_(spread) {
  reconfigure(entries, spread, now);
}

void Schedule::plan(const ImageId& id, Slot& slot, MonoTime due) {
  slot.due = due;
  slot.flying = false;
  queue_.emplace(due, id);
}

std::vector<ImageId> Schedule::take_due(MonoTime now, std::size_t limit) {
  std::vector<ImageId> due;
  while (due.size() < limit && !queue_.empty() && queue_.begin()->first <= now) {
    due.push_back(queue_.begin()->second);
    queue_.erase(queue_.begin());
    slots_.at(due.back()).flying = true;
  }
  return due;
}

std::uint64_t Schedule::finish(const ImageId& id, MonoTime now, double jitter) {
  const auto found = slots_.find(id);
  if (found == slots_.end() || !found->second.flying) return 0;
  Slot& slot = found->second;
  const auto since = now - slot.base;
  const auto passed =
      since < MonoTime::duration::zero() ? 0 : static_cast<std::uint64_t>(since / slot.interval);
  if (spread_ == Spread::even && !slot.settled) {
    slot.settled = true;
    slot.base = next_own_moment(id, slot.interval, now);
  } else {
    slot.base += slot.interval * static_cast<Millis::rep>(std::max<std::uint64_t>(passed, 1));
  }
  MonoTime due = slot.base;
  if (spread_ == Spread::even) {
    due +=
        Millis{static_cast<Millis::rep>(jitter * static_cast<double>(slot.interval.count()) / kJitterShare)};
  }
  plan(id, slot, due);
  return passed;
}

void Schedule::release_all() {
  for (auto& [id, slot] : slots_) {
    if (slot.flying) plan(id, slot, slot.due);
  }
}

void Schedule::reconfigure(const std::vector<Entry>& entries, Spread spread, MonoTime now) {
  spread_ = spread;
  std::unordered_map<ImageId, Slot> kept;
  kept.reserve(entries.size());
  queue_.clear();
  for (const Entry& entry : entries) {
    Slot slot;
    const auto old = slots_.find(entry.id);
    if (old == slots_.end()) {
      slot.base = slot.due = now;
    } else {
      slot = old->second;
      slot.base = std::min(slot.base, now + entry.interval);
      slot.due = std::min(slot.due, now + entry.interval);
    }
    slot.interval = entry.interval;
    const auto [place, fresh] = kept.emplace(entry.id, slot);
    if (fresh) plan(entry.id, place->second, slot.due);
  }
  slots_.swap(kept);
}

MonoTime Schedule::next_due() const {
  return queue_.empty() ? MonoTime::max() : queue_.begin()->first;
}

}  // namespace sharedrift
