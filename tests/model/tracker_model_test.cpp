// Every history up to a depth happens to a tracker, and the law is read from it: both must say the same after
// each step. Equal states are gone on from once; the first difference that is found is a shortest one.
#include "alphabet.hpp"
#include "arena.hpp"
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

/// Numbers that tell a state, with moments as ranks: what matters of a time is what it comes before. The
/// present is no such moment: every step is later than all before it.
class StateKey {
 public:
  void number(int value) { numbers_.push_back(value); }
  void time(int value) {
    times_.push_back(numbers_.size());
    numbers_.push_back(value);
  }
  [[nodiscard]] std::string text() const {
    std::vector<int> ranks;
    for (const std::size_t place : times_)
      ranks.push_back(numbers_[place]);
    std::sort(ranks.begin(), ranks.end());
    ranks.erase(std::unique(ranks.begin(), ranks.end()), ranks.end());
    std::string text(numbers_.begin(), numbers_.end());
    for (const std::size_t place : times_) {
      const int time = numbers_[place];
      if (time == law::kNever) continue;
      text[place] = static_cast<char>(std::lower_bound(ranks.begin(), ranks.end(), time) - ranks.begin());
    }
    return text;
  }

 private:
  std::vector<int> numbers_;
  std::vector<std::size_t> times_;
};

/// What matters of a moment, be it the present one or the one that a kill goes back to.
std::string key_of(const law::Picture& picture, const law::Memory& memory) {
  StateKey key;
  for (const law::Account& a : picture.accounts) {
    for (const int t : {a.not_before, a.first_seen, a.last_seen, a.lost_since, a.unexpected_since,
                        a.missed_since, a.missed_last_seen, a.missing_since})
      key.time(t);
    for (const int n : {int{a.known}, a.absences, int{a.held}, int{a.unexpected_first_run}, a.missed,
                        int{a.missing_first_run}})
      key.number(n);
  }
  for (const int t : {picture.state_since, picture.last_poll, picture.last_complete})
    key.time(t);
  for (const int n : {static_cast<int>(picture.state), int{picture.listing_complete}, picture.shared,
                      picture.unused, memory.complete_ever})
    key.number(n);
  return key.text();
}

/// What matters of the present one alone.
std::string key_of_life(const House& house, const law::Memory& memory) {
  StateKey key;
  for (const int n :
       {int{memory.gone.begun}, memory.gone.count, int{memory.gone.held}, static_cast<int>(memory.failure)})
    key.number(n);
  for (const bool over : {memory.cycle_over[0], memory.cycle_over[1], memory.gone.cycle_over})
    key.number(house.guarded && over);
  key.number(house.canary ? static_cast<int>(memory.canary) : 0);
  key.number(house.canary ? memory.complete_in_life : 0);
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
  const auto [is, odd] = world.look();
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
  if (!odd.empty()) out += "    the tracker contradicts itself: " + odd + "\n";
  return out;
}

/// A history that is gone on from.
struct Node {
  Word word;
  law::History history;              ///< without what kills took of it
  std::size_t saved = 0;             ///< steps of it that a kill leaves
  std::string saved_key;             ///< what matters of them
  int saved_complete = law::kNever;  ///< the last complete listing among them
};

class Search {
 public:
  Search(const House& house, int depth, bool merge) : house_(house), depth_(depth), merge_(merge) {
    World first(house_);  // outside the arena: what is made once and kept must not lie in it
    law::History history;
    for (const law::Letter& letter : letters()) {
      if (append(house_, letter, history)) first.take(history.back());
    }
  }

  /// Walks through all histories, shortest first; stops at the first difference, which it gives in words.
  std::string run() {
    std::vector<Node> level(1);
    for (int length = 1; length <= depth_; ++length) {
      std::vector<Node> next;
      for (const Node& node : level) {
        replay(node.word);
        for (std::size_t letter = 0; letter < letters().size(); ++letter) {
          const std::string found = enter(node, letter, length == depth_ ? nullptr : &next);
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
  /// The world after that history is the one that enter() goes on from.
  void replay(const Word& word) {
    arena::clear();
    {
      const arena::Inside inside;
      world_ = new World(house_);  // never destroyed: the arena is cleared
    }
    law::History history;
    for (const char c : word) {
      append(house_, letters().at(static_cast<std::size_t>(c)), history);
      const arena::Inside inside;
      world_->take(history.back());
    }
    arena::copy_to(before_);
  }

  std::string enter(const Node& node, std::size_t letter, std::vector<Node>* next) {
    Node entered = node;
    entered.word += static_cast<char>(letter);
    law::History& history = entered.history;
    if (!append(house_, letters().at(letter), history)) return {};
    const law::Step last = history.back();
    if (last.kind == law::Step::Kind::restart && !last.saved) {
      history.resize(node.saved);
      history.push_back(last);
    }
    arena::put_back(before_);
    {
      const arena::Inside inside;
      world_->take(last);
    }
    ++steps_;
    const law::Picture picture = law::picture(house_, history);
    const std::string differs = difference(house_, history, picture, *world_);
    if (!differs.empty()) return in_words(entered.word) + differs;
    if (next != nullptr && is_new(entered, picture)) next->push_back(std::move(entered));
    return {};
  }

  /// Whether no history was like this one. What is there now and what a kill leaves never meet, so that the
  /// moments of one are not compared with those of the other.
  bool is_new(Node& node, const law::Picture& picture) {
    const law::Memory memory = law::memory(house_, node.history);
    std::string key = key_of(picture, memory);
    if (law::is_saved(house_, node.history)) {
      node.saved = node.history.size();
      node.saved_key = key;
      node.saved_complete = picture.last_complete;
    }
    if (!merge_) return true;
    key += node.saved_key + key_of_life(house_, memory);
    const law::Step& now = node.history.back();
    for (law::Who a = 0; a < law::kAccounts; ++a) {
      const int until = now.rules.excepted_until.at(a);
      for (const bool so :
           {now.rules.allowed.at(a), now.rules.required.at(a), until != law::kNever, until > now.at})
        key += static_cast<char>(so);
    }
    for (const int proof : {picture.last_complete, node.saved_complete})
      key += static_cast<char>(proof != law::kNever && now.at < proof + law::kStaleAfter);
    return states_.insert(std::move(key)).second;
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
  World* world_ = nullptr;  ///< in the arena
  arena::Copy before_;      ///< of the arena, with the world after the history that is gone on from
  std::size_t steps_ = 0;
  std::unordered_set<std::string> states_;
};

void check(const House& house, int depth, bool merge) {
  const auto begin = std::chrono::steady_clock::now();
  Search search(house, depth, merge);
  const std::string difference = search.run();
  if (!difference.empty()) ADD_FAILURE() << difference;
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
  check(GetParam(), model_depth() - 2, false);
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
