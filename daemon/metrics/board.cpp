#include "metrics/board.hpp"

#include <algorithm>
#include <utility>

namespace sharedrift {

void Board::publish(ViewPtr view) {
  const std::lock_guard lock(mutex_);
  const auto place = places_.find(view->policy->id);
  if (place == places_.end()) {
    views_.push_back(std::move(view));
    places_.insert(views_.size() - 1);
    grow(views_.size() - 1, ImageMetrics{}.set());
    return;
  }
  ViewPtr& present = views_[*place];
  grow(*place, differing(*present, *view));
  present.swap(view);  // the old view dies after the lock
}

void Board::remove(const ImageId& image) {
  const std::lock_guard lock(mutex_);
  const auto place = places_.find(image);
  if (place == places_.end()) return;
  const std::size_t gap = *place;
  places_.erase(place);
  views_[gap].reset();
  grow(gap, ImageMetrics{}.set());
  if (places_.size() * 2 < views_.size()) close_gaps();
}

void Board::set_account_names(AccountNames names) {
  auto book = std::make_shared<const AccountNames>(std::move(names));
  const std::lock_guard lock(mutex_);
  names_.swap(book);
  ++moment_;
  for (ImageVersions& versions : versions_)
    versions.at(static_cast<std::size_t>(Metric::account_since)) = moment_;
}

Fleet Board::fleet() const {
  Fleet fleet;
  const std::lock_guard lock(mutex_);
  fleet.views.reserve(places_.size());
  std::copy_if(views_.begin(), views_.end(), std::back_inserter(fleet.views),
               [](const ViewPtr& view) { return view != nullptr; });
  fleet.account_names = names_;
  return fleet;
}

ViewPtr Board::find(const ImageId& image) const {
  const std::lock_guard lock(mutex_);
  const auto place = places_.find(image);
  return place == places_.end() ? nullptr : views_[*place];
}

std::uint64_t Board::moment() const {
  const std::lock_guard lock(mutex_);
  return moment_;
}

BlockReading Board::read_blocks(const Wanted& wanted) const {
  BlockReading reading;
  const std::lock_guard lock(mutex_);
  reading.moment = moment_;
  reading.account_names = names_;
  for (const ImageVersions& versions : versions_)
    reading.blocks.push_back({versions, {}});
  const std::vector<bool> chosen = wanted(reading.blocks);
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    if (!chosen[i]) continue;
    const auto begin = views_.begin() + static_cast<std::ptrdiff_t>(i * images_in_a_block_);
    const auto end = begin + std::min(static_cast<std::ptrdiff_t>(images_in_a_block_), views_.end() - begin);
    reading.blocks[i].views.reserve(images_in_a_block_);
    std::copy_if(begin, end, std::back_inserter(reading.blocks[i].views),
                 [](const ViewPtr& view) { return view != nullptr; });
  }
  return reading;
}

void Board::grow(std::size_t place, const ImageMetrics& changed) {
  if (changed.none()) return;
  ++moment_;
  const std::size_t block = place / images_in_a_block_;
  if (block == versions_.size()) versions_.emplace_back();
  for (std::size_t i = 0; i < kImageMetricCount; ++i) {
    if (changed.test(i)) versions_[block].at(i) = moment_;
  }
}

/// Everything moves to other blocks.
void Board::close_gaps() {
  places_.clear();
  versions_.clear();
  std::erase(views_, nullptr);
  for (std::size_t i = 0; i < views_.size(); ++i) {
    places_.insert(i);
    grow(i, ImageMetrics{}.set());
  }
}

}  // namespace sharedrift
