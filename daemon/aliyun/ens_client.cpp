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

EnsClient::EnsClient(EnsOptions options, HttpTransport& transport, CredentialSource& credentials,
                     const Clock& clock, Random& random, ApiObserver& observer)
    : options_(std::move(options)),
      gate_(options_.gate, transport, credentials, clock, random, observer),
      credentials_(credentials),
      clock_(clock),
      random_(random) {}

EnsClient::~EnsClient() = default;

void EnsClient::fetch(const ImageId& image, bool had_accounts, MonoTime deadline, FetchDone done) {
  auto attempt = std::make_shared<Attempt>(image, options_.limits, clock_.wall());
  attempt->had_accounts = had_accounts;
  attempt->deadline = deadline;
  attempt->started = clock_.mono();
  attempt->done = std::move(done);
  attempt->in_deadlines = deadlines_.emplace(deadline, attempt);
  fresh_.push_back(std::move(attempt));
}

void EnsClient::pump(Instant now) {
  for (const AttemptPtr& attempt : std::exchange(fresh_, {}))
    begin(attempt);
  while (!pausing_.empty() && pausing_.begin()->first <= now.mono) {
    advance(pausing_.extract(pausing_.begin()).mapped());
  }
  // First the gate: it knows better than a deadline why a call is late.
  gate_.pump(now);
  while (!deadlines_.empty() && deadlines_.begin()->first <= now.mono) {
    const AttemptPtr late = deadlines_.begin()->second;
    expire(late);
  }
}

MonoTime EnsClient::next_wake() const {
  const MonoTime now = clock_.mono();
  if (!fresh_.empty()) return now;
  MonoTime next = gate_.next_wake(now);
  if (!pausing_.empty()) next = std::min(next, pausing_.begin()->first);
  if (!deadlines_.empty()) next = std::min(next, deadlines_.begin()->first);
  return next;
}

void EnsClient::begin(const AttemptPtr& attempt) {
  if (!options_.owner) return advance(attempt);
  const auto generation = current_generation();
  if (generation && generation == foreign_generation_) return refuse(attempt, foreign_);
  if (generation && own_generations_.contains(*generation)) return advance(attempt);
  await_identity(attempt);
}

std::optional<std::uint64_t> EnsClient::current_generation() const {
  const auto credentials = credentials_.current();
  if (!credentials) return std::nullopt;
  return credentials->generation;
}

bool EnsClient::owner_known(const Attempt& attempt) const {
  return !options_.owner || std::all_of(attempt.generations.begin(), attempt.generations.end(),
                                        [this](auto g) { return own_generations_.contains(g); });
}

void EnsClient::await_identity(const AttemptPtr& attempt) {
  awaiting_identity_.push_back(attempt);
  if (asking_identity_) return;
  asking_identity_ = true;
  gate_.call({options_.sts_scheme, options_.sts_host, "GetCallerIdentity", kStsVersion, {}},
             attempt->deadline, [this](const Result<ApiAnswer, Failure>& answer) { take_identity(answer); });
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
  for (const AttemptPtr& attempt : std::exchange(awaiting_identity_, {})) {
    if (attempt->over) continue;
    if (problem) {
      refuse(attempt, *problem);
    } else if (attempt->read) {
      judge(attempt);
    } else {
      advance(attempt);
    }
  }
}

void EnsClient::advance(const AttemptPtr& attempt) {
  if (attempt->over) return;
  if (attempt->collector.done()) return conclude(attempt);
  // No more at a time than can be in flight: the rest of a thousand pages must not queue before the first
  // page of every other image.
  const int room = std::max(1, options_.gate.concurrency) - attempt->outstanding;
  for (const int number : attempt->collector.next(room))
    ask_page(attempt, number);
}

void EnsClient::ask_page(const AttemptPtr& attempt, int number) {
  ++attempt->outstanding;
  gate_.call(
      describe_share_permission(options_, attempt->image, number), attempt->deadline,
      [this, attempt, number](const Result<ApiAnswer, Failure>& answer) {
        take_page(attempt, number, answer);
      },
      [attempt] { return !attempt->over && !attempt->broken; });
}

void EnsClient::take_page(const AttemptPtr& attempt, int number, const Result<ApiAnswer, Failure>& answer) {
  --attempt->outstanding;
  if (attempt->over) return;
  const MonoTime now = clock_.mono();
  if (attempt->last_page) attempt->longest_gap = std::max(attempt->longest_gap, now - *attempt->last_page);
  attempt->last_page = now;
  auto page = answer ? decode_page(answer->document.root()) : Result<Page, Failure>(Err(answer.error()));
  if (answer) {
    attempt->server_time = answer->server_time;
    attempt->generations.insert(answer->generation);
  }
  if (page) {
    attempt->collector.add(number, std::move(*page));
  } else if (!attempt->broken) {
    attempt->broken = std::move(page).error();
    gate_.recheck();
  }
  if (attempt->broken) {
    // Rows that are on their way still count as seen.
    if (attempt->outstanding > 0) return;
    attempt->collector.fail(*attempt->broken);
    return conclude(attempt);
  }
  if (!attempt->collector.pause_before_next()) return advance(attempt);
  attempt->last_page.reset();
  const auto longest =
      std::min(kGapsInPause * attempt->longest_gap, (attempt->deadline - now) / kPausesInPatience);
  pausing_.emplace(now + std::chrono::duration_cast<MonoTime::duration>(random_.unit() * longest), attempt);
}

