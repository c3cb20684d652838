#pragma once

#include "core/ids.hpp"
#include "core/record.hpp"

#include <algorithm>
#include <vector>

/// Sightings, losses and absences are kept sorted by account, drifts by kind and account. Inside the image's
/// tracker only.
namespace sharedrift {

/// Where the account's entry is or belongs.
template <class Entry>
auto find_entry(std::vector<Entry>& sorted, const AccountId& account) {
  return std::lower_bound(sorted.begin(), sorted.end(), account,
                          [](const Entry& e, const AccountId& a) { return e.account < a; });
}
/// Null if there is none.
template <class Entry>
const Entry* lookup(const std::vector<Entry>& sorted, const AccountId& account) {
  const auto found = std::lower_bound(sorted.begin(), sorted.end(), account,
                                      [](const Entry& e, const AccountId& a) { return e.account < a; });
  return found != sorted.end() && found->account == account ? &*found : nullptr;
}

inline bool drift_before(const Drift& a, const Drift& b) {
  return a.kind != b.kind ? a.kind < b.kind : a.account < b.account;
}

}  // namespace sharedrift
