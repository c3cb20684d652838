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
  bool new_rules = false;       ///< else those of the step before stay in force
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
inline Letter restart(const std::string& words, bool saved, bool new_rules = false) {
  Step step;
  step.kind = Step::Kind::restart;
  step.saved = saved;
  return {words, step, false, false, 2, new_rules};
}
inline Letter rewatch(const std::string& words, bool kill_between, bool new_rules = false) {
  Step step;
  step.kind = Step::Kind::rewatch;
  step.kill_between = kill_between;
  return {words, step, false, false, 2, new_rules};
}
inline Letter reload(const std::string& words, const Rules& rules) {
  Step step;
  step.kind = Step::Kind::reload;
  step.rules = rules;
  return {words, step, false, false, 2, true};
}
/// Time that passes, or a cycle that ends by it.
inline Letter time_passes(const std::string& words, Step::Kind kind, int minutes, bool held = false) {
  Step step;
  step.kind = kind;
  step.ends_cycle = true;
  step.held = held;
  return {words, step, kind == Step::Kind::cycle_end, false, minutes};
}
inline Letter the_exception_ends() {
  Letter letter = time_passes("the exception ends", Step::Kind::silence, 0);
  letter.ends_exception = true;
  return letter;
}
inline Letter complete_listing_of_a_after_a_pass_that_saw_b() {
  Letter letter = complete_listing("A, after a pass that saw B", {true, false});
  letter.step.row = {true, true};
  return letter;
}

/// An exception lasts longer than any silence before it.
inline constexpr int kExceptionLasts = 10'000;

/// An empty list is what the inventory says it is: a proof where it lists the image, the end of the image
/// where it lacks it, and nothing where nobody can tell.
inline std::vector<Letter> alphabet() {
  return {
      complete_listing("nobody, and the inventory lists the image", {false, false}),
      complete_listing("A", {true, false}),
      complete_listing("B", {false, true}),
      complete_listing("A and B", {true, true}),
      complete_listing_of_a_after_a_pass_that_saw_b(),
      failed_poll("a listing that broke off after a row of A", Failure::throttled, {true, false}),
      failed_poll("a listing that broke off after a row of B", Failure::throttled, {false, true}),
      failed_poll("a poll that is throttled", Failure::throttled),
      failed_poll("a poll that is forbidden", Failure::forbidden),
      failed_poll("an empty list, and the inventory lacks the image", Failure::gone),
      failed_poll("an empty list, and nobody can tell whose the image is", Failure::unknown_owner),
      reload("a config that allows nobody", {}),
      reload("a config that allows A", {{true, false}, {}, {kNever, kNever}}),
      reload("a config that requires A", {{}, {true, false}, {kNever, kNever}}),
      reload("a config with an exception for A", {{}, {}, {kExceptionLasts, kNever}}),
      restart("a restart", true),
      restart("a kill and a restart", false),
      restart("a restart with a config that allows nobody", true, true),
      rewatch("the image leaves the watch and is watched again", false),
      rewatch("the image leaves the watch, a kill, and it is watched again", true),
      rewatch("the image leaves the watch and is watched again, with a config that allows nobody", false,
              true),
      time_passes("ten hours without a poll", Step::Kind::silence, 600),
      the_exception_ends(),
      time_passes("the cycle ends", Step::Kind::cycle_end, 20),
      time_passes("the cycle ends, and too many images lost accounts in it", Step::Kind::cycle_end, 20, true),
  };
}

/// The history one step longer; false if the letter cannot happen after it.
inline bool append(const House& house, const Letter& letter, History& history) {
  if (letter.only_guarded && !house.guarded) return false;
  if (house.one_account && (letter.step.row[1] || letter.step.listed[1])) return false;
  Step step = letter.step;
  const int now = history.empty() ? 0 : history.back().at;
  const Rules before = history.empty() ? Rules{} : history.back().rules;
  step.at = now + letter.minutes;
  if (!letter.new_rules) step.rules = before;
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