void EnsClient::conclude(const AttemptPtr& attempt) {
  attempt->found = attempt->collector.take();
  attempt->read = true;
  judge(attempt);
}

/// The listing is what it is; whose it is, and whether the image still exists, may be left to ask.
void EnsClient::judge(const AttemptPtr& attempt) {
  if (!owner_known(*attempt)) {
    // The key was replaced while the list was read. The new one's owner can be asked for, an old one's not.
    const auto current = current_generation();
    const bool askable =
        std::all_of(attempt->generations.begin(), attempt->generations.end(),
                    [this, current](auto g) { return own_generations_.contains(g) || g == current; });
    if (askable && current != foreign_generation_) return await_identity(attempt);
    return refuse(attempt, askable ? foreign_
                                   : make_failure(Reason::credentials,
                                                  "the key was replaced while the list was read, before its "
                                                  "owner was known"));
  }
  const Observation& found = attempt->found;
  const bool turned_empty =
      found.complete && found.accounts.empty() && found.transient.empty() && attempt->had_accounts;
  const bool id_refused = !found.complete && found.failure.reason == Reason::invalid_image;
  if (!turned_empty && !id_refused) return deliver(attempt);
  attempt->found.may_be_gone = turned_empty;  // until the inventory says that it is there
  ask_inventory(attempt);
}

/// The deadline passed: what was read until now is what there is.
void EnsClient::expire(const AttemptPtr& attempt) {
  if (!attempt->read) {
    attempt->collector.fail(attempt->broken.value_or(
        make_failure(Reason::timeout, "the list could not be read to its end before the deadline")));
    attempt->found = attempt->collector.take();
    attempt->read = true;
  }
  if (!owner_known(*attempt)) {
    return refuse(attempt,
                  make_failure(Reason::timeout, "the owner of the key was not known before the deadline"));
  }
  deliver(attempt);
}

void EnsClient::ask_inventory(const AttemptPtr& attempt) {
  ApiCall call{options_.scheme, options_.host, "DescribeSelfImages", kEnsVersion, {}};
  append_page(call.query, attempt->image, attempt->inventory.page, kInventoryPageSize);
  gate_.call(std::move(call), attempt->deadline,
             [this, attempt](const Result<ApiAnswer, Failure>& answer) { take_inventory(attempt, answer); });
}

void EnsClient::take_inventory(const AttemptPtr& attempt, const Result<ApiAnswer, Failure>& answer) {
  if (attempt->over) return;
  const auto page = answer ? decode_inventory(answer->document.root())
                           : Result<InventoryPage, Failure>(Err(answer.error()));
  // Wherever nobody can tell, the listing stands as it is.
  const bool ours = answer && (!options_.owner || own_generations_.contains(answer->generation));
  if (!page || !page->total_count || !ours) return deliver(attempt);
  Inventory& inventory = attempt->inventory;
  const auto& own = page->own_images;
  const bool listed = std::find(own.begin(), own.end(), attempt->image.str()) != own.end();
  const bool moved = inventory.total.value_or(*page->total_count) != *page->total_count;
  inventory.total = page->total_count;
  bool repeats = false;
  for (const std::string& image : page->images)
    repeats = !inventory.images.insert(image).second || repeats;
  const auto rows = static_cast<std::int64_t>(inventory.images.size());
  if (listed) attempt->found.may_be_gone = false;
  if (listed || moved || repeats || rows > *inventory.total) return deliver(attempt);
  if (rows < *inventory.total) {
    if (page->images.empty() || ++inventory.page > kMaxInventoryPages) return deliver(attempt);
    return ask_inventory(attempt);
  }
  if (inventory.page > 1 && inventory.pass_before != inventory.images) {
    if (inventory.pass_before) return deliver(attempt);
    Inventory again;
    again.pass_before = std::move(inventory.images);
    inventory = std::move(again);
    return ask_inventory(attempt);
  }
  Observation& found = attempt->found;
  found.complete = false;
  found.may_be_gone = false;
  found.gone = true;
  found.accounts.clear();
  found.failure = make_failure(Reason::image_gone, "the account's own inventory does not list this image");
  deliver(attempt);
}

/// Nothing that was read is judged.
void EnsClient::refuse(const AttemptPtr& attempt, Failure why) {
  if (!attempt->read) attempt->found = attempt->collector.take();
  attempt->read = true;
  Observation nothing;
  nothing.started = attempt->found.started;
  nothing.failure = std::move(why);
  attempt->found = std::move(nothing);
  deliver(attempt);
}

void EnsClient::deliver(const AttemptPtr& attempt) {
  attempt->over = true;
  deadlines_.erase(attempt->in_deadlines);
  attempt->found.server_time = attempt->server_time;
  attempt->found.duration = std::chrono::duration_cast<Millis>(clock_.mono() - attempt->started);
  attempt->done(std::move(attempt->found));
}

}  // namespace sharedrift
