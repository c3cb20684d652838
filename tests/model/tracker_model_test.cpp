// Every history up to a depth happens to a tracker, and the law is read from it: both must say the same after
// each step. States that are equal are entered once; the first difference that is found is a shortest one.
#include "alphabet.hpp"
#include "model_depth.hpp"
#include "picture.hpp"
#include "world.hpp"

#include <chrono>
#include <cstdint>
#include <iostream>
#include <string>
#include <unordered_set>
#include <vector>

#include <gtest/gtest.h>

namespace sharedrift::testing {
namespace {

using law::House;

/// Indices of letters.
using Word = std::string;

const std::vector<law::Letter>& letters() {
  static const std::vector<law::Letter> all = law::alphabet();
  return all;
}

/// Numbers that tell a state, with moments as ranks: what matters of a time is what it comes before.
class StateKey {
 public:
  void number(int value) { numbers_.push_back(value); }
  void time(int value) {
    times_.push_back(numbers_.size());
    numbers_.push_back(value);
  }
  void add(const law::Picture& picture) {
    for (const law::Account& a : picture.accounts) {
      for (const int t : {a.not_before, a.first_seen, a.last_seen, a.lost_since, a.unexpected_since,
                          a.missed_since, a.missed_last_seen, a.missing_since})
        time(t);
      for (const int n : {int{a.known}, a.absences, int{a.held}, int{a.unexpected_first_run}, a.missed,
                          int{a.missing_first_run}})
        number(n);
    }
    for (const int t : {picture.state_since, picture.last_poll, picture.last_complete})
      time(t);
    for (const int n : {static_cast<int>(picture.state), int{picture.listing_complete}, picture.shared,
                        picture.unused, int{picture.may_claim_0}})
      number(n);
  }
  [[nodiscard]] std::string text() const {
    std::vector<int> ranks;
    for (const std::size_t place : times_)
      ranks.push_back(numbers_[place]);
    std::sort(ranks.begin(), ranks.end());
    ranks.erase(std::unique(ranks.begin(), ranks.end()), ranks.end());
    std::vector<int> out = numbers_;
    for (const std::size_t place : times_) {
      if (out[place] == law::kNever) continue;
      out[place] = static_cast<int>(std::lower_bound(ranks.begin(), ranks.end(), out[place]) - ranks.begin());
    }
    std::string text;
    for (const int number : out)
      text += static_cast<char>(number);
    return text;
  }

 private:
  std::vector<int> numbers_;
  std::vector<std::size_t> times_;
};

std::string state_key(const House& house, const law::History& history, const law::Picture& picture) {
  StateKey key;
  const law::Memory memory = law::memory(house, history);
  const law::Step& last = history.back();
  key.time(last.at);
  key.add(picture);
  key.add(law::picture(house, law::survivors(house, history)));  // what a kill would leave
  for (law::Who a = 0; a < law::kAccounts; ++a) {
    key.number(memory.cycle_over.at(a));
    key.number(last.rules.allowed.at(a));
    key.number(last.rules.required.at(a));
    key.time(last.rules.excepted_until.at(a));
  }
  for (const int n : {int{memory.gone.begun}, memory.gone.count, int{memory.gone.cycle_over},
                      int{memory.gone.held}, static_cast<int>(memory.canary), memory.complete_in_life,
                      memory.complete_ever, static_cast<int>(memory.failure)})
    key.number(n);
  return key.text();
}

std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts)
    out += (out.empty() ? "" : ", ") + part;
  return out.empty() ? "nothing" : out;
}

/// Where law and tracker differ, in words; empty if they do not.
std::string difference(const House& house, const law::History& history, const law::Picture& law,
                       const World& world) {
  std::string out;
  const law::Picture is = world.picture();
  const auto compare = [&out](const std::string& what, int by_law, int by_tracker) {
    if (by_law != by_tracker)
      out += "    " + what + ": " + law::moment(by_law) + " by the law, " + law::moment(by_tracker) +
             " by the tracker\n";
  };
  for (law::Who a = 0; a < law::kAccounts && law != is; ++a) {
    const std::string who = a == 0 ? "A: " : "B: ";
    const law::Account& x = law.accounts.at(a);
    const law::Account& y = is.accounts.at(a);
    compare(who + "known", x.known, y.known);
    compare(who + "not there before", x.not_before, y.not_before);
    compare(who + "first seen", x.first_seen, y.first_seen);
    compare(who + "last seen", x.last_seen, y.last_seen);
    compare(who + "lost since", x.lost_since, y.lost_since);
    compare(who + "absences that count", x.absences, y.absences);
    compare(who + "held", x.held, y.held);
    compare(who + "unexpected since", x.unexpected_since, y.unexpected_since);
    compare(who + "unexpected at the first read", x.unexpected_first_run, y.unexpected_first_run);
    compare(who + "missed how often", x.missed, y.missed);
    compare(who + "missed since", x.missed_since, y.missed_since);
    compare(who + "last seen before it was missed", x.missed_last_seen, y.missed_last_seen);
    compare(who + "missing since", x.missing_since, y.missing_since);
    compare(who + "missing at the first read", x.missing_first_run, y.missing_first_run);
  }
  compare("state", static_cast<int>(law.state), static_cast<int>(is.state));
  compare("state since", law.state_since, is.state_since);
  compare("last poll", law.last_poll, is.last_poll);
  compare("last complete", law.last_complete, is.last_complete);
  compare("listing complete", law.listing_complete, is.listing_complete);
  compare("shared accounts", law.shared, is.shared);
  compare("unused entries", law.unused, is.unused);
  compare("may claim a 0", law.may_claim_0, is.may_claim_0);
  const std::vector<std::string> news = law::news(house, history);
  if (news != world.news())
    out +=
        "    news: " + joined(news) + " by the law,\n          " + joined(world.news()) + " by the tracker\n";
  if (const std::string odd = world.contradictions(); !odd.empty())
    out += "    the tracker contradicts itself: " + odd + "\n";
  return out;
}

