#include "aliyun/ens_client.hpp"

#include "aliyun/answer.hpp"
#include "core/failure.hpp"

#include <algorithm>
#include <array>

namespace sharedrift {

namespace {

constexpr const char* kEnsVersion = "2017-11-10";
constexpr const char* kStsVersion = "2015-04-01";
/// The pause between two passes is drawn from so many times the longest gap between two pages, be that
/// milliseconds or seconds: who picks a moment beforehand hits a gap like that in one pass of five at most,
/// and must have hit one of the pass before, too.
constexpr int kGapsInPause = 5;
/// And it takes no more than this share of the time that is left, so that the passes after it have theirs.
constexpr int kPausesInPatience = 4;

/// Page sizes of the inventory that are tried where a larger one is refused: what DescribeImages takes at
/// most, and the default.
constexpr std::array kSmallerPages{50, 10};

void append_page(std::string& query, int page, int page_size) {
  append_parameter(query, "PageNumber", std::to_string(page));
  append_parameter(query, "PageSize", std::to_string(page_size));
}

/// What a listing is worth that is empty, of an image of which nobody can tell whether it is the account's.
Failure ownership_unknown(const Failure& cause) {
  Failure failure = cause;
  failure.reason = Reason::ownership_unknown;
  failure.detail =
      "the list is empty, and nobody can tell whether the image is this account's, since "
      "ens:DescribeSelfImages failed (" +
      std::string{to_string(cause.reason)} + ": " + cause.detail + ")";
  return failure;
}

}  // namespace

ApiCall describe_share_permission(const EnsOptions& options, const ImageId& image, int page,
                                  const std::optional<AccountId>& filter) {
  ApiCall call{options.scheme, options.host, "DescribeImageSharePermission", kEnsVersion, {}};
  call.query.reserve(image.str().size() + 96);
  if (filter) append_parameter(call.query, "AliyunId", filter->str());
  append_parameter(call.query, "ImageId", image.str());
  append_page(call.query, page, options.limits.page_size);
  return call;
}

ApiCall describe_self_images(const EnsOptions& options, const std::optional<ImageId>& only, int page) {
  ApiCall call{options.scheme, options.host, "DescribeSelfImages", kEnsVersion, {}};
  if (only) append_parameter(call.query, "ImageId", only->str());
  append_page(call.query, page, options.images_page_size);
  return call;
}

EnsClient::EnsClient(EnsOptions options, HttpTransport& transport, TimerQueue& timers,
                     CredentialSource& credentials, const Clock& clock, Random& random, ApiObserver& observer)
    : options_(std::move(options)),
      timers_(timers),
      gate_(options_.gate, transport, timers, credentials, clock, random, observer),
      pin_(options_.owner, {options_.sts_scheme, options_.sts_host, "GetCallerIdentity", kStsVersion, {}},
           gate_, timers, credentials, clock),
      clock_(clock),
      random_(random) {}

void EnsClient::Gaps::note(MonoTime now) {
  if (last_page) longest = std::max(longest, now - *last_page);
  last_page = now;
}

/// The random while between two passes begins now.
MonoTime EnsClient::end_of_pause(Gaps& gaps, MonoTime deadline) {
  const MonoTime now = clock_.mono();
  const auto longest = std::min(kGapsInPause * gaps.longest, (deadline - now) / kPausesInPatience);
  gaps.last_page.reset();
  return now + std::chrono::duration_cast<MonoTime::duration>(random_.unit() * longest);
}

void EnsClient::fetch(const ImageId& image, IsOurs is_ours, MonoTime deadline, FetchDone done) {
  Poll& poll = polls_.emplace_back(image, options_.limits, clock_.now());
  poll.self = std::prev(polls_.end());
  poll.is_ours = std::move(is_ours);
  poll.deadline = deadline;
  poll.done = std::move(done);
  pin_.check({}, deadline, [this, &poll](const Failure* problem) {
    if (problem != nullptr) return refuse(poll, *problem);
    advance(poll);
  });
}

/// Asks for the pages that may be asked for now.
void EnsClient::advance(Poll& poll) {
  // No more at a time than can be in flight: the rest of a thousand pages must not queue before the first
  // page of every other image.
  const int room = std::max(1, options_.gate.concurrency) - poll.outstanding;
  for (const int number : poll.collector.next(room))
    ask_page(poll, number);
}

void EnsClient::ask_page(Poll& poll, int number) {
  ++poll.outstanding;
  gate_.call(
      describe_share_permission(options_, poll.image, number), poll.deadline,
      [this, &poll, number](const Result<ApiAnswer, Failure>& answer) { take_page(poll, number, answer); },
      &poll);
}

void EnsClient::take_page(Poll& poll, int number, const Result<ApiAnswer, Failure>& answer) {
  --poll.outstanding;
  poll.gaps.note(clock_.mono());
  auto page = answer ? decode_page(answer->document.root()) : Result<Page, Failure>(Err(answer.error()));
  if (answer) {
    poll.server_time = answer->server_time;
    poll.generations.insert(answer->generation);
  }
  if (page) {
    poll.collector.add(number, std::move(*page));
    if (!poll.broken) poll.broken = doubt_listing(answer->document.root(), answer->from_cache);
  } else if (!poll.broken) {
    poll.broken = std::move(page).error();
  }
  if (poll.broken || poll.collector.done()) {
    // Rows that are on their way still count as seen; what was not sent is not needed any more.
    if (poll.outstanding > 0) poll.outstanding -= static_cast<int>(gate_.withdraw(&poll));
    if (poll.outstanding == 0) conclude(poll);
  } else if (poll.collector.pause_before_next()) {
    poll.timer = timers_.at(end_of_pause(poll.gaps, poll.deadline), [this, &poll] { advance(poll); });
  } else {
    advance(poll);
  }
}

void EnsClient::conclude(Poll& poll) {
  if (poll.broken) poll.collector.fail(*poll.broken);
  poll.listing = poll.collector.take();
  if (poll.broken && poll.listing->complete) {  // by the page that is in doubt
    poll.listing->complete = false;
    poll.listing->failure = std::move(*poll.broken);
  }
  // The key may have been replaced while the list was read.
  if (poll.generations.empty()) return judge(poll);
  pin_.check(poll.generations, poll.deadline, [this, &poll](const Failure* problem) {
    if (problem != nullptr) return refuse(poll, *problem);
    judge(poll);
  });
}

/// The listing is what it is; whether the image is ours, and still there, may be left to ask.
void EnsClient::judge(Poll& poll) {
  const Observation& found = *poll.listing;
  const bool empty = found.complete && found.accounts.empty() && found.transient.empty();
  const bool id_refused = !found.complete && found.failure.reason == Reason::invalid_image;
  // The inventory of another key may be another account's.
  const bool same_keys = std::includes(walked_with_.begin(), walked_with_.end(), poll.generations.begin(),
                                       poll.generations.end());
  if (!id_refused && (!empty || (same_keys && poll.is_ours()))) return deliver(poll);
  if (!may_look_up(poll)) {
    InventoryListing refused;
    refused.failure = no_right_->failure;
    return judge_ownership(poll, refused);
  }
  walk(poll.image, poll.deadline,
       [this, &poll](const InventoryListing& images) { judge_ownership(poll, images); });
}

/// Another key may have the right.
bool EnsClient::may_look_up(const Poll& poll) const {
  return !no_right_ || clock_.mono() >= no_right_->until ||
         !std::includes(no_right_->keys.begin(), no_right_->keys.end(), poll.generations.begin(),
                        poll.generations.end());
}

void EnsClient::judge_ownership(Poll& poll, const InventoryListing& found) {
  Observation& listing = *poll.listing;
  // Before the listing's own: events name the last ones.
  listing.request_ids.insert(listing.request_ids.begin(), found.request_ids.begin(), found.request_ids.end());
  const bool refused = !found.complete && found.failure.reason == Reason::forbidden;
  if (refused && may_look_up(poll))
    no_right_ = {poll.generations, found.failure, clock_.mono() + options_.look_up_pause};
  const InventoryRow* row = found.find(poll.image);
  if (row != nullptr && row->ours) return deliver(poll);
  if (found.complete) {
    listing.gone = true;
    listing.failure = make_failure(
        Reason::image_gone,
        row == nullptr ? "the account's own inventory does not list this image: it was deleted, its id is "
                         "mistyped, or the key or the endpoint is another account's or region's"
                       : "the image is another account's, which shares it with this one");
  } else if (listing.complete) {
    listing.failure = ownership_unknown(found.failure);
    listing.total_count = -1;  // of whose image?
  }
  listing.complete = false;
  deliver(poll);
}

/// Rows of a key whose owner is not known yet are nobody's.
void EnsClient::break_off(const Failure& why) {
  for (auto next = polls_.begin(); next != polls_.end();) {
    Poll& poll = *next++;
    if (poll.listing || !pin_.proves(poll.generations)) continue;
    const Failure& cause = poll.broken ? *poll.broken : why;
    if (!poll.collector.done()) poll.collector.fail(cause);
    poll.listing = poll.collector.take();
    poll.listing->complete = false;
    poll.listing->failure = cause;
    if (!poll.listing->accounts.empty() || !poll.listing->transient.empty()) deliver(poll);
  }
}

/// Nothing that was read is judged.
void EnsClient::refuse(Poll& poll, Failure why) {
  auto heard = poll.listing ? std::move(poll.listing->request_ids) : std::vector<std::string>{};
  poll.listing.emplace();
  poll.listing->request_ids = std::move(heard);
  poll.listing->started = poll.started.wall;
  poll.listing->failure = std::move(why);
  deliver(poll);
}

void EnsClient::deliver(Poll& poll) {
  Observation listing = std::move(*poll.listing);
  listing.server_time = poll.server_time;
  listing.duration = std::chrono::duration_cast<Millis>(clock_.mono() - poll.started.mono);
  const FetchDone done = std::move(poll.done);
  polls_.erase(poll.self);
  done(std::move(listing));
}

void EnsClient::walk(std::optional<ImageId> only, MonoTime deadline, WalkDone done) {
  Walk& walk = walks_.emplace_back(std::move(only), walk_limits(), clock_.wall());
  walk.self = std::prev(walks_.end());
  walk.deadline = deadline;
  walk.done = std::move(done);
  pin_.check({}, deadline, [this, &walk](const Failure* problem) {
    if (problem == nullptr) return ask_images(walk);
    walk.collector.fail(*problem);
    end(walk);
  });
}

/// One page at a time, each at the end of the queue: polls go before.
void EnsClient::ask_images(Walk& walk) {
  gate_.call(describe_self_images(options_, walk.only, walk.collector.next_page()), walk.deadline,
             [this, &walk](const Result<ApiAnswer, Failure>& answer) { take_images(walk, answer); });
}

ListingLimits EnsClient::walk_limits() const {
  ListingLimits limits = options_.limits;
  limits.page_size = options_.images_page_size;
  return limits;
}

/// A page size that is refused is refused from then on: the walk begins anew with a smaller one. Where all
/// are refused it was something else.
bool EnsClient::ask_smaller(Walk& walk, const Failure& refusal) {
  if (!refusal.code.starts_with("InvalidParameter") || refusal.code.ends_with("ImageId")) return false;
  const auto* const smaller = std::find_if(kSmallerPages.begin(), kSmallerPages.end(),
                                           [this](int size) { return size < options_.images_page_size; });
  if (smaller == kSmallerPages.end()) {
    options_.images_page_size = EnsOptions{}.images_page_size;
    return false;
  }
  options_.images_page_size = *smaller;
  walk.collector = InventoryCollector(walk_limits(), clock_.wall());
  ask_images(walk);
  return true;
}

void EnsClient::take_images(Walk& walk, const Result<ApiAnswer, Failure>& answer) {
  InventoryCollector& collector = walk.collector;
  walk.gaps.note(clock_.mono());
  if (answer) {
    walk.generations.insert(answer->generation);
    no_right_.reset();
  }
  if (!answer && ask_smaller(walk, answer.error())) return;
  const auto page = answer ? decode_inventory(answer->document.root())
                           : Result<InventoryPage, Failure>(Err(answer.error()));
  const auto doubt =
      page ? doubt_inventory(answer->document.root(), answer->from_cache) : std::optional(page.error());
  // That an image is there makes its empty list a proof: a row that is in doubt must not.
  if (page && !(doubt && walk.only)) collector.add(*page);
  if (doubt) walk.in_doubt = *doubt;
  if (doubt) collector.fail(*doubt);
  if (walk.only && collector.saw(*walk.only)) collector.fail({});  // it is there: nothing is left to prove
  if (!collector.done()) {
    if (!collector.pause_before_next()) return ask_images(walk);
    walk.timer = timers_.at(end_of_pause(walk.gaps, walk.deadline), [this, &walk] { ask_images(walk); });
    return;
  }
  if (walk.generations.empty()) return end(walk);
  pin_.check(walk.generations, walk.deadline, [this, &walk](const Failure* problem) {
    if (problem != nullptr) {
      // Another account's images tell nothing, not even that they are there.
      walk.collector = InventoryCollector(walk_limits(), clock_.wall());
      walk.collector.fail(*problem);
    }
    end(walk);
  });
}

void EnsClient::end(Walk& walk) {
  InventoryListing found = walk.collector.take();
  if (walk.in_doubt && found.complete) {
    found.complete = false;
    found.failure = std::move(*walk.in_doubt);
  }
  if (found.complete && !walk.only) walked_with_ = walk.generations;
  const WalkDone done = std::move(walk.done);
  walks_.erase(walk.self);
  done(std::move(found));
}

}  // namespace sharedrift
