#pragma once

#include "core/view.hpp"

#include <array>
#include <string>
#include <string_view>

namespace sharedrift {

/// How an image stands, for people: the worst of what is known, and never `in_sync` without a proof that is
/// complete and not older than stale_after. Worst first.
enum class Standing { leaking, missing, unknown, in_sync };
inline constexpr std::array kAllStandings{Standing::leaking, Standing::missing, Standing::unknown,
                                          Standing::in_sync};
std::string_view to_string(Standing standing);

struct Judgement {
  Standing standing = Standing::unknown;
  /// Why it is unknown, or what else a reader must know (drift seen and then blind). Lower case, no period;
  /// may be empty.
  std::string why;
  bool stale = false;  ///< the last proof is older than stale_after, or there is none
};

/// A canary is in sync while its drift shows, and unknown when it does not: then the watching is broken.
Judgement judge(const ImageView& view, WallTime now, Millis stale_after);

/// `12 s`, `4 min`, `3 h`, `2 d`: the age of `then` in its largest unit; 0 s for what lies ahead.
std::string format_age(WallTime then, WallTime now);

}  // namespace sharedrift
