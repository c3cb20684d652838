#pragma once

#include "core/ids.hpp"
#include "core/record.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <vector>

/// Sightings, losses and absences are kept sorted by account, drifts by kind and account.
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

template <class Entry>
bool entry_before(const Entry& a, const Entry& b) {
  return a.account < b.account;
}
inline bool entry_before(const Drift& a, const Drift& b) {
  return drift_before(a, b);
}

/// Adds `fresh`, which is sorted as `sorted` is, and has none of its entries. One by one each would move all
/// that come after it.
template <class Entry>
void merge_into(std::vector<Entry>& sorted, std::vector<Entry> fresh) {
  const auto before = static_cast<std::ptrdiff_t>(sorted.size());
  sorted.insert(sorted.end(), std::make_move_iterator(fresh.begin()), std::make_move_iterator(fresh.end()));
  std::inplace_merge(sorted.begin(), sorted.begin() + before, sorted.end(),
                     [](const Entry& a, const Entry& b) { return entry_before(a, b); });
}

}  // namespace sharedrift
