#include "core/unwatched_images.hpp"

namespace sharedrift {

namespace {

std::size_t rows_of(const ImageRecord& record) {
  return 1 + record.sightings.size() + record.absences.size() + record.drifts.size();
}

std::tuple<std::ptrdiff_t, WallTime, ImageId> size_of(const ImageRecord& record) {
  return {-static_cast<std::ptrdiff_t>(rows_of(record)), *record.unwatched_since, record.id};
}

}  // namespace

void UnwatchedImages::keep(ImageRecord record) {
  take(record.id);
  rows_ += rows_of(record);
  by_age_.emplace(*record.unwatched_since, record.id);
  by_size_.insert(size_of(record));
  const ImageId id = record.id;
  records_.emplace(id, std::move(record));
}

std::optional<ImageRecord> UnwatchedImages::take(const ImageId& image) {
  auto node = records_.extract(image);
  if (node.empty()) return std::nullopt;
  rows_ -= rows_of(node.mapped());
  by_size_.erase(size_of(node.mapped()));
  by_age_.erase({*node.mapped().unwatched_since, image});
  return std::move(node.mapped());
}

std::vector<ImageId> UnwatchedImages::forget(WallTime before) {
  std::vector<ImageId> forgotten;
  const auto forget_one = [this, &forgotten](const ImageId& image) {
    forgotten.push_back(image);
    take(forgotten.back());
  };
  while (!by_age_.empty() && by_age_.begin()->first < before)
    forget_one(by_age_.begin()->second);
  while (rows_ > most_rows_)
    forget_one(std::get<ImageId>(*by_size_.begin()));
  return forgotten;
}

}  // namespace sharedrift
