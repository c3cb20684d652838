#pragma once

#include "metrics/self_metrics.hpp"
#include "metrics/view_store.hpp"
#include "poll/poller.hpp"

#include <memory>
#include <mutex>
#include <unordered_set>
#include <utility>

namespace sharedrift {

/// Where the poll thread's news become visible: in the views, in the metrics, and in whether the program is
/// ready. Thread-safe. Views and metrics must outlive it.
class Surface final : public PollListener {
 public:
  Surface(ViewStore& views, SelfMetrics& metrics) : views_(views), metrics_(metrics) {}

  /// The images that must be attempted before the program calls itself ready.
  void await(const WatchList& watch) {
    const std::scoped_lock lock(mutex_);
    awaited_.reserve(watch.images.size());
    for (const auto& policy : watch.images)
      awaited_.insert(policy->id);
  }
  /// Each of them was attempted, or is not watched any more.
  [[nodiscard]] bool first_cycle_done() const {
    const std::scoped_lock lock(mutex_);
    return awaited_.empty();
  }

  void on_view(std::shared_ptr<const ImageView> view) override { views_.publish(std::move(view)); }
  void on_removed(const ImageId& image) override {
    views_.remove(image);
    const std::scoped_lock lock(mutex_);
    awaited_.erase(image);
  }
  void on_attempt(const ImageId& image, const Observation& seen) override {
    metrics_.on_listing(seen);
    const std::scoped_lock lock(mutex_);
    awaited_.erase(image);
  }
  void on_inventory(const std::string& profile, const InventoryView& view) override {
    metrics_.on_inventory(profile, view);
  }
  void on_overruns(std::uint64_t periods) override { metrics_.on_overruns(periods); }
  void on_totals(const Tracker& tracker) override {
    metrics_.set_totals(tracker.closes(), tracker.clears_held());
  }

 private:
  ViewStore& views_;
  SelfMetrics& metrics_;
  mutable std::mutex mutex_;
  std::unordered_set<ImageId> awaited_;  ///< guarded by mutex_
};

}  // namespace sharedrift
