#include "app/board.hpp"

#include <algorithm>
#include <utility>

namespace sharedrift {

void Board::publish(ViewPtr view) {
  const std::lock_guard lock(mutex_);
  const auto place = places_.find(view->policy->id);
  if (place == places_.end()) {
    views_.push_back(std::move(view));
    places_.insert(views_.size() - 1);
    grow(ImageMetrics{}.set());
    return;
  }
  ViewPtr& present = views_[*place];
  grow(differing(*present, *view));
  present.swap(view);  // the old view dies after the lock
}

void Board::remove(const ImageId& image) {
  const std::lock_guard lock(mutex_);
  const auto place = places_.find(image);
  if (place == places_.end()) return;
  const std::size_t gap = *place;
  places_.erase(place);
  views_[gap].reset();
  grow(ImageMetrics{}.set());
  if (places_.size() * 2 < views_.size()) close_gaps();
}

void Board::set_account_names(AccountNames names) {
  auto book = std::make_shared<const AccountNames>(std::move(names));
  const std::lock_guard lock(mutex_);
  names_.swap(book);
  grow(ImageMetrics{}.set(static_cast<std::size_t>(Metric::account_since)));
}

Fleet Board::fleet() const {
  Fleet fleet;
  const std::lock_guard lock(mutex_);
  fleet.views.reserve(places_.size());
  std::copy_if(views_.begin(), views_.end(), std::back_inserter(fleet.views),
               [](const ViewPtr& view) { return view != nullptr; });
  fleet.account_names = names_;
  fleet.versions = versions_;
  return fleet;
}

ViewPtr Board::find(const ImageId& image) const {
  const std::lock_guard lock(mutex_);
  const auto place = places_.find(image);
  return place == places_.end() ? nullptr : views_[*place];
}

ImageVersions Board::versions() const {
  const std::lock_guard lock(mutex_);
  return versions_;
}

void Board::grow(const ImageMetrics& changed) {
  for (std::size_t i = 0; i < kImageMetricCount; ++i) {
    if (changed.test(i)) ++versions_.at(i);
  }
}

void Board::close_gaps() {
  places_.clear();
  std::erase(views_, nullptr);
  for (std::size_t i = 0; i < views_.size(); ++i)
    places_.insert(i);
}

}  // namespace sharedrift
