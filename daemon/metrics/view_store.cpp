#include "metrics/view_store.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace sharedrift {

ViewStore::ViewStore() {
  grow(ImageMetrics{}.set());
}

void ViewStore::publish(ViewPtr view) {
  const std::lock_guard lock(mutex_);
  ViewPtr& present = views_[view->policy->id];
  grow(present == nullptr ? ImageMetrics{}.set() : differing(*present, *view));
  present.swap(view);  // the old view dies after the lock
}

void ViewStore::remove(const ImageId& image) {
  const std::lock_guard lock(mutex_);
  if (views_.erase(image) > 0) grow(ImageMetrics{}.set());
}

void ViewStore::set_account_names(AccountNames names) {
  auto book = std::make_shared<const AccountNames>(std::move(names));
  const std::lock_guard lock(mutex_);
  names_.swap(book);
  grow(ImageMetrics{}.set(static_cast<std::size_t>(Metric::account_since)));
}

Fleet ViewStore::fleet() const {
  Fleet fleet;
  const std::lock_guard lock(mutex_);
  fleet.views.reserve(views_.size());
  std::transform(views_.begin(), views_.end(), std::back_inserter(fleet.views),
                 [](const auto& entry) { return entry.second; });
  fleet.account_names = names_;
  fleet.versions = versions_;
  return fleet;
}

std::uint64_t ViewStore::version() const {
  const std::lock_guard lock(mutex_);
  return version_;
}

void ViewStore::grow(const ImageMetrics& changed) {
  if (changed.none()) return;
  ++version_;
  for (std::size_t i = 0; i < versions_.size(); ++i) {
    if (changed.test(i)) versions_.at(i) = version_;
  }
}

}  // namespace sharedrift
