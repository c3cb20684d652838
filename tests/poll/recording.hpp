#pragma once

#include "core/event.hpp"
#include "core/record.hpp"
#include "core/view.hpp"
#include "poll/inventory_walks.hpp"
#include "poll/poller.hpp"
#include "ports.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

/// What a poll thread tells and saves, kept for tests.
namespace sharedrift::testing {

class RecordingListener final : public PollListener {
 public:
  void on_view(std::shared_ptr<const ImageView> view) override { views[view->policy->id] = std::move(view); }
  void on_unwatched(std::shared_ptr<const ImageView> view) override {
    views.erase(view->policy->id);
    unwatched[view->policy->id] = std::move(view);
  }
  void on_poll(const ImageId& /*image*/, const Observation& /*seen*/) override {
    if (++polls == stop_after) stop.request_stop();
  }
  void on_overruns(std::uint64_t periods) override { overruns += periods; }
  void on_totals(const Tracker& /*tracker*/) override {}
  void on_inventory(const std::string& /*profile*/, const InventoryView& view) override {
    inventory = view;
    if (++walks == stop_after_walks) stop.request_stop();
  }
  void on_inventory_rewatched(const std::string& /*profile*/, const InventoryView& view) override {
    inventory = view;
  }
  std::map<ImageId, std::shared_ptr<const ImageView>> views;
  std::map<ImageId, std::shared_ptr<const ImageView>> unwatched;
  InventoryView inventory;  ///< as it was shown last
  std::size_t walks = 0;
  std::size_t polls = 0;
  std::size_t stop_after = 0;
  std::size_t stop_after_walks = 0;
  std::uint64_t overruns = 0;
  std::stop_source stop;
};

class RecordingStore final : public StateStore {
 public:
  explicit RecordingStore(const Clock& clock) : clock_(clock) {}
  SavedState load() override { return saved; }
  void save(ImageRecord record, std::vector<Event> news) override {
    events += news.size();
    ++saves;
    last_save = clock_.mono();
    records.insert_or_assign(record.id, std::move(record));
  }
  void forget(const ImageId& image) override { records.erase(image); }
  void add_event(const Event& /*event*/) override { ++events; }
  void set_fleet(const FleetRecord& /*fleet*/) override {}
  void set_discovered(std::vector<DiscoveredImage> images) override { discovered = std::move(images); }
  std::vector<DiscoveredImage> discovered;
  std::map<ImageId, ImageRecord> records;
  SavedState saved;  ///< of an earlier life
  std::size_t events = 0;
  std::size_t saves = 0;
  MonoTime last_save;

 private:
  const Clock& clock_;
};

}  // namespace sharedrift::testing
