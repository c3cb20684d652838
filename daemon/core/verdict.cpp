#include "core/verdict.hpp"

#include <algorithm>
#include <numeric>

namespace sharedrift {

namespace {

/// What came of a request that gave nothing to read.
std::string_view unanswered(const Failure* failure) {
  if (failure == nullptr) return "the API could not be asked";  // restored
  switch (failure->reason) {
    case Reason::credentials: return "there are no usable credentials to ask the API with";
    case Reason::throttled: return "the API throttles";
    case Reason::clock_skew: return "the API refuses this host's clock";
    case Reason::server_error:
    case Reason::api_other: return "the API answered with an error";
    case Reason::local:
    case Reason::internal: return "the exporter has trouble of its own";
    default: return "the API could not be reached";
  }
}

/// Why the last poll is no proof.
std::string_view blindness(const ImageView& view) {
  switch (view.state) {
    case ImageState::never_read: return "not read yet";
    case ImageState::ok:
    case ImageState::empty:  // restored from a state of before the restart
    case ImageState::incomplete: return "the listing was not complete";
    case ImageState::unstable: return "the list kept changing while it was read";
    case ImageState::forbidden: return "access refused";
    case ImageState::gone:
      return view.last_complete ? "not among the images of the account any more"
                                : "not among the images of the account";
    case ImageState::invalid: return "the API refuses the image id";
    case ImageState::unreachable: return unanswered(view.last_failure.get());
  }
  return "not known";
}

std::string counted(std::size_t count, std::string_view one, std::string_view many) {
  return std::to_string(count) + " " + std::string(count == 1 ? one : many);
}

}  // namespace

std::string_view label(Verdict verdict) {
  switch (verdict) {
    case Verdict::unexpected: return "Unexpected";
    case Verdict::missing: return "Missing";
    case Verdict::unknown: return "Unknown";
    case Verdict::in_sync: return "In sync";
  }
  return "";
}

Judgement judge(const ImageView& view, WallTime now) {
  Judgement out;
  out.stale = !view.last_complete || now - *view.last_complete > view.policy->stale_after;
  if (view.unwatched_since) {
    out.why = "not watched here for " + format_age(*view.unwatched_since, now) + "; its drift was open then";
  } else if (!view.listing_complete) {
    out.why = blindness(view);
  } else if (out.stale || !view.unexpected_accounts || !view.missing_accounts) {
    out.why = view.last_complete ? "the last proof is " + format_age(*view.last_complete, now) + " old"
                                 : "not read yet";
  }
  const auto shows = [&view](DriftKind kind) {
    return std::any_of(view.drifts.begin(), view.drifts.end(),
                       [kind](const DriftView& drift) { return drift.kind == kind; });
  };
  const bool unexpected = shows(DriftKind::unexpected);
  const bool canary = view.policy->canary;
  if (unexpected && !canary) {
    out.verdict = Verdict::unexpected;
  } else if (shows(DriftKind::missing)) {
    out.verdict = Verdict::missing;
  } else if (out.why.empty() && canary && !unexpected) {
    out.why = "canary lost: its drift does not show";
  } else if (out.why.empty()) {
    out.verdict = Verdict::in_sync;
    if (canary) out.why = "canary: its drift shows, as it must";
  }
  return out;
}

std::size_t VerdictCounts::total() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::size_t{0});
}

Verdict VerdictCounts::worst() const {
  const auto* found = std::find_if(kAllVerdicts.begin(), kAllVerdicts.end(),
                                   [this](Verdict verdict) { return of(verdict) > 0; });
  if (found == kAllVerdicts.end()) return Verdict::unknown;
  return *found == Verdict::in_sync && !complete_ ? Verdict::unknown : *found;
}

std::string VerdictCounts::headline() const {
  const auto [unexpected, missing, unknown, in_sync] = counts_;
  if (in_sync == total() && !complete_) return "It is not known which images there are";
  if (total() == 0) return "No image is watched here";
  if (unexpected > 0)
    return counted(unexpected, "image is", "images are") + " shared with unexpected accounts";
  if (missing > 0) return counted(missing, "image has", "images have") + " missing accounts";
  if (unknown == total()) return "No image can be judged";
  if (unknown > 0) return counted(unknown, "image", "images") + " cannot be judged";
  return in_sync == 1 ? "The image is in sync" : "All " + std::to_string(in_sync) + " images are in sync";
}

std::string VerdictCounts::subline() const {
  const auto [unexpected, missing, unknown, in_sync] = counts_;
  std::string out;
  const auto add = [&out](const std::string& part) { out += (out.empty() ? "" : " · ") + part; };
  if (unexpected > 0 && missing > 0) add(std::to_string(missing) + " with missing accounts");
  if (unexpected + missing > 0 && unknown > 0) add(std::to_string(unknown) + " cannot be judged");
  if (in_sync != total() || (in_sync > 0 && !complete_))
    add(std::to_string(in_sync) + " of " + std::to_string(total()) + " in sync");
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
