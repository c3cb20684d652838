#include "metrics/view_store.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace sharedrift {

namespace {

bool every(const ImageFamily& /*family*/) {
  return true;
}

}  // namespace

ViewStore::ViewStore() : versions_(image_families().size()) {
  grow(every);
}

void ViewStore::publish(ViewPtr view) {
  const std::lock_guard lock(mutex_);
  ViewPtr& present = views_[view->policy->id];
  grow([&present, &view](const ImageFamily& family) {
    return present == nullptr || differ(family, *present, *view);
  });
  present.swap(view);  // the old view dies after the lock
}

void ViewStore::remove(const ImageId& image) {
  const std::lock_guard lock(mutex_);
  if (views_.erase(image) > 0) grow(every);
}

void ViewStore::set_account_names(AccountNames names) {
  auto book = std::make_shared<const AccountNames>(std::move(names));
  const std::lock_guard lock(mutex_);
  names_.swap(book);
  grow([](const ImageFamily& family) {
    return family.spec.labels.find("account_name") != std::string_view::npos;
  });
}

Fleet ViewStore::fleet() const {
  Fleet fleet;
  const std::lock_guard lock(mutex_);
  fleet.views.reserve(views_.size());
  std::transform(views_.begin(), views_.end(), std::back_inserter(fleet.views),
                 [](const auto& entry) { return entry.second; });
  fleet.account_names = names_;
  fleet.version = version_;
  fleet.versions = versions_;
  return fleet;
}

std::uint64_t ViewStore::version() const {
  const std::lock_guard lock(mutex_);
  return version_;
}

void ViewStore::grow(const std::function<bool(const ImageFamily&)>& changed) {
  const std::uint64_t next = version_ + 1;
  for (std::size_t i = 0; i < versions_.size(); ++i) {
    if (changed(image_families()[i])) versions_[i] = version_ = next;
  }
}

}  // namespace sharedrift
