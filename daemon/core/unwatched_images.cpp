#include "core/unwatched_images.hpp"

namespace sharedrift {

namespace {

std::size_t rows_of(const ImageRecord& record) {
  return 1 + record.sightings.size() + record.absences.size() + record.drifts.size();
}

}  // namespace

void UnwatchedImages::keep(ImageRecord record) {
  take(record.id);
  rows_ += rows_of(record);
  by_age_.emplace(*record.unwatched_since, record.id);
  const ImageId id = record.id;
  records_.emplace(id, std::move(record));
}

std::optional<ImageRecord> UnwatchedImages::take(const ImageId& image) {
  auto node = records_.extract(image);
  if (node.empty()) return std::nullopt;
  rows_ -= rows_of(node.mapped());
  by_age_.erase({*node.mapped().unwatched_since, image});
  return std::move(node.mapped());
}

std::vector<ImageId> UnwatchedImages::forget(WallTime before) {
  std::vector<ImageId> forgotten;
  while (!by_age_.empty() && (by_age_.begin()->first < before || rows_ > most_rows_)) {
    forgotten.push_back(by_age_.begin()->second);
    take(forgotten.back());
  }
  return forgotten;
}

}  // namespace sharedrift
