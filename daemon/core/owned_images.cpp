#include "core/owned_images.hpp"

#include <algorithm>

namespace sharedrift {

OwnedImages::News OwnedImages::take(const InventoryListing& seen, Instant now, const Rules& rules) {
  News news;
  last_walk_ = now.mono;
  std::size_t left_out = 0;
  for (const InventoryRow& row : seen.rows) {
    if (!row.ours) continue;
    auto place = images_.find(row.id);
    if (place == images_.end()) {
      if (images_.size() >= rules.most) {
        ++left_out;
        continue;
      }
      place = images_.try_emplace(row.id, OwnedImage{row.name, row.created, now.wall}).first;
      news.came.push_back(row.id);
    }
    OwnedImage& image = place->second;
    if (!row.name.empty() && row.name != image.name)
      news.renamed.emplace_back(row.id, std::exchange(image.name, row.name));
    if (row.created) image.created = row.created;
    image.listed = image.listed || seen.complete;
    image.missed = false;
    image.absences = 0;
  }
  left_out_ = seen.complete ? left_out : std::max(left_out_, left_out);
  if (!seen.complete) return news;
  news.left = miss(seen, rules);
  for (const ImageId& id : news.left)
    images_.erase(id);
  if (left_out_ > 0) return news;
  last_complete_ = now.wall;
  last_complete_mono_ = now.mono;
  return news;
}

/// The known images that a proven inventory lacks; those of them whose absence is proven now.
std::vector<ImageId> OwnedImages::miss(const InventoryListing& seen, const Rules& rules) {
  std::vector<std::pair<const ImageId, OwnedImage>*> missed;
  std::size_t began = 0;
  for (auto& entry : images_) {
    const InventoryRow* row = seen.find(entry.first);
    if (row != nullptr && row->ours) continue;
    missed.push_back(&entry);
    if (!entry.second.missed) ++began;
  }
  const bool held = images_.size() >= kGuardedFrom &&
                    began * 100 > images_.size() * static_cast<std::size_t>(rules.mass_change_percent);
  std::vector<ImageId> left;
  for (auto* entry : missed) {
    OwnedImage& image = entry->second;
    if (image.missed || !held) ++image.absences;
    image.missed = true;
    image.listed = false;
    if (image.absences >= rules.confirm_clears) left.push_back(entry->first);
  }
  return left;
}

bool OwnedImages::is_proven(MonoTime now, const Rules& rules) const {
  return last_complete_ && now <= last_complete_mono_ + kIntervalsOfProof * rules.interval;
}

bool OwnedImages::proves(const ImageId& id, MonoTime now, const Rules& rules) const {
  if (!is_proven(now, rules)) return false;
  const auto image = images_.find(id);
  return image != images_.end() && image->second.listed;
}

}  // namespace sharedrift
