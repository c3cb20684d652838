#pragma once

#include "law.hpp"

#include <string>
#include <vector>

/// What the law says of a moment, in all that can be seen of it.
namespace law {

enum class State { never_read, ok, empty, incomplete, unreachable, forbidden, gone };

struct Account {
  bool known = false;
  int not_before = kNever;  ///< the beginning of the last complete listing before it was seen
  int first_seen = kNever;
  int last_seen = kNever;
  int lost_since = kNever;
  int absences = 0;  ///< proofs that count, up to `confirm`
  bool held = false;
  int unexpected_since = kNever;  ///< of the open drift
  bool unexpected_first_run = false;
  int missed = 0;
  int missed_since = kNever;
  int missed_last_seen = kNever;
  int missing_since = kNever;
  bool missing_first_run = false;
  bool operator==(const Account&) const = default;
};

struct Picture {
  Each<Account> accounts{};
  State state = State::never_read;
  int state_since = kNever;
  int last_poll = kNever;
  int last_complete = kNever;
  bool listing_complete = false;
  int shared = kNever;       ///< accounts of the last complete listing
  int unused = 0;            ///< entries of the list that match nothing that is listed
  bool may_claim_0 = false;  ///< there is a proof, and it is not old
  bool operator==(const Picture&) const = default;
};
/// From then on a zero is withdrawn.
inline constexpr int kStaleAfter = 600;

Picture picture(const House& house, const History& history);

/// A moment, or a number that may be none, in words.
inline std::string moment(int value) {
  return value == kNever ? "none" : std::to_string(value);
}
/// When access began and when it ended, as an event tells it.
inline std::string window(const std::string& not_before, const std::string& first_seen,
                          const std::string& last_seen, const std::string& not_after) {
  return " began (" + not_before + ", " + first_seen + "] ended (" + last_seen + ", " + not_after + "]";
}

/// What the last step must tell, in words, sorted.
std::vector<std::string> news(const House& house, const History& history);

/// Whether a kill leaves the last step: it was a clean stop, or brought more than times and poll counters.
bool is_saved(const House& house, const History& history);

/// What tells two moments of equal pictures apart.
struct Memory {
  Each<bool> cycle_over{};
  Law::Proof gone;
  Law::Canary canary = Law::Canary::untold;
  int complete_in_life = 0;
  int complete_ever = 0;  ///< up to `confirm` + 1
  Failure failure = Failure::none;
};
Memory memory(const House& house, const History& history);

}  // namespace law
