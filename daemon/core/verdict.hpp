#pragma once

#include "core/enumerators.hpp"
#include "core/view.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace sharedrift {

/// How an image stands, for people: the worst of what is known, and never `in_sync` without a proof that is
/// complete and not older than stale_after. Worst first. `unexpected` and `missing` are the two kinds of
/// drift.
enum class Verdict { unexpected, missing, unknown, in_sync };
inline constexpr auto kAllVerdicts = kEnumerators<Verdict::in_sync>.first;
inline std::string_view to_string(Verdict verdict) {
  return enumerator_name<Verdict::in_sync>(verdict);
}
/// As people read it: `Unexpected` ... `In sync`.
std::string_view label(Verdict verdict);

struct Judgement {
  Verdict verdict = Verdict::unknown;
  /// Why it is unknown, or what else a reader must know (drift seen and then blind). Lower case, no period;
  /// may be empty.
  std::string why;
  bool stale = false;  ///< the last proof is older than stale_after, or there is none
};

/// The one judge of the page, the API and the commands. A canary is in sync while its unexpected account
/// shows, and unknown when it does not: then the watching is broken.
Judgement judge(const ImageView& view, WallTime now);

/// How many images have which verdict.
class VerdictCounts {
 public:
  void add(Verdict verdict) { ++counts_.at(static_cast<std::size_t>(verdict)); }
  /// There may be images to judge that nobody knows: not all can be said to be in sync.
  void add_unknown_images() { complete_ = false; }
  [[nodiscard]] std::size_t of(Verdict verdict) const {
    return counts_.at(static_cast<std::size_t>(verdict));
  }
  [[nodiscard]] std::size_t total() const;
  /// Of no images: unknown.
  [[nodiscard]] Verdict worst() const;
  /// The worst there is, in one sentence without a period.
  [[nodiscard]] std::string headline() const;
  /// The rest; may be empty.
  [[nodiscard]] std::string subline() const;

 private:
  std::array<std::size_t, kAllVerdicts.size()> counts_{};
  bool complete_ = true;
};

/// `12 s`, `4 min`, `3 h`, `2 d`: the age of `then` in its largest unit; 0 s for what lies ahead.
std::string format_age(WallTime then, WallTime now);

}  // namespace sharedrift
