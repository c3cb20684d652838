// The table of event types. Adding one: a name in EventType, a row here, an example in
// tests/core/event_test.cpp.
#include "core/event.hpp"

#include <array>

namespace sharedrift {

namespace {

constexpr std::array kTable = std::to_array<EventSpec>({
    {EventType::drift_opened, EventKind::drift, Level::error,
     "[kind=unexpected|Account {account} has access to image {image} and is not on its allow-list: remove "
     "the share (share-drift-exporter plan prints the call) or allow the account]"
     "[kind=missing|Account {account} is required on image {image} and has no access: share the image with "
     "it (share-drift-exporter plan prints the call) or require it no longer]"
     "[reason=watched_again|; the image is watched again, and nothing has shown yet that this ended]"
     "[discovered=true|; a rule discovered the image, which can have been shared since {not_before}]"},
    {EventType::drift_clearing, EventKind::drift, Level::info,
     "Account {account} was not found on image {image}: the drift closes when more complete answers confirm "
     "it"},
    {EventType::drift_closed, EventKind::drift, Level::info,
     "The drift of account {account} on image {image} is closed"
     "[reason=revoked|: the account has no access any more]"
     "[reason=restored|: the account has access again]"
     "[reason=allowed_by_config|: the configuration now agrees with it]"
     "[reason=image_gone|: the image is gone]"
     "[reason=unwatched|: the image is no longer watched here, and it is not known that anything was put "
     "right]"
     "[; it was open since {opened}]"},
    {EventType::drift_flapped, EventKind::drift, Level::warn,
     "Account {account} has access to image {image} again before the drift closed: find out who shares the "
     "image anew"},
    {EventType::listing_incomplete, EventKind::listing, Level::warn,
     "The answer about image {image} is no complete listing and clears nothing ({reason}, {failures:time} in "
     "a row): {detail}"},
    {EventType::listing_failed, EventKind::listing, Level::warn,
     "Image {image} could not be listed ({reason}, {failures:time} in a row), which clears nothing: "
     "{detail}"},
    {EventType::listing_recovered, EventKind::listing, Level::info,
     "Image {image} is listed completely again after {failures:failure}"},
    {EventType::image_state_changed, EventKind::listing, Level::info,
     "Image {image} is {to} now and was {from}"},
    {EventType::exception_expired, EventKind::other, Level::warn,
     "The exception of account {account} on image {image} ended at {expired}: {owner} ({ticket}) should "
     "remove the share or ask for a new exception"},
    {EventType::canary_lost, EventKind::other, Level::error,
     "Canary image {image} must always show drift and shows none: share it with its account again; if it is "
     "shared, drift of other images is not seen either"},
    {EventType::canary_restored, EventKind::other, Level::info,
     "Canary image {image} shows its drift again, as it must"},
    {EventType::profile_blind, EventKind::background, Level::error,
     "Profile {profile} is blind: none of {images:image} can be listed ({reason}[, {code}]), which clears "
     "nothing: {detail}"},
    {EventType::profile_recovered, EventKind::background, Level::info,
     "Profile {profile} sees again after {seconds:second}; {images:image} could not be listed meanwhile"},
    {EventType::mass_change_held, EventKind::background, Level::warn,
     "Within one cycle {images_losing} of {images_watched:image} lost accounts, more than {limit_percent} %: "
     "nothing clears before more complete listings confirm it ({clears_held} held); find out whether so many "
     "shares were removed"},
    {EventType::events_left_out, EventKind::background, Level::warn,
     "What came too fast was neither logged nor recorded, {of_drift:event} of drift and {others:event} of "
     "images and their listings: metrics, page and state have all that is open"},
    {EventType::monitoring_gap, EventKind::background, Level::warn,
     "[Nobody watched from {from} to {to}, {seconds:second}][Nobody watched until {to} ({detail})]: what was "
     "shared and removed in that time is not known; look in ActionTrail"},
    {EventType::first_run, EventKind::other, Level::info,
     "There is no state of an earlier run: watching begins now with {images:image}, and what is shared "
     "already is marked first_run=true"},
    {EventType::image_discovered, EventKind::inventory, Level::info,
     "Image {image} of profile {profile} is watched from now on, by the rule {rule}[; it was created at "
     "{created}]"},
    {EventType::image_renamed, EventKind::inventory, Level::warn,
     "Image {image} of profile {profile} was called {from} before and keeps the rule {rule}, which fitted "
     "first"},
    {EventType::image_policy_changed, EventKind::other, Level::warn,
     "The configuration moves image {image} of profile {profile} from the rule {from} to the rule {to}: "
     "compare what they allow"},
    {EventType::image_left, EventKind::inventory, Level::info,
     "Image {image} is in the inventory of profile {profile} no more and is not watched any longer"},
    {EventType::images_left_out, EventKind::background, Level::error,
     "The account of profile {profile} lists {images:image} that nobody watches for want of room, since "
     "{discovered:image} are discovered already: they can be shared unseen; find out whether the account has "
     "so many, or whether whoever answers for the API makes them up"},
    {EventType::inventory_incomplete, EventKind::background, Level::warn,
     "The images that the account of profile {profile} owns could not be listed completely ({reason}, "
     "{failures:time} in a row), so a new image may not be seen and an empty list proves nothing by itself"
     ": {detail}"},
    {EventType::inventory_recovered, EventKind::background, Level::info,
     "The images that the account of profile {profile} owns are listed completely again after "
     "{failures:failure}"},
    {EventType::config_reloaded, EventKind::background, Level::info,
     "Configuration {config} with {images:image} is in force"},
    {EventType::config_rejected, EventKind::background, Level::error,
     "Configuration {file} was refused[ ({errors:error})] and the one before stays in force; correct it and "
     "reload: {reason}"},
    {EventType::config_untrusted, EventKind::other, Level::warn,
     "Others than its owner can change {file}: whoever does so decides which shares are drift; chmod go-w "
     "it, "
     "or mount it read-only"},
    {EventType::config_warning, EventKind::other, Level::warn,
     "The configuration is in force, and what it names needs attention: {reason}"},
    {EventType::web_config_reloaded, EventKind::other, Level::info, "Web configuration {file} is in force"},
    {EventType::web_config_rejected, EventKind::other, Level::error,
     "Web configuration {file} was refused[ ({errors:error})] and the one before stays in force; correct it: "
     "{reason}"},
    {EventType::credentials_changed, EventKind::background, Level::info,
     "Profile {profile} signs with credentials from {source}[ that expire at {expires}]"
     "[; they are new, and the API refused the ones before ({after})]"},
    {EventType::credentials_renewed, EventKind::other, Level::debug,
     "Profile {profile} has new credentials from {source}[ that expire at {expires}]"},
    {EventType::credentials_warning, EventKind::background, Level::warn,
     "Credentials of profile {profile} from {source} work but need attention: {detail}"},
    {EventType::credentials_recovered, EventKind::background, Level::info,
     "Credentials of profile {profile} from {source} need no attention any more"},
    {EventType::state_rejected, EventKind::other, Level::error,
     "State database {path} cannot be used[ and was moved to {moved_to}]: {reason}; look at its disk, owner "
     "and mode"},
    {EventType::log_lines_dropped, EventKind::other, Level::warn,
     "The log lost {lines:line} because nobody read it in time; share-drift-exporter history has the events"},
    {EventType::internal_error, EventKind::other, Level::error,
     "A fault of share-drift-exporter itself, please report it: {detail}"},
    {EventType::connections_refused, EventKind::other, Level::warn,
     "The web server refused {connections:connection}, the last from {address}"
     "[reason=no_place|: all places are taken, most by clients that send or read too little]"
     "[reason=too_slow|: the request did not come, or the answer was not taken, in time]"
     "[reason=bad_request|: what came is no request that is served here]"
     "[reason=plain_http|: it speaks HTTP where TLS is spoken; give it an https URL]"
     "[reason=tls_handshake|: the TLS handshake failed; look at the versions and ciphers of both ends]"
     "[reason=client_certificate|: it shows no certificate that web.yml lets in]"
     "[reason=no_certificate|: there is no certificate to serve with; correct web.yml]"},
    {EventType::listening, EventKind::other, Level::info, "Listening on {address}, port {port}"},
    {EventType::started, EventKind::other, Level::info,
     "share-drift-exporter {version} watches {images:image} with configuration {config}"},
    {EventType::stopping, EventKind::other, Level::info, "share-drift-exporter was told to stop"},
    {EventType::stopped, EventKind::other, Level::info, "share-drift-exporter has stopped"},
});

constexpr bool in_order() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (kTable.at(i).type != static_cast<EventType>(i)) return false;
  }
  return true;
}
static_assert(in_order(), "a row for each type, in the order of the types");

}  // namespace

std::span<const EventSpec> event_table() {
  return kTable;
}

const EventSpec& spec(EventType type) {
  return kTable.at(static_cast<std::size_t>(type));
}

std::optional<EventType> parse_event_type(std::string_view name) {
  if (name == "poll_failed") return EventType::listing_failed;  // its name in 0.1.0
  return parse_enumerator<EventType::stopped>(name);
}

}  // namespace sharedrift
