#pragma once

#include "core/tracker.hpp"
#include "core/view.hpp"
#include "support/fakes.hpp"
#include "support/page_server.hpp"

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

/// Builders that let tests of the core speak the domain's language.
namespace sharedrift::testing {

inline std::vector<AccountId> accounts(std::initializer_list<int> numbers) {
  std::vector<AccountId> out;
  for (const int n : numbers)
    out.push_back(account(n));
  std::sort(out.begin(), out.end());
  return out;
}

class ImageBuilder {
 public:
  explicit ImageBuilder(const std::string& id) : policy_{*ImageId::parse(id)} {
    policy_.interval = Millis{300'000};
  }
  ImageBuilder& allowing(std::initializer_list<int> numbers) {
    policy_.allowed = accounts(numbers);
    return *this;
  }
  ImageBuilder& requiring(std::initializer_list<int> numbers) {
    policy_.required = accounts(numbers);
    return *this;
  }
  ImageBuilder& excepting(int number, WallTime expires) {
    policy_.exceptions.push_back({account(number), expires, "jane", "SEC-1", "test"});
    return *this;
  }
  ImageBuilder& stale_after(Millis age) {
    policy_.stale_after = age;
    return *this;
  }
  ImageBuilder& as_canary() {
    policy_.canary = true;
    return *this;
  }
  [[nodiscard]] std::shared_ptr<const ImagePolicy> build() const {
    return std::make_shared<const ImagePolicy>(policy_);
  }

 private:
  ImagePolicy policy_;
};
inline ImageBuilder an_image(const std::string& id) {
  return ImageBuilder(id);
}

inline Observation listed(const std::vector<AccountId>& rows) {
  Observation seen;
  seen.accounts = rows;
  seen.complete = true;
  seen.total_count = static_cast<std::int64_t>(rows.size());
  seen.pages = 1;
  seen.started = WallTime::max();  // "just now": the fleet sets it
  return seen;
}
inline Observation listed(std::initializer_list<int> numbers) {
  return listed(accounts(numbers));
}

/// A poll that brought rows and then failed.
inline Observation broken(const std::vector<AccountId>& rows, Reason reason) {
  Observation seen;
  seen.accounts = rows;
  seen.pages = rows.empty() ? 0 : 1;
  seen.failure.reason = reason;
  seen.failure.detail = "test";
  seen.started = WallTime::max();
  return seen;
}
inline Observation broken(std::initializer_list<int> numbers, Reason reason) {
  return broken(accounts(numbers), reason);
}
inline Observation failed(Reason reason) {
  return broken({}, reason);
}

inline Observation random_observation(Random& random) {
  std::vector<AccountId> rows;
  for (int n = 1; n <= 8; ++n) {
    if (random.next() % 3 == 0) rows.push_back(account(n));
  }
  Observation seen;
  switch (random.next() % 6) {
    case 0: return broken(rows, kAllReasons.at(random.next() % kAllReasons.size()));
    case 1: return failed(kAllReasons.at(random.next() % kAllReasons.size()));
    case 2:
      seen = listed(rows);
      for (int n = 1; n <= 8; ++n) {
        if (!std::binary_search(rows.begin(), rows.end(), account(n)) && random.next() % 5 == 0) {
          seen.transient.push_back(account(n));
        }
      }
      return seen;
    default: return listed(rows);
  }
}

inline std::set<AccountId> open_accounts(const ImageView& view, DriftKind kind) {
  std::set<AccountId> out;
  for (const DriftView& drift : view.drifts) {
    if (drift.kind == kind) out.insert(drift.account);
  }
  return out;
}

/// A tracker on a clock of its own.
class Fleet {
 public:
  static constexpr WallTime kStart{Millis{1'795'000'000'000}};

  explicit Fleet(const std::vector<ImageBuilder>& images, int confirm = 2)
      : Fleet(images, SavedState{}, Millis{0}, confirm) {}
  /// A new life, `later` after the saved one's last write.
  Fleet(const std::vector<ImageBuilder>& images, const SavedState& saved, Millis later, int confirm = 2)
      : clock_(saved.last_alive.value_or(kStart) + later), confirm_(confirm) {
    tracker_ = std::make_unique<Tracker>(watch(images), saved, now(), start_);
  }

  Step apply(const std::string& image, Observation seen) {
    seen.started = std::min(seen.started, now().wall);
    return tracker_->apply(*ImageId::parse(image), seen, now());
  }
  std::vector<Event> apply_all(const Observation& seen) {
    std::vector<Event> events;
    for (const auto& policy : tracker_->watch().images) {
      const Step step = apply(policy->id.str(), seen);
      events.insert(events.end(), step.events.begin(), step.events.end());
    }
    return events;
  }
  Step reconfigure(const std::vector<ImageBuilder>& images) {
    return tracker_->reconfigure(watch(images), now());
  }
  Step tick() { return tracker_->tick(now()); }
  void advance(Millis by) { clock_.advance(by); }
  void jump_wall(Millis by) { clock_.jump_wall(by); }

  [[nodiscard]] SavedState save() const {
    SavedState saved;
    for (const auto& policy : tracker_->watch().images)
      saved.images.push_back(tracker_->record(policy->id));
    saved.fleet = tracker_->fleet_record();
    saved.last_alive = clock_.wall();
    return saved;
  }
  [[nodiscard]] std::shared_ptr<const ImageView> view(const std::string& image) const {
    return tracker_->view(*ImageId::parse(image), now());
  }
  [[nodiscard]] Instant now() const { return clock_.now(); }
  Tracker& tracker() { return *tracker_; }
  [[nodiscard]] const Step& start() const { return start_; }
  [[nodiscard]] std::size_t count_start(EventType type) const { return count(start_, type); }

  static std::vector<EventType> types(const Step& step) {
    std::vector<EventType> out;
    for (const Event& event : step.events)
      out.push_back(event.type);
    return out;
  }
  static std::size_t count(const Step& step, EventType type) {
    return static_cast<std::size_t>(std::count_if(step.events.begin(), step.events.end(),
                                                  [type](const Event& e) { return e.type == type; }));
  }

 private:
  [[nodiscard]] WatchList watch(const std::vector<ImageBuilder>& images) const {
    WatchList list;
    for (const ImageBuilder& image : images)
      list.images.push_back(image.build());
    list.confirm_clears = confirm_;
    list.config_hash = "0123456789ab";
    return list;
  }

  ManualClock clock_;
  int confirm_;
  Step start_;
  std::unique_ptr<Tracker> tracker_;
};

}  // namespace sharedrift::testing
