#pragma once

#include "law.hpp"

#include <string>
#include <vector>

/// What can happen to an image, each with its words.
namespace law {

struct Letter {
  std::string words;
  Step step;
  bool only_guarded = false;
  bool ends_exception = false;  ///< the time goes to the end of the exception in force; not without one
  int minutes = 2;              ///< that pass before it
};

inline Letter complete_listing(const std::string& words, Each<bool> listed) {
  Step step;
  step.complete = true;
  step.listed = step.row = listed;
  return {"a complete listing: " + words, step};
}
inline Letter failed_poll(const std::string& words, Failure failure, Each<bool> row = {}) {
  Step step;
  step.failure = failure;
  step.row = row;
  return {words, step};
}
inline Letter restart(const std::string& words, bool saved) {
  Step step;
  step.kind = Step::Kind::restart;
  step.saved = saved;
  return {words, step};
}
inline Letter reload(const std::string& words, const Rules& rules) {
  Step step;
  step.kind = Step::Kind::reload;
  step.rules = rules;
  return {words, step};
}
/// Time that passes, or a cycle that ends by it.
inline Letter time_passes(const std::string& words, Step::Kind kind, int minutes, bool held = false) {
  Step step;
  step.kind = kind;
  step.ends_cycle = true;
  step.held = held;
  return {words, step, kind == Step::Kind::cycle_end, false, minutes};
}

/// An exception lasts longer than any silence before it.
inline constexpr int kExceptionLasts = 10'000;

inline std::vector<Letter> alphabet() {
  std::vector<Letter> all{
      complete_listing("nobody", {false, false}),
      complete_listing("A", {true, false}),
      complete_listing("B", {false, true}),
      complete_listing("A and B", {true, true}),
      complete_listing("A, after a pass that saw B", {true, false}),
      failed_poll("a listing that broke off after a row of A", Failure::throttled, {true, false}),
      failed_poll("a listing that broke off after a row of B", Failure::throttled, {false, true}),
      failed_poll("a poll that is throttled", Failure::throttled),
      failed_poll("a poll that is forbidden", Failure::forbidden),
      failed_poll("the inventory lacks the image", Failure::gone),
      reload("a config that allows nobody", {}),
      reload("a config that allows A", {{true, false}, {}, {kNever, kNever}}),
      reload("a config that requires A", {{}, {true, false}, {kNever, kNever}}),
      reload("a config with an exception for A", {{}, {}, {kExceptionLasts, kNever}}),
      restart("a restart", true),
      restart("a kill and a restart", false),
      restart("a restart with a config that allows nobody", true),
      time_passes("ten hours without a poll", Step::Kind::silence, 600),
      time_passes("the exception ends", Step::Kind::silence, 0),
      time_passes("the cycle ends", Step::Kind::cycle_end, 20),
      time_passes("the cycle ends, and too many images lost accounts in it", Step::Kind::cycle_end, 20, true),
  };
  all[4].step.row = {true, true};
  all[18].ends_exception = true;
  return all;
}
inline constexpr std::size_t kRestartWithoutRules = 16;

/// The history one step longer; false if the letter cannot happen after it.
inline bool append(const House& house, const Letter& letter, bool new_rules, History& history) {
  if (letter.only_guarded && !house.guarded) return false;
  Step step = letter.step;
  const int now = history.empty() ? 0 : history.back().at;
  const Rules before = history.empty() ? Rules{} : history.back().rules;
  step.at = now + letter.minutes;
  if (step.kind != Step::Kind::reload && !new_rules) step.rules = before;
  for (int& until : step.rules.excepted_until) {
    if (step.kind == Step::Kind::reload && until != kNever) until += now;
  }
  if (letter.ends_exception) {
    step.at = *std::max_element(before.excepted_until.begin(), before.excepted_until.end());
    if (step.at <= now) return false;
  }
  step.ends_cycle = step.ends_cycle && house.guarded;
  history.push_back(step);
  return true;
}

}  // namespace law
