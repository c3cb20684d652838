#include "aliyun/ens_client.hpp"

#include "aliyun/answer.hpp"
#include "core/failure.hpp"

#include <algorithm>
#include <utility>

namespace sharedrift {

namespace {

constexpr const char* kEnsVersion = "2017-11-10";
constexpr const char* kStsVersion = "2015-04-01";
constexpr int kInventoryPageSize = 100;
constexpr int kMaxInventoryPages = 50;
constexpr std::size_t kGenerationsKept = 8;
/// The pause between two passes is drawn from so many times the longest gap between two pages, be that
/// milliseconds or seconds: who picks a moment beforehand hits a gap like that in one pass of five at most,
/// and must have hit one of the pass before, too.
constexpr int kGapsInPause = 5;
/// And it takes no more than this share of the time that is left, so that the passes after it have theirs.
constexpr int kPausesInPatience = 4;

/// What a call for one page of something of an image has in its query, in the order it wants.
void append_page(std::string& query, const ImageId& image, int page, int page_size) {
  append_parameter(query, "ImageId", image.str());
  append_parameter(query, "PageNumber", std::to_string(page));
  append_parameter(query, "PageSize", std::to_string(page_size));
}

}  // namespace

ApiCall describe_share_permission(const EnsOptions& options, const ImageId& image, int page,
                                  const std::optional<AccountId>& filter) {
  ApiCall call{options.scheme, options.host, "DescribeImageSharePermission", kEnsVersion, {}};
  call.query.reserve(image.str().size() + 96);
  if (filter) append_parameter(call.query, "AliyunId", filter->str());
  append_page(call.query, image, page, options.limits.page_size);
  return call;
}

EnsClient::EnsClient(EnsOptions options, HttpTransport& transport, TimerQueue& timers,
                     CredentialSource& credentials, const Clock& clock, Random& random, ApiObserver& observer)
    : options_(std::move(options)),
      timers_(timers),
      gate_(options_.gate, transport, timers, credentials, clock, random, observer),
      credentials_(credentials),
      clock_(clock),
      random_(random) {}

EnsClient::~EnsClient() = default;

void EnsClient::fetch(const ImageId& image, bool had_accounts, MonoTime deadline, FetchDone done) {
  Poll& poll = polls_.emplace_back(image, options_.limits, clock_.now());
  poll.self = std::prev(polls_.end());
  poll.had_accounts = had_accounts;
  poll.deadline = deadline;
  poll.done = std::move(done);
  if (!options_.owner) return advance(poll);
  const auto generation = current_generation();
  if (generation && own_generations_.contains(*generation)) return advance(poll);
  if (!generation || generation != foreign_generation_) return await_identity(poll);
  poll.timer = timers_.at(poll.started.mono, [this, &poll] { refuse(poll, foreign_); });
}

std::optional<std::uint64_t> EnsClient::current_generation() const {
  const auto credentials = credentials_.current();
  if (!credentials) return std::nullopt;
  return credentials->generation;
}

bool EnsClient::owner_known(const Poll& poll) const {
  return !options_.owner || std::all_of(poll.generations.begin(), poll.generations.end(),
                                        [this](auto g) { return own_generations_.contains(g); });
}

void EnsClient::await_identity(Poll& poll) {
  awaiting_identity_.push_back(&poll);
  if (!asking_identity_) {
    asking_identity_ = true;
    gate_.call({options_.sts_scheme, options_.sts_host, "GetCallerIdentity", kStsVersion, {}}, poll.deadline,
               [this](const Result<ApiAnswer, Failure>& answer) { take_identity(answer); });
  }
  // The call may be another poll's, with a later deadline. One that is late itself ends first, and says why.
  poll.timer = timers_.at(poll.deadline, [this, &poll] {
    std::erase(awaiting_identity_, &poll);
    refuse(poll, make_failure(Reason::timeout, "the owner of the key was not known before the deadline"));
  });
}

void EnsClient::take_identity(const Result<ApiAnswer, Failure>& answer) {
  asking_identity_ = false;
  const auto account = answer ? decode_caller_identity(answer->document.root())
                              : Result<AccountId, Failure>(Err(answer.error()));
  std::optional<Failure> problem;
  if (!account) {
    problem = account.error();
    problem->detail = "the owner of the key cannot be learnt: " + problem->detail;
    // STS does not speak of images.
    if (problem->reason == Reason::invalid_image) problem->reason = Reason::api_other;
  } else if (*account != *options_.owner) {
    foreign_generation_ = answer->generation;
    foreign_ =
        make_failure(Reason::owner_mismatch, "the key belongs to account " + std::string{account->str()} +
                                                 ", owner_account is " + std::string{options_.owner->str()});
    problem = foreign_;
  } else {
    own_generations_.insert(answer->generation);
    if (own_generations_.size() > kGenerationsKept) own_generations_.erase(own_generations_.begin());
  }
  for (Poll* const poll : std::exchange(awaiting_identity_, {})) {
    poll->timer.cancel();
    if (problem) {
      refuse(*poll, *problem);
    } else if (poll->listing) {
      judge(*poll);
    } else {
      advance(*poll);
    }
  }
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
  const MonoTime now = clock_.mono();
  if (poll.last_page) poll.longest_gap = std::max(poll.longest_gap, now - *poll.last_page);
  poll.last_page = now;
  auto page = answer ? decode_page(answer->document.root()) : Result<Page, Failure>(Err(answer.error()));
  if (answer) {
    poll.server_time = answer->server_time;
    poll.generations.insert(answer->generation);
  }
  if (page) {
    poll.collector.add(number, std::move(*page));
  } else if (!poll.broken) {
    poll.broken = std::move(page).error();
  }
  if (poll.broken || poll.collector.done()) {
    // Rows that are on their way still count as seen; what was not sent is not needed any more.
    if (poll.outstanding > 0) poll.outstanding -= static_cast<int>(gate_.withdraw(&poll));
    if (poll.outstanding == 0) conclude(poll);
  } else if (poll.collector.pause_before_next()) {
    pause(poll);
  } else {
    advance(poll);
  }
}

void EnsClient::pause(Poll& poll) {
  const MonoTime now = clock_.mono();
  const auto longest = std::min(kGapsInPause * poll.longest_gap, (poll.deadline - now) / kPausesInPatience);
  const auto length = std::chrono::duration_cast<MonoTime::duration>(random_.unit() * longest);
  poll.last_page.reset();
  poll.timer = timers_.at(now + length, [this, &poll] { advance(poll); });
}

void EnsClient::conclude(Poll& poll) {
  if (poll.broken) poll.collector.fail(std::move(*poll.broken));
  poll.listing = poll.collector.take();
  judge(poll);
}

/// The listing is what it is; whose it is, and whether the image still exists, may be left to ask.
void EnsClient::judge(Poll& poll) {
  if (!owner_known(poll)) {
    // The key was replaced while the list was read. The new one's owner can be asked for, an old one's not.
    const auto current = current_generation();
    const bool askable =
        std::all_of(poll.generations.begin(), poll.generations.end(),
                    [this, current](auto g) { return own_generations_.contains(g) || g == current; });
    if (askable && current != foreign_generation_) return await_identity(poll);
    return refuse(poll, askable ? foreign_
                                : make_failure(Reason::credentials,
                                               "the key was replaced while the list was read, before its "
                                               "owner was known"));
  }
  const Observation& found = *poll.listing;
  const bool turned_empty =
      found.complete && found.accounts.empty() && found.transient.empty() && poll.had_accounts;
  const bool id_refused = !found.complete && found.failure.reason == Reason::invalid_image;
  if (!turned_empty && !id_refused) return deliver(poll);
  poll.listing->may_be_gone = turned_empty;  // until the inventory says that it is there
  ask_inventory(poll);
}

void EnsClient::ask_inventory(Poll& poll) {
  ApiCall call{options_.scheme, options_.host, "DescribeSelfImages", kEnsVersion, {}};
  append_page(call.query, poll.image, poll.inventory.page, kInventoryPageSize);
  gate_.call(std::move(call), poll.deadline,
             [this, &poll](const Result<ApiAnswer, Failure>& answer) { take_inventory(poll, answer); });
}

void EnsClient::take_inventory(Poll& poll, const Result<ApiAnswer, Failure>& answer) {
  const auto page = answer ? decode_inventory(answer->document.root())
                           : Result<InventoryPage, Failure>(Err(answer.error()));
  // Wherever nobody can tell, the listing stands as it is.
  const bool ours = answer && (!options_.owner || own_generations_.contains(answer->generation));
  if (!page || !page->total_count || !ours) return deliver(poll);
  Inventory& inventory = poll.inventory;
  const auto& own = page->own_images;
  const bool listed = std::find(own.begin(), own.end(), poll.image.str()) != own.end();
  const bool moved = inventory.total.value_or(*page->total_count) != *page->total_count;
  inventory.total = page->total_count;
  bool repeats = false;
  for (const std::string& image : page->images)
    repeats = !inventory.images.insert(image).second || repeats;
  const auto rows = static_cast<std::int64_t>(inventory.images.size());
  Observation& found = *poll.listing;
  if (listed) found.may_be_gone = false;
  if (listed || moved || repeats || rows > *inventory.total) return deliver(poll);
  if (rows < *inventory.total) {
    if (page->images.empty() || ++inventory.page > kMaxInventoryPages) return deliver(poll);
    return ask_inventory(poll);
  }
  if (inventory.page > 1 && inventory.pass_before != inventory.images) {
    if (inventory.pass_before) return deliver(poll);
    Inventory again;
    again.pass_before = std::move(inventory.images);
    inventory = std::move(again);
    return ask_inventory(poll);
  }
  found.complete = false;
  found.may_be_gone = false;
  found.gone = true;
  found.accounts.clear();
  found.failure = make_failure(Reason::image_gone, "the account's own inventory does not list this image");
  deliver(poll);
}

/// Nothing that was read is judged.
void EnsClient::refuse(Poll& poll, Failure why) {
  poll.listing.emplace();
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

}  // namespace sharedrift
