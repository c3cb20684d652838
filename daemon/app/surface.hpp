#pragma once

#include "metrics/self_metrics.hpp"
#include "metrics/view_store.hpp"
#include "poll/poller.hpp"
#include "poll/watch.hpp"

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>

namespace sharedrift {

/// Where the poll thread's news become visible: in the views, in the metrics, and in whether the program is
/// ready. Thread-safe. Views and metrics must outlive it.
class Surface final : public PollListener {
 public:
  Surface(ViewStore& views, SelfMetrics& metrics, Shard shard)
      : views_(views), metrics_(metrics), shard_(shard) {}

  /// Before the first view. Ready is who has polled each image that is watched at the start, or that comes
  /// with the first walk of these inventories.
  void await(std::set<std::string> inventories) {
    const std::scoped_lock lock(mutex_);
    inventories_ = std::move(inventories);
  }
  /// Other inventories than these are not walked any more.
  void await_no_more_than(const std::set<std::string>& inventories) {
    const std::scoped_lock lock(mutex_);
    std::erase_if(inventories_, [&](const std::string& profile) { return !inventories.contains(profile); });
  }
  /// Each of them was polled, or is not watched any more, and each inventory was walked or failed.
  [[nodiscard]] bool first_cycle_done() const {
    const std::scoped_lock lock(mutex_);
    return awaited_.empty() && inventories_.empty();
  }

  void on_view(std::shared_ptr<const ImageView> view) override {
    {
      const std::scoped_lock lock(mutex_);
      if (gathering_ && met_.insert(view->policy->id).second) awaited_.insert(view->policy->id);
    }
    views_.publish(std::move(view));
  }
  void on_unwatched(std::shared_ptr<const ImageView> view) override {
    {
      const std::scoped_lock lock(mutex_);
      awaited_.erase(view->policy->id);
    }
    if (shard_of(view->policy->id, shard_.count) == shard_.index) {
      views_.unwatch(std::move(view));
    } else {
      views_.remove(view->policy->id);  // another shard watches it
    }
  }
  void on_poll(const ImageId& image, const Observation& seen) override {
    metrics_.on_listing(seen);
    const std::scoped_lock lock(mutex_);
    awaited_.erase(image);
    if (gathering_ && inventories_.empty()) {  // what comes from now on is no part of the start
      gathering_ = false;
      met_ = {};
    }
  }
  void on_inventory(const std::string& profile, const InventoryView& view) override {
    metrics_.on_inventory(profile, view);
    const std::scoped_lock lock(mutex_);
    inventories_.erase(profile);
  }
  void on_inventory_rewatched(const std::string& profile, const InventoryView& view) override {
    metrics_.on_inventory_rewatched(profile, view);
  }
  void on_overruns(std::uint64_t periods) override { metrics_.on_overruns(periods); }
  void on_totals(const Tracker& tracker) override {
    metrics_.set_totals(tracker.closes(), tracker.clears_held());
  }

 private:
  ViewStore& views_;
  SelfMetrics& metrics_;
  const Shard shard_;
  mutable std::mutex mutex_;
  // Guarded by mutex_:
  bool gathering_ = true;            ///< images that come are awaited
  std::unordered_set<ImageId> met_;  ///< while gathering
  std::unordered_set<ImageId> awaited_;
  std::set<std::string> inventories_;  ///< whose first walk is awaited
};

}  // namespace sharedrift
