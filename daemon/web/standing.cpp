#include "web/standing.hpp"

#include <algorithm>

namespace sharedrift {

namespace {

/// Why the last attempt is no proof.
std::string_view blindness(ImageState state) {
  switch (state) {
    case ImageState::never_read: return "not read yet";
    case ImageState::ok:
    case ImageState::empty:  // restored from a state of before the restart
    case ImageState::incomplete: return "the listing was not complete";
    case ImageState::unstable: return "the list kept changing while it was read";
    case ImageState::forbidden: return "access refused";
    case ImageState::gone: return "the image is gone";
    case ImageState::invalid: return "the API refuses the image id";
    case ImageState::unreachable: return "the API could not be asked";
  }
  return "not known";
}

}  // namespace

std::string_view to_string(Standing standing) {
  switch (standing) {
    case Standing::leaking: return "leaking";
    case Standing::missing: return "missing";
    case Standing::unknown: return "unknown";
    case Standing::in_sync: return "in_sync";
  }
  return "";
}

Judgement judge(const ImageView& view, WallTime now, Millis stale_after) {
  Judgement out;
  out.stale = !view.last_complete || now - *view.last_complete > stale_after;
  if (!view.listing_complete) {
    out.why = blindness(view.state);
  } else if (out.stale || !view.unexpected_accounts || !view.missing_accounts) {
    out.why = view.last_complete ? "the last proof is " + format_age(*view.last_complete, now) + " old"
                                 : "not read yet";
  }
  const auto any = [&view](DriftKind kind) {
    return std::any_of(view.drifts.begin(), view.drifts.end(),
                       [kind](const DriftView& drift) { return drift.kind == kind; });
  };
  const bool leaks = any(DriftKind::unexpected);
  if (view.policy->canary && leaks) {
    out.standing = out.why.empty() ? Standing::in_sync : Standing::unknown;
    if (out.why.empty()) out.why = "canary: its drift shows, as it must";
  } else if (leaks) {
    out.standing = Standing::leaking;
  } else if (any(DriftKind::missing)) {
    out.standing = Standing::missing;
  } else if (view.policy->canary && out.why.empty()) {
    out.why = "canary lost: its drift does not show";
  } else if (out.why.empty()) {
    out.standing = Standing::in_sync;
  }
  return out;
}

std::string format_age(WallTime then, WallTime now) {
  const std::int64_t seconds =
      std::max<std::int64_t>(std::chrono::floor<std::chrono::seconds>(now - then).count(), 0);
  constexpr std::int64_t kMinute = 60;
  constexpr std::int64_t kHour = 60 * kMinute;
  constexpr std::int64_t kDay = 24 * kHour;
  if (seconds < 2 * kMinute) return std::to_string(seconds) + " s";
  if (seconds < 2 * kHour) return std::to_string(seconds / kMinute) + " min";
  if (seconds < 2 * kDay) return std::to_string(seconds / kHour) + " h";
  return std::to_string(seconds / kDay) + " d";
}

}  // namespace sharedrift
