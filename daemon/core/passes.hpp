#pragma once

#include "core/failure.hpp"
#include "core/result.hpp"

#include <optional>
#include <utility>

namespace sharedrift {

/// Contradictions that a list in motion explains, so that reading again may help. The others would only
/// repeat.
constexpr bool worth_another_pass(Reason reason) {
  return reason == Reason::duplicate_row || reason == Reason::count_changed ||
         reason == Reason::count_mismatch;
}

/// What is proven by the passes over a paged list, of shares or of images: a list that can move while it is
/// read is proven by two passes in a row that agree, each consistent in itself. Pure.
template <class Rows>
class Passes {
 public:
  /// `most`: after so many passes without a proof the list is unstable.
  explicit Passes(int most) : most_(most) {}

  /// A pass over all pages is over. `why`: how it contradicts itself, if it does; `alone`: it is a proof by
  /// itself if it does not. The proven rows, or why there will be no proof; nothing: another pass decides.
  std::optional<Result<Rows, Failure>> judge(std::optional<Failure> why, bool alone, Rows rows) {
    const bool last_chance = ++judged_ >= most_;
    if (why) {
      last_sound_.reset();
      if (alone || !worth_another_pass(why->reason) || (last_chance && !any_sound_))
        return Err(std::move(*why));
    } else {
      any_sound_ = true;
      if (alone || last_sound_ == rows) return rows;
      last_sound_ = std::move(rows);
    }
    if (last_chance) return Err(make_failure(Reason::unstable, "the passes over the list never agreed"));
    return std::nullopt;
  }

 private:
  int most_;
  int judged_ = 0;
  std::optional<Rows> last_sound_;  ///< of the pass before, if it was sound
  bool any_sound_ = false;
};

}  // namespace sharedrift
