#include "core/schedule.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_set>

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

void Schedule::plan(Place& place, MonoTime due) {
  place.second.due = due;
  place.second.flying = false;
  queue_.insert(queue_.end(), &place);  // where nearly all belong: found at once
}

std::vector<std::reference_wrapper<const ImageId>> Schedule::take_due(MonoTime now) {
  std::vector<std::reference_wrapper<const ImageId>> due;
  while (!queue_.empty() && next_due() <= now) {
    Place& place = **queue_.begin();
    queue_.erase(queue_.begin());
    place.second.flying = true;
    due.emplace_back(place.first);
  }
  return due;
}

std::uint64_t Schedule::finish(const ImageId& id, MonoTime now, double jitter) {
  const auto found = slots_.find(id);
  if (found == slots_.end() || !found->second.flying) return 0;
  Slot& slot = found->second;
  if (slot.hurried && now < slot.base) {
    plan(*found, slot.base);
    return 0;
  }
  slot.hurried = false;
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
  plan(*found, due);
  return passed;
}

bool Schedule::hurry(const ImageId& id, MonoTime now) {
  const auto found = slots_.find(id);
  if (found == slots_.end()) return false;
  Slot& slot = found->second;
  if (slot.flying || slot.hurried || slot.due <= now) return true;
  const auto [first, last] = queue_.equal_range(&*found);
  queue_.erase(std::find(first, last, &*found));
  slot.due = now;
  slot.hurried = true;
  queue_.insert(&*found);
  return true;
}

void Schedule::release_all() {
  for (Place& place : slots_) {
    if (place.second.flying) plan(place, place.second.due);
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
    if (fresh) plan(*place, slot.due);
  }
  slots_.swap(kept);
}

void Schedule::watch(const std::vector<Entry>& entries, MonoTime now) {
  std::unordered_set<std::string_view> wanted;
  for (const Entry& entry : entries) {
    wanted.insert(entry.id.str());
    const auto [place, fresh] = slots_.try_emplace(entry.id, Slot{entry.interval, now, now});
    place->second.interval = entry.interval;
    if (fresh) plan(*place, now);
  }
  std::erase_if(queue_, [&wanted](const Place* place) { return !wanted.contains(place->first.str()); });
  std::erase_if(slots_, [&wanted](const Place& place) { return !wanted.contains(place.first.str()); });
}

MonoTime Schedule::next_due() const {
  return queue_.empty() ? MonoTime::max() : (*queue_.begin())->second.due;
}

}  // namespace sharedrift
