#include "core/policy.hpp"

#include <algorithm>

namespace sharedrift {

namespace {

const Exception* exception_for(const ImagePolicy& policy, const AccountId& account) {
  const auto found = std::lower_bound(policy.exceptions.begin(), policy.exceptions.end(), account,
                                      [](const Exception& e, const AccountId& a) { return e.account < a; });
  return found != policy.exceptions.end() && found->account == account ? &*found : nullptr;
}

/// Visits every account that the list lets in, once each, in no order.
template <class Visit>
void for_each_entry(const ImagePolicy& policy, WallTime now, Visit visit) {
  for (const AccountId& account : policy.required)
    visit(account);
  for (const AccountId& account : policy.allowed) {
    if (!contains(policy.required, account)) visit(account);
  }
  for (const Exception& e : policy.exceptions) {
    if (now < e.expires && !contains(policy.required, e.account) && !contains(policy.allowed, e.account))
      visit(e.account);
  }
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
  std::size_t count = 0;
  for_each_entry(policy, now, [&count](const AccountId& /*account*/) { ++count; });
  return count;
}

std::vector<AccountId> unused_entries(const ImagePolicy& policy, const std::vector<AccountId>& listed,
                                      WallTime now) {
  std::vector<AccountId> unused;
  for_each_entry(policy, now, [&unused, &listed](const AccountId& account) {
    if (!contains(listed, account)) unused.push_back(account);
  });
  std::sort(unused.begin(), unused.end());
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
