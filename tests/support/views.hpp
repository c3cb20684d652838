#pragma once

#include "metrics/image_families.hpp"
#include "support/fakes.hpp"
#include "support/hostile_texts.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

/// Views of images as the tracker could publish them, and some that it never would.
namespace sharedrift::testing {

inline AccountId account_number(std::uint64_t number) {
  return *AccountId::parse(std::to_string(1'700'000'000'000'000ULL + number));
}

/// A watched image that was read once and is in order.
inline std::shared_ptr<ImageView> a_view(const std::string& id) {
  ImagePolicy policy{*ImageId::parse(id)};
  policy.interval = Millis{300'000};
  auto view = std::make_shared<ImageView>();
  view->policy = std::make_shared<const ImagePolicy>(std::move(policy));
  view->state = ImageState::ok;
  view->listing_complete = true;
  view->last_complete = WallTime{Millis{1'795'000'000'000}};
  view->last_poll = view->last_complete;
  view->counters.listings = 1;
  view->shared_accounts = 2;
  view->allowed_accounts = 2;
  view->unexpected_accounts = 0;
  view->unexpected_accounts_min = 0;
  view->missing_accounts = 0;
  view->unlisted_accounts = 0;
  view->unused_entries = 0;
  return view;
}

/// Visits each gauge that the JSON API has too, in the order of the table.
template <class Visit>
void for_each_gauge(ImageView& view, Visit visit) {
  for (const ImageFamily& family : image_families()) {
    if (family.json != nullptr) visit(view.*family.json);
  }
}

inline DriftView a_drift(std::uint64_t number, DriftKind kind, WallTime since) {
  DriftView drift{account_number(number), kind};
  drift.since = since;
  return drift;
}

/// Any view at all: every field drawn, strings hostile.
inline std::shared_ptr<const ImageView> random_view(SeededRandom& random, const std::string& id) {
  const auto below = [&random](std::uint64_t n) { return random.next() % n; };
  const auto moment = [&below] {
    return WallTime{Millis{static_cast<std::int64_t>(1'700'000'000'000ULL + below(100'000'000'000ULL))}};
  };
  const auto gauge = [&below]() -> std::optional<std::int64_t> {
    if (below(4) == 0) return std::nullopt;
    return static_cast<std::int64_t>(below(3) == 0 ? below(20'000) : below(3));
  };
  ImagePolicy policy{*ImageId::parse(id)};
  policy.interval = Millis{static_cast<std::int64_t>(1 + below(4) * 30'500)};
  policy.canary = below(8) == 0;
  for (std::string* text : {&policy.name, &policy.team, &policy.severity, &policy.profile})
    *text = hostile_texts().at(below(hostile_texts().size()));
  for (std::uint64_t i = below(4); i > 0; --i)
    policy.exceptions.push_back({account_number(i), moment(), "jane", "SEC-1", "test"});
  auto view = std::make_shared<ImageView>();
  view->state = kAllImageStates.at(below(kAllImageStates.size()));
  view->listing_complete = below(2) == 0;
  if (below(4) != 0) view->last_poll = moment();
  if (below(4) != 0) view->last_complete = moment();
  view->counters = {below(1000), below(1000), {below(9), below(9)}, {below(9), below(9)}, below(5)};
  if (below(9) == 0) view->counters.listings = 123'456'789'012'345ULL;
  if (below(3) == 0) {
    Failure failure = make_failure(kAllReasons.at(below(kAllReasons.size())), "test");
    failure.code = hostile_texts().at(below(hostile_texts().size()));
    view->last_failure = std::make_shared<const Failure>(std::move(failure));
  }
  for_each_gauge(*view, [&gauge](ImageView::Gauge& value) { value = gauge(); });
  for (const DriftKind kind : kAllDriftKinds) {
    std::uint64_t number = 0;
    for (std::uint64_t i = below(4); i > 0; --i)
      view->drifts.push_back(a_drift(number += 1 + below(5), kind, moment()));
  }
  view->policy = std::make_shared<const ImagePolicy>(std::move(policy));
  return view;
}

}  // namespace sharedrift::testing
