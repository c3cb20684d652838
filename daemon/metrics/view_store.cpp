#include "metrics/view_store.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

namespace sharedrift {

namespace {

/// As long as ShareDriftUnwatchedWithDrift lasts.
constexpr Millis kUnwatchedIsShown = std::chrono::hours{24};
/// So many are kept before those that are shown no more are looked for.
constexpr std::size_t kUnwatchedRoom = 16;

prometheus::MetricFamily collect(const ImageFamily& family, const Fleet& fleet) {
  prometheus::MetricFamily collected = family_of(family.spec);
  const std::vector<std::string_view> labels = label_names(family.spec);
  for_each_sample(family, fleet.views, *fleet.account_names,
                  [&](const ImageView& view, const ImageSample& sample) {
                    prometheus::ClientMetric& metric = add_sample(collected, sample.value);
                    metric.label.push_back({std::string(labels.front()), view.policy->id.str()});
                    for (std::size_t i = 1; i < labels.size(); ++i)
                      metric.label.push_back({std::string(labels[i]), valid_utf8(sample.labels.at(i - 1))});
                  });
  return collected;
}

}  // namespace

ViewStore::ViewStore() : versions_(image_families().size()) {
  grow();
}

void ViewStore::publish(ViewPtr view) {
  const std::lock_guard lock(mutex_);
  unwatched_.erase(view->policy->id);
  ViewPtr& present = views_[view->policy->id];
  if (present == nullptr) {
    grow();
  } else {
    ViewComparison comparison(*present, *view);
    grow([&comparison](const ImageFamily& family) { return comparison.differ(family); });
  }
  present.swap(view);  // the old view dies after the lock
}

void ViewStore::remove(const ImageId& image) {
  const std::lock_guard lock(mutex_);
  if (views_.erase(image) > 0) grow();
}

void ViewStore::unwatch(ViewPtr view) {
  const std::lock_guard lock(mutex_);
  if (views_.erase(view->policy->id) > 0) grow();
  if (view->drifts.empty()) return;
  if (unwatched_.size() >= unwatched_room_) {  // not for each of the thousands that may leave at once
    std::erase_if(unwatched_, [now = *view->unwatched_since](const auto& entry) {
      return *entry.second->unwatched_since < now - kUnwatchedIsShown;
    });
    unwatched_room_ = 2 * unwatched_.size() + kUnwatchedRoom;
  }
  unwatched_.insert_or_assign(view->policy->id, std::move(view));
}

void ViewStore::set_account_names(AccountNames names) {
  auto book = std::make_shared<const AccountNames>(std::move(names));
  const std::lock_guard lock(mutex_);
  names_.swap(book);
  grow([](const ImageFamily& family) {
    return family.spec.labels.find("account_name") != std::string_view::npos;
  });
}

Fleet ViewStore::fleet(std::optional<WallTime> now) const {
  Fleet fleet;
  const std::lock_guard lock(mutex_);
  fleet.views.reserve(views_.size());
  std::transform(views_.begin(), views_.end(), std::back_inserter(fleet.views),
                 [](const auto& entry) { return entry.second; });
  const auto watched = static_cast<std::ptrdiff_t>(fleet.views.size());
  for (const auto& [id, view] : unwatched_) {
    if (now && *now - *view->unwatched_since < kUnwatchedIsShown) fleet.views.push_back(view);
  }
  std::inplace_merge(fleet.views.begin(), fleet.views.begin() + watched, fleet.views.end(),
                     [](const ViewPtr& a, const ViewPtr& b) { return a->policy->id < b->policy->id; });
  fleet.account_names = names_;
  fleet.version = version_;
  fleet.versions = versions_;
  return fleet;
}

std::size_t ViewStore::size() const {
  const std::lock_guard lock(mutex_);
  return views_.size();
}

std::uint64_t ViewStore::version() const {
  const std::lock_guard lock(mutex_);
  return version_;
}

std::vector<prometheus::MetricFamily> ViewStore::Collect() const {
  const Fleet now = fleet();
  std::vector<prometheus::MetricFamily> families;
  for (const ImageFamily& family : image_families())
    families.push_back(collect(family, now));
  std::erase_if(families, [](const auto& family) { return family.metric.empty(); });
  for (const FleetFamily& family : fleet_families())
    add_sample(families.emplace_back(family_of(family.spec)), family.value(now.views));
  return families;
}

void ViewStore::grow(const std::function<bool(const ImageFamily&)>& changed) {
  const std::uint64_t next = version_ + 1;
  for (std::size_t i = 0; i < versions_.size(); ++i) {
    if (changed(image_families()[i])) versions_[i] = version_ = next;
  }
}

}  // namespace sharedrift
