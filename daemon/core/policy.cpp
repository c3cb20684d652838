#include "core/policy.hpp"

#include <algorithm>
#include <iterator>

namespace sharedrift {

namespace {

const Exception* exception_for(const ImagePolicy& policy, const AccountId& account) {
  const auto found = std::lower_bound(policy.exceptions.begin(), policy.exceptions.end(), account,
                                      [](const Exception& e, const AccountId& a) { return e.account < a; });
  return found != policy.exceptions.end() && found->account == account ? &*found : nullptr;
}

/// Every account that the list lets in, sorted.
std::vector<AccountId> entries(const ImagePolicy& policy, WallTime now) {
  std::vector<AccountId> entries;
  entries.reserve(policy.required.size() + policy.allowed.size() + policy.exceptions.size());
  std::set_union(policy.required.begin(), policy.required.end(), policy.allowed.begin(), policy.allowed.end(),
                 std::back_inserter(entries));
  for (const Exception& e : policy.exceptions) {
    if (now < e.expires) entries.push_back(e.account);
  }
  if (!policy.exceptions.empty()) {
    std::sort(entries.begin(), entries.end());
    entries.erase(std::unique(entries.begin(), entries.end()), entries.end());
  }
  return entries;
}

}  // namespace

Grant grant_of(const ImagePolicy& policy, const AccountId& account, WallTime now) {
  if (contains(policy.required, account)) return Grant::required;
  if (contains(policy.allowed, account)) return Grant::allowed;
  const Exception* exception = exception_for(policy, account);
  if (exception != nullptr && now < exception->expires) return Grant::exception;
  return Grant::none;
}

std::size_t allowed_count(const ImagePolicy& policy, WallTime now) {
  return entries(policy, now).size();
}

std::vector<AccountId> unused_entries(const ImagePolicy& policy, const std::vector<AccountId>& listed,
                                      WallTime now) {
  std::vector<AccountId> unused;
  const std::vector<AccountId> all = entries(policy, now);
  std::set_difference(all.begin(), all.end(), listed.begin(), listed.end(), std::back_inserter(unused));
  return unused;
}

std::optional<WallTime> next_expiry(const ImagePolicy& policy, WallTime now) {
  std::optional<WallTime> next;
  for (const Exception& e : policy.exceptions) {
    if (e.expires > now && (!next || e.expires < *next)) next = e.expires;
  }
  return next;
}

}  // namespace sharedrift
