#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

/// The law of the house, written as plainly as can be and by another way than the tracker goes: nothing is
/// remembered; what is known, missing and gone is read from the whole history each time. Nothing of core/ is
/// used.
namespace law {

/// Of two accounts, 0 and 1.
using Who = std::size_t;
inline constexpr Who kAccounts = 2;
template <class T>
using Each = std::array<T, kAccounts>;
/// Times are minutes; this is none of them.
inline constexpr int kNever = -1;

struct Rules {
  Each<bool> allowed{};
  Each<bool> required{};
  Each<int> excepted_until{kNever, kNever};
};

enum class Failure { none, throttled, forbidden, gone, unknown_owner };

/// What happened at one moment.
struct Step {
  enum class Kind { poll, reload, silence, cycle_end, restart, rewatch };
  Kind kind = Kind::poll;
  int at = 0;
  Rules rules{};  ///< in force from here on
  // of a poll
  Each<bool> row{};     ///< seen in at least one row
  Each<bool> listed{};  ///< in the proven list
  bool complete = false;
  Failure failure = Failure::none;
  // of a restart
  bool saved = false;  ///< after a clean stop, not a kill
  // of an image that leaves the watch and is watched again
  bool kill_between = false;
  // of any but a poll
  bool ends_cycle = false;
  bool held = false;  ///< too many images lost accounts in the cycle that ends
};
using History = std::vector<Step>;

/// The settings under which the law is applied.
struct House {
  int confirm = 2;
  bool guarded = false;
  bool canary = false;
  bool one_account = false;  ///< nothing is ever heard of the other
};

/// A history as it is read. `i` and `j` are steps; one that is not there is -1.
class Law {
 public:
  Law(const House& house, const History& history) : house_(house), history_(history) {}

  // What a step is.
  [[nodiscard]] int end() const { return static_cast<int>(history_.size()) - 1; }
  [[nodiscard]] const Step& at(int i) const { return history_[static_cast<std::size_t>(i)]; }
  [[nodiscard]] int time(int i) const { return i < 0 ? kNever : at(i).at; }
  [[nodiscard]] bool poll(int i) const { return at(i).kind == Step::Kind::poll; }
  [[nodiscard]] bool rewatch(int i) const { return at(i).kind == Step::Kind::rewatch; }
  /// The image begins another life, with all that was known of it.
  [[nodiscard]] bool restart(int i) const { return at(i).kind == Step::Kind::restart || rewatch(i); }
  [[nodiscard]] bool complete(int i) const { return poll(i) && at(i).complete; }
  [[nodiscard]] bool gone(int i) const { return poll(i) && at(i).failure == Failure::gone; }
  [[nodiscard]] bool row(int i, Who a) const { return poll(i) && at(i).row.at(a); }
  [[nodiscard]] bool lacks(int i, Who a) const { return (complete(i) || gone(i)) && !row(i, a); }
  [[nodiscard]] bool is_there(int i) const {
    return poll(i) && !gone(i) && (complete(i) || row(i, 0) || row(i, 1));
  }
  [[nodiscard]] bool required(int i, Who a) const { return at(i).rules.required.at(a); }
  [[nodiscard]] bool may_have(int i, Who a, int when) const {
    return at(i).rules.allowed.at(a) || required(i, a) || at(i).rules.excepted_until.at(a) > when;
  }

  // How a history is searched.
  template <class Is>
  [[nodiscard]] int last(int i, Is is) const {
    while (i >= 0 && !is(i))
      --i;
    return i;
  }
  template <class Is>
  [[nodiscard]] int first(int from, int to, Is is) const {
    for (int j = std::max(from, 0); j <= to; ++j) {
      if (is(j)) return j;
    }
    return -1;
  }
  template <class Is>
  [[nodiscard]] int count(int from, int to, Is is) const {
    int n = 0;
    for (int j = std::max(from, 0); j <= to; ++j)
      n += is(j) ? 1 : 0;
    return n;
  }
  /// The first of the steps up to `i` at all of which it is so.
  template <class Is>
  [[nodiscard]] int since(int i, Is is) const {
    return last(i, [&](int j) { return !is(j); }) + 1;
  }

  // The law. Absence needs proof: `confirm` listings of this life that lack the thing. The guard waits for
  // the end of the cycle of the first; if too many images lost accounts in it, what that cycle said does not
  // count.
  struct Proof {
    bool begun = false;
    int count = 0;
    bool cycle_over = false;
    bool held = false;
  };
  template <class Is>
  [[nodiscard]] Proof proof(int after, int i, Is is) const {
    const int begin = std::max(after, last(i, [&](int j) { return restart(j); })) + 1;
    const int one = first(begin, i, is);
    if (one < 0) return {};
    const int end = first(one, i, [&](int j) { return at(j).ends_cycle; });
    const bool held = end >= 0 && at(end).held;
    return {true, std::min(house_.confirm, count(held ? end : begin, i, is)), end >= 0, held};
  }
  [[nodiscard]] bool enough(const Proof& proof) const {
    return proof.count >= house_.confirm && (!house_.guarded || proof.cycle_over);
  }
  [[nodiscard]] int last_row(int i, Who a) const {
    return last(i, [&](int j) { return row(j, a); });
  }
  [[nodiscard]] Proof proof_of_absence(int i, Who a) const {
    return proof(last_row(i, a), i, [&](int j) { return lacks(j, a); });
  }
  [[nodiscard]] Proof proof_of_gone(int i) const {
    return proof(last(i, [&](int j) { return is_there(j); }), i, [&](int j) { return gone(j); });
  }

  /// Presence is cheap: one row will do, until its absence is proven.
  [[nodiscard]] bool known(int i, Who a) const {
    const int row = last_row(i, a);
    return row >= 0 && first(row, i, [&](int j) { return enough(proof_of_absence(j, a)); }) < 0;
  }
  /// The first listing that lacks it since its last row, be it in an earlier life.
  [[nodiscard]] int lost(int i, Who a) const {
    return first(last_row(i, a), i, [&](int j) { return lacks(j, a); });
  }
  [[nodiscard]] bool unexpected(int i, Who a) const { return known(i, a) && !may_have(i, a, at(i).at); }
  /// The last step at which it could not be missed: it was there, or nobody wanted it, or there was no image.
  [[nodiscard]] int not_missed(int i, Who a) const {
    return last(i, [&](int j) { return row(j, a) || !required(j, a) || enough(proof_of_gone(j)); });
  }
  /// Missing is what a required account is after as many complete listings without it. Nobody holds that
  /// back.
  [[nodiscard]] int missed(int i, Who a) const {
    return std::min(house_.confirm, count(not_missed(i, a) + 1, i, [&](int j) { return complete(j); }));
  }
  [[nodiscard]] bool missing(int i, Who a) const { return missed(i, a) == house_.confirm; }
  /// A canary must show drift, which a proof that it does not can refute.
  enum class Canary { untold, sings, lost };
  [[nodiscard]] Canary canary(int i) const {
    if (i < 0) return Canary::untold;
    if (unexpected(i, 0) || unexpected(i, 1)) return Canary::sings;
    if (complete_in_life(i) == house_.confirm) return Canary::lost;
    return restart(i) ? Canary::untold : canary(i - 1);
  }
  [[nodiscard]] int complete_in_life(int i) const {
    const int begin = last(i, [&](int j) { return restart(j); });
    return std::min(house_.confirm, count(begin, i, [&](int j) { return complete(j); }));
  }

 private:
  const House& house_;
  const History& history_;
};

}  // namespace law
