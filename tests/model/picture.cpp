#include "picture.hpp"

#include <algorithm>

namespace law {

namespace {

State state(const Law& law, int i) {
  const int p = law.last(i, [&](int j) { return law.poll(j); });
  if (p < 0) return State::never_read;
  const Step& poll = law.at(p);
  const bool may_be_back = law.first(p, i, [&](int j) { return law.rewatch(j); }) >= 0;
  if (law.gone(p)) return may_be_back ? State::never_read : State::gone;
  if (poll.complete) return poll.listed[0] || poll.listed[1] ? State::ok : State::empty;
  if (poll.failure == Failure::forbidden) return State::forbidden;
  const bool answered = poll.row[0] || poll.row[1] || poll.failure == Failure::unknown_owner;
  return answered ? State::incomplete : State::unreachable;
}

int complete_until(const Law& law, int i) {
  return law.count(0, i, [&](int j) { return law.complete(j); });
}

Account account(const House& house, const Law& law, int i, Who a) {
  Account out;
  if (i < 0) return out;
  if (law.known(i, a)) {
    out.known = true;
    const int seen = law.since(i, [&](int j) { return law.known(j, a); });
    const int before = law.last(seen - 1, [&](int j) { return law.complete(j); });
    out.not_before = before < 0 ? kNever : law.time(before) - 1;  // a poll takes a minute
    out.first_seen = law.time(seen);
    out.last_seen = law.time(law.last_row(i, a));
    out.lost_since = law.time(law.lost(i, a));
    out.absences = law.proof_of_absence(i, a).count;
    out.held = law.proof_of_absence(i, a).held;
    if (law.unexpected(i, a)) {
      out.unexpected_since = law.time(law.since(i, [&](int j) { return law.unexpected(j, a); }));
      out.unexpected_first_run = before < 0;
    }
  }
  out.missed = law.missed(i, a);
  if (out.missed == 0) return out;
  const int one = law.first(law.not_missed(i, a) + 1, i, [&](int j) { return law.complete(j); });
  out.missed_since = law.time(one);
  if (one > 0 && law.known(one - 1, a)) out.missed_last_seen = law.time(law.last_row(one, a));
  if (!law.missing(i, a)) return out;
  out.missing_since = out.missed_since;
  const int opened = law.since(i, [&](int j) { return law.missing(j, a); });
  out.missing_first_run = out.missed_last_seen == kNever && complete_until(law, opened) <= house.confirm;
  return out;
}

Picture picture(const House& house, const Law& law, int i) {
  Picture out;
  if (i < 0) return out;
  for (Who a = 0; a < kAccounts; ++a) {
    out.accounts.at(a) = account(house, law, i, a);
    const bool listed = law.known(i, a) && law.lost(i, a) < 0;
    if (law.may_have(i, a, law.time(i)) && !listed) ++out.unused;
  }
  out.state = state(law, i);
  if (out.state != State::never_read)
    out.state_since = law.time(law.since(i, [&](int j) { return state(law, j) == out.state; }));
  const int poll = law.last(i, [&](int j) { return law.poll(j); });
  const int complete = law.last(i, [&](int j) { return law.complete(j); });
  out.last_poll = law.time(poll);
  out.listing_complete = poll >= 0 && poll == complete;
  if (complete < 0) return out;
  out.last_complete = law.time(complete);
  out.may_claim_0 = law.time(i) < out.last_complete + kStaleAfter;
  out.shared = static_cast<int>(law.at(complete).listed[0]) + static_cast<int>(law.at(complete).listed[1]);
  return out;
}

/// The moment as of which the step before judged.
int judged_before(const Law& law, int i) {
  return i == 0 ? 0 : law.time(i - 1);
}

void add_drift_news(const House& house, const Law& law, int i, Who a, std::vector<std::string>& out) {
  const std::string who = a == 0 ? " A" : " B";
  const Account was = account(house, law, i - 1, a);
  const Account is = account(house, law, i, a);
  const bool was_open = was.unexpected_since != kNever;
  const bool is_open = is.unexpected_since != kNever;
  const bool was_clearing = was.absences > 0 || was.held;
  const Account& seen = is.known ? is : was;
  const std::string when = window(moment(seen.not_before), moment(seen.first_seen), moment(seen.last_seen),
                                  moment(law.time(law.lost(i, a))));
  const bool was_missing = was.missing_since != kNever;
  const bool is_missing = is.missing_since != kNever;
  if (law.rewatch(i)) {  // what is told as over begins again, and goes on
    if (was_open) out.push_back("drift_closed" + who + " unexpected unwatched" + when);
    if (is_open) out.push_back("drift_opened" + who + " unexpected watched_again" + when);
    if (was_missing) out.push_back("drift_closed" + who + " missing unwatched");
    if (is_missing) out.push_back("drift_opened" + who + " missing watched_again");
    return;
  }
  if (law.row(i, a) && was_open && was_clearing) out.push_back("drift_flapped" + who + when);
  if (law.lacks(i, a) && was_open && !was_clearing && house.confirm > 1)
    out.push_back("drift_clearing" + who + when);
  if (is_open && !was_open) {
    const char* why = law.poll(i) ? "listed" : "config_changed";
    if (law.may_have(i, a, judged_before(law, i))) why = "exception_expired";
    out.push_back("drift_opened" + who + " unexpected " + why + when);
  }
  if (was_open && !is_open) {
    const char* why = law.proof_of_gone(i).begun ? "image_gone" : "revoked";
    if (law.may_have(i, a, law.time(i))) why = "allowed_by_config";
    out.push_back("drift_closed" + who + " unexpected " + why + when);
  }
  if (is_missing && !was_missing) out.push_back("drift_opened" + who + " missing absent");
  if (was_missing && !is_missing) {
    const char* why = law.row(i, a) ? "restored" : "image_gone";
    if (!law.required(i, a)) why = "allowed_by_config";
    out.push_back("drift_closed" + who + " missing " + why);
  }
}

void add_listing_news(const Law& law, int i, std::vector<std::string>& out) {
  const bool first_success = state(law, i - 1) == State::never_read && law.complete(i);
  if (state(law, i) != state(law, i - 1) && !first_success && !law.rewatch(i))
    out.emplace_back("image_state_changed");
  if (!law.poll(i)) return;
  const int before = law.last(i - 1, [&](int j) { return law.poll(j) || law.restart(j); });
  const bool failed_before = before >= 0 && law.poll(before) && !law.complete(before);
  if (law.complete(i)) {
    if (failed_before) out.emplace_back("listing_recovered");
  } else if (!failed_before || law.at(before).failure != law.at(i).failure) {
    out.emplace_back(state(law, i) == State::incomplete ? "listing_incomplete" : "listing_failed");
  }
}

std::vector<std::string> news(const House& house, const Law& law, int i) {
  std::vector<std::string> out;
  for (Who a = 0; a < kAccounts; ++a) {
    const int ends = law.at(i).rules.excepted_until.at(a);
    if (ends > judged_before(law, i) && ends <= law.time(i))
      out.push_back(std::string("exception_expired") + (a == 0 ? " A" : " B"));
    if (!house.canary) add_drift_news(house, law, i, a, out);
  }
  if (house.canary) {
    const Law::Canary is = law.canary(i);
    const Law::Canary was = law.restart(i) ? Law::Canary::untold : law.canary(i - 1);
    if (is == Law::Canary::lost && was != is) out.emplace_back("canary_lost");
    if (is == Law::Canary::sings && was == Law::Canary::lost) out.emplace_back("canary_restored");
  }
  add_listing_news(law, i, out);
  std::sort(out.begin(), out.end());
  return out;
}

/// Without what moves with every listing, and what every life proves anew.
Picture lasting(Picture picture) {
  picture.last_poll = picture.last_complete = kNever;
  picture.may_claim_0 = false;
  for (Account& account : picture.accounts) {
    account.last_seen = account.missed_last_seen = kNever;
    account.absences = 0;
    account.held = false;
  }
  return picture;
}

}  // namespace

Picture picture(const House& house, const History& history) {
  const Law law(house, history);
  return picture(house, law, law.end());
}

std::vector<std::string> news(const House& house, const History& history) {
  const Law law(house, history);
  return news(house, law, law.end());
}

bool is_saved(const House& house, const History& history) {
  const Law law(house, history);
  const int i = law.end();
  return (law.restart(i) && law.at(i).saved) || law.rewatch(i) || !news(house, law, i).empty() ||
         lasting(picture(house, law, i)) != lasting(picture(house, law, i - 1));
}

Memory memory(const House& house, const History& history) {
  const Law law(house, history);
  const int i = law.end();
  Memory out;
  for (Who a = 0; a < kAccounts; ++a)
    out.cycle_over.at(a) = law.proof_of_absence(i, a).cycle_over;
  out.gone = law.proof_of_gone(i);
  out.canary = law.canary(i);
  out.complete_in_life = law.complete_in_life(i);
  out.complete_ever = std::min(complete_until(law, i), house.confirm + 1);
  const int poll = law.last(i, [&](int j) { return law.poll(j) || law.restart(j); });
  if (poll >= 0) out.failure = law.at(poll).failure;
  return out;
}

}  // namespace law