class Search {
 public:
  Search(const House& house, int depth, bool merge) : house_(house), depth_(depth), merge_(merge) {}

  /// Walks through all histories, shortest first; stops at the first difference, which it gives in words.
  std::string run() {
    std::vector<Word> level{Word{}};
    for (int length = 1; length <= depth_; ++length) {
      std::vector<Word> next;
      for (const Word& word : level) {
        for (std::size_t letter = 0; letter < letters().size(); ++letter) {
          const std::string found = enter(word, letter, length == depth_ ? nullptr : &next);
          if (!found.empty()) return found;
        }
      }
      level = std::move(next);
    }
    return {};
  }
  [[nodiscard]] std::size_t steps() const { return steps_; }
  [[nodiscard]] std::size_t states() const { return states_.size(); }

 private:
  std::string enter(const Word& word, std::size_t letter, std::vector<Word>* next) {
    law::History history;
    World world(house_);
    for (const char c : word + static_cast<char>(letter)) {
      const law::Letter& what = letters().at(static_cast<std::size_t>(c));
      const bool kill = what.step.kind == law::Step::Kind::restart && !what.step.saved;
      if (!append(house_, what, history)) return {};
      if (kill) {
        const law::Step last = history.back();
        history.pop_back();
        history = law::survivors(house_, history);
        history.push_back(last);
      }
      world.take(history.back());
    }
    ++steps_;
    const law::Picture picture = law::picture(house_, history);
    const std::string differs = difference(house_, history, picture, world);
    if (!differs.empty()) return in_words(word + static_cast<char>(letter)) + differs;
    if (next != nullptr && (!merge_ || states_.insert(state_key(house_, history, picture)).second))
      next->push_back(word + static_cast<char>(letter));
    return {};
  }

  [[nodiscard]] std::string in_words(const Word& word) const {
    std::string out = "\n  confirm_clears " + std::to_string(house_.confirm) +
                      (house_.guarded ? ", guarded" : "") + (house_.canary ? ", a canary" : "") +
                      ", nobody allowed; then\n";
    law::History history;
    for (const char c : word) {
      const law::Letter& what = letters().at(static_cast<std::size_t>(c));
      append(house_, what, history);
      out += "    minute " + std::to_string(history.back().at) + ": " + what.words + "\n";
    }
    return out + "  after that\n";
  }

  House house_;
  int depth_;
  bool merge_;
  std::size_t steps_ = 0;
  std::unordered_set<std::string> states_;
};

void check(const House& house, int depth, bool merge) {
  const auto begin = std::chrono::steady_clock::now();
  Search search(house, depth, merge);
  const std::string difference = search.run();
  EXPECT_EQ(difference, "");
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::cout << "  confirm_clears " << house.confirm << (house.guarded ? ", guarded" : "")
            << (house.canary ? ", canary" : "") << (house.one_account ? ", one account" : "") << ": depth "
            << depth << ", " << search.steps() << " steps, " << search.states() << " states, " << took.count()
            << " s\n";
}

class TrackerModel : public ::testing::TestWithParam<House> {};

TEST_P(TrackerModel, SaysWhatTheLawSays) {
  check(GetParam(), model_depth(), true);
}

/// Accounts meet in little, so that one alone may go further.
TEST_P(TrackerModel, SaysWhatTheLawSaysOfOneAccount) {
  House house = GetParam();
  house.one_account = true;
  check(house, model_depth() + 1, true);
}

/// Without the merging of equal states, which might hide a difference between them.
TEST_P(TrackerModel, SaysWhatTheLawSaysWhateverWentBefore) {
  check(GetParam(), 3, false);
}

std::vector<House> houses() {
  std::vector<House> all;
  for (int confirm = 1; confirm <= 3; ++confirm) {
    for (const bool guarded : {false, true})
      all.push_back({confirm, guarded, false});
  }
  all.push_back({2, false, true});
  all.push_back({2, true, true});
  return all;
}
INSTANTIATE_TEST_SUITE_P(EveryHouse, TrackerModel, ::testing::ValuesIn(houses()),
                         [](const ::testing::TestParamInfo<House>& at) {
                           return "Confirm" + std::to_string(at.param.confirm) +
                                  (at.param.guarded ? "Guarded" : "") + (at.param.canary ? "Canary" : "");
                         });

}  // namespace
}  // namespace sharedrift::testing
