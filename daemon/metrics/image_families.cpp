#include "metrics/image_families.hpp"

namespace sharedrift {

namespace {

using Type = prometheus::MetricType;
using View = const ImageView&;
using Out = ImageSamples&;

void add_time(Out out, const std::optional<WallTime>& time) {
  out.add(time ? unix_seconds(*time) : 0);
}
void add_count(Out out, std::uint64_t count) {
  out.add(static_cast<double>(count));
}
void add_by_kind(Out out, const std::array<std::uint64_t, 2>& counts) {
  for (const DriftKind kind : kAllDriftKinds)
    out.add(static_cast<double>(counts.at(static_cast<std::size_t>(kind))), {to_string(kind)});
}
void add_drifts(View view, Out out) {
  if (view.policy->canary) return;
  for (const DriftView& drift : view.drifts) {
    out.add(unix_seconds(drift.since),
            {drift.account.str(), name_of(drift.account, out.names), to_string(drift.kind)});
  }
}
void add_exceptions(View view, Out out) {
  for (const Exception& exception : view.policy->exceptions)
    out.add(unix_seconds(exception.expires), {exception.account.str()});
}
void add_failure(View view, Out out) {
  if (view.last_failure) out.add(1, {to_string(view.last_failure->reason), view.last_failure->code});
}

/// A gauge that the JSON API has too. No metric of canaries: so that no alert about drift sees them.
template <auto kGauge, bool kOfCanaries = true>
constexpr ImageFamily json_gauge(std::string_view name, std::string_view help) {
  return {{name, Type::Gauge, "image_id", help},
          [](View v, Out out) { out.add(kOfCanaries || !v.policy->canary ? v.*kGauge : std::nullopt); },
          false,
          kGauge};
}

constexpr std::array kImageFamilies{
    ImageFamily{{"share_drift_image_info", Type::Gauge, "image_id,image_name,team,severity,profile,source",
                 "A watched image and how it is configured, always 1, for joins."},
                [](View v, Out out) {
                  out.add(1, {v.policy->name, v.policy->team, v.policy->severity, v.policy->profile,
                              v.policy->discovered ? "discovered" : "configured"});
                }},
    json_gauge<&ImageView::shared_accounts>(
        "share_drift_shared_accounts",
        "Distinct accounts in the last complete listing, as of the last poll."),
    json_gauge<&ImageView::allowed_accounts>(
        "share_drift_allowed_accounts",
        "Accounts that the allow-list lets in, as of the last poll: required, allowed and unexpired "
        "exceptions."),
    json_gauge<&ImageView::unexpected_accounts, /*kOfCanaries=*/false>(
        "share_drift_unexpected_accounts",
        "Accounts that have access and should not, as of the last poll. Rises on partial reads too, falls "
        "only on proof; absent while nothing is proven."),
    json_gauge<&ImageView::unexpected_accounts_min, /*kOfCanaries=*/false>(
        "share_drift_unexpected_accounts_min",
        "TotalCount of the last answer that had one minus the accounts that the allow-list lets in, at "
        "least 0, as of the last poll: at least so many unexpected accounts there must be, listed or not, "
        "if the API counts right."),
    ImageFamily{{"share_drift_canary_drift_open", Type::Gauge, "image_id",
                 "Whether the drift that a canary image must always show is seen, as of the last poll. "
                 "Anything but 1 means that the detection is broken."},
                [](View v, Out out) {
                  if (v.policy->canary && v.unexpected_accounts) out.add(*v.unexpected_accounts > 0 ? 1 : 0);
                }},
    json_gauge<&ImageView::missing_accounts>(
        "share_drift_missing_accounts",
        "Accounts that must have access and are proven not to have it, as of the last poll; absent while "
        "nothing is proven."),
    json_gauge<&ImageView::unlisted_accounts>(
        "share_drift_unlisted_accounts",
        "Accounts that the API counted but did not list, as of the last poll."),
    json_gauge<&ImageView::unused_entries>(
        "share_drift_unused_entries",
        "Allow-list entries that match nothing in the last complete listing, as of the last poll."),
    ImageFamily{{"share_drift_listing_complete", Type::Gauge, "image_id",
                 "Whether the last poll gave a listing that is proven complete."},
                [](View v, Out out) { out.add(v.listing_complete ? 1 : 0); }},
    ImageFamily{{"share_drift_listing_last_complete_timestamp_seconds", Type::Gauge, "image_id",
                 "When the last complete listing ended, in seconds since 1970; 0 if there never was one."},
                [](View v, Out out) { add_time(out, v.last_complete); }},
    ImageFamily{{"share_drift_listing_last_attempt_timestamp_seconds", Type::Gauge, "image_id",
                 "When the last poll ended, with a complete listing or not, in seconds since 1970; 0 if "
                 "there never was one."},
                [](View v, Out out) { add_time(out, v.last_poll); }},
    ImageFamily{{"share_drift_image_state", Type::Gauge, "image_id,state",
                 "The state of the image as of the last poll, always 1: only the present state is there."},
                [](View v, Out out) { out.add(1, {to_string(v.state)}); }},
    ImageFamily{
        {"share_drift_listing_failure_info", Type::Gauge, "image_id,reason,code",
         "Why the last poll of the image gave no complete listing, always 1, with the code of the API "
         "where it gave one; absent where it did."},
        &add_failure},
    ImageFamily{
        {"share_drift_poll_interval_seconds", Type::Gauge, "image_id", "How often the image is polled."},
        [](View v, Out out) { out.add(std::chrono::duration<double>(v.policy->interval).count()); }},
    ImageFamily{{"share_drift_listings_total", Type::Counter, "image_id",
                 "Polls of the image: each asks once with whom it is shared."},
                [](View v, Out out) { add_count(out, v.counters.listings); }},
    ImageFamily{{"share_drift_listing_failures_total", Type::Counter, "image_id",
                 "Polls of the image that did not end in a complete listing."},
                [](View v, Out out) { add_count(out, v.counters.failures); }},
    ImageFamily{{"share_drift_opened_total", Type::Counter, "image_id,kind",
                 "Drifts opened: an account that should not have access, or lost access that it must have."},
                [](View v, Out out) { add_by_kind(out, v.counters.opened); }},
    ImageFamily{
        {"share_drift_closed_total", Type::Counter, "image_id,kind", "Drifts closed, for whatever reason."},
        [](View v, Out out) { add_by_kind(out, v.counters.closed); }},
    ImageFamily{{"share_drift_flaps_total", Type::Counter, "image_id",
                 "Drifts that were seen again while their absence was being confirmed."},
                [](View v, Out out) { add_count(out, v.counters.flaps); }},
    ImageFamily{
        {"share_drift_account_since_timestamp_seconds", Type::Gauge, "image_id,account_id,account_name,kind",
         "Since when a drift is open, in seconds since 1970, as of the last poll. The 200 oldest of "
         "all images."},
        &add_drifts,
        true},
    ImageFamily{{"share_drift_exception_expiry_timestamp_seconds", Type::Gauge, "image_id,account_id",
                 "When a temporary permission ends or ended, in seconds since 1970. The 200 earliest of all "
                 "images."},
                &add_exceptions,
                true},
};

double dropped_series(const std::vector<ViewPtr>& views) {
  const AccountNames no_names;
  std::size_t dropped = 0;
  for (const ImageFamily& family : kImageFamilies) {
    if (!family.oldest_only) continue;
    ImageSamples samples{no_names};
    for (const ViewPtr& view : views)
      family.samples(*view, samples);
    dropped += std::max(samples.all.size(), kMaxAccountSeries) - kMaxAccountSeries;
  }
  return static_cast<double>(dropped);
}

double accounts_beyond_room(const std::vector<ViewPtr>& views) {
  std::size_t accounts = 0;
  for (const ViewPtr& view : views)
    accounts += beyond_room(*view->policy, view->sightings.size());
  return static_cast<double>(accounts);
}

constexpr std::array kFleetFamilies{
    FleetFamily{{"share_drift_account_series_dropped", Type::Gauge, "",
                 "Series of single accounts that are left out because there may be 200 in a family."},
                &dropped_series},
    FleetFamily{{"share_drift_watched_images", Type::Gauge, "", "Images that this daemon watches."},
                [](const std::vector<ViewPtr>& views) { return static_cast<double>(views.size()); }},
    FleetFamily{
        {"share_drift_remembered_accounts", Type::Gauge, "",
         "Accounts that are remembered beyond the room that each image has for itself, of all images "
         "together. An image has room for as many accounts as its entry names, and for ten at least; those "
         "beyond share the room that share_drift_remembered_accounts_limit tells."},
        &accounts_beyond_room},
    FleetFamily{
        {"share_drift_remembered_accounts_limit", Type::Gauge, "",
         "How many of these there may be; an image with an account that does not fit in is incomplete, "
         "too_large."},
        [](const std::vector<ViewPtr>& /*views*/) { return static_cast<double>(kMostBeyondRoom); }},
};

}  // namespace

std::span<const ImageFamily> image_families() {
  return kImageFamilies;
}

std::span<const FleetFamily> fleet_families() {
  return kFleetFamilies;
}

bool ViewComparison::differ(const ImageFamily& family) {
  old_.all.clear();
  new_.all.clear();
  family.samples(before_, old_);
  family.samples(after_, new_);
  return old_.all != new_.all;
}

}  // namespace sharedrift
