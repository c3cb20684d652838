#include "aliyun/ens_client.hpp"

#include "aliyun/answer.hpp"

#include <algorithm>
#include <utility>

namespace sharedrift {

namespace {

constexpr const char* kEnsVersion = "2017-11-10";
constexpr const char* kStsVersion = "2015-04-01";
constexpr int kInventoryPageSize = 100;
constexpr int kMaxInventoryPages = 50;
constexpr Millis kShortestPause{50};
constexpr Millis kLongestPause{500};

Failure make_failure(Reason reason, std::string detail) {
  Failure failure;
  failure.reason = reason;
  failure.detail = std::move(detail);
  return failure;
}

}  // namespace

ApiCall describe_share_permission(const EnsOptions& options, const ImageId& image, int page,
                                  const std::optional<AccountId>& filter) {
  ApiCall call{options.scheme, options.host, "DescribeImageSharePermission", kEnsVersion, {}};
  call.query = {{"ImageId", image.str()},
                {"PageNumber", std::to_string(page)},
                {"PageSize", std::to_string(options.limits.page_size)}};
  if (filter) call.query.emplace("AliyunId", filter->str());
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
  fresh_.push_back(std::move(attempt));
}

void EnsClient::pump(Instant now) {
  for (const AttemptPtr& attempt : std::exchange(fresh_, {}))
    begin(attempt);
  while (!pausing_.empty() && pausing_.begin()->first <= now.mono) {
    advance(pausing_.extract(pausing_.begin()).mapped());
  }
  gate_.pump(now);
}

MonoTime EnsClient::next_wake() const {
  const MonoTime now = clock_.mono();
  if (!fresh_.empty()) return now;
  const MonoTime next = gate_.next_wake(now);
  return pausing_.empty() ? next : std::min(next, pausing_.begin()->first);
}

void EnsClient::begin(const AttemptPtr& attempt) {
  if (!options_.owner || identity_known()) return advance(attempt);
  awaiting_identity_.push_back(attempt);
  ask_identity(attempt->deadline);
}

bool EnsClient::identity_known() const {
  const auto credentials = credentials_.current();
  return credentials && identified_ == credentials->generation;
}

void EnsClient::ask_identity(MonoTime deadline) {
  if (asking_identity_) return;
  asking_identity_ = true;
  const auto credentials = credentials_.current();
  const std::uint64_t generation = credentials ? credentials->generation : 0;
  gate_.call(
      {options_.sts_scheme, options_.sts_host, "GetCallerIdentity", kStsVersion, {}}, deadline,
      [this, generation](const Result<ApiAnswer, Failure>& answer) { take_identity(generation, answer); });
}

void EnsClient::take_identity(std::uint64_t generation, const Result<ApiAnswer, Failure>& answer) {
  asking_identity_ = false;
  std::optional<Failure> problem;
  if (!answer) {
    problem = answer.error();
  } else if (const auto account = decode_caller_identity(answer->root); !account) {
    problem = account.error();
  } else if (*account != *options_.owner) {
    problem =
        make_failure(Reason::owner_mismatch, "the key belongs to account " + std::string{account->str()} +
                                                 ", owner_account is " + std::string{options_.owner->str()});
  } else {
    identified_ = generation;
  }
  for (const AttemptPtr& attempt : std::exchange(awaiting_identity_, {})) {
    if (problem) {
      attempt->collector.fail(*problem);
      conclude(attempt);
    } else {
      advance(attempt);
    }
  }
}

void EnsClient::advance(const AttemptPtr& attempt) {
  if (attempt->over) return;
  if (attempt->collector.done()) return conclude(attempt);
  for (const int number : attempt->collector.next())
    ask_page(attempt, number);
}

void EnsClient::ask_page(const AttemptPtr& attempt, int number) {
  gate_.call(describe_share_permission(options_, attempt->image, number), attempt->deadline,
             [this, attempt, number](const Result<ApiAnswer, Failure>& answer) {
               if (attempt->over) return;
               if (!answer) {
                 attempt->collector.fail(answer.error());
                 return conclude(attempt);
               }
               attempt->server_time = answer->server_time;
               auto page = decode_page(answer->root);
               if (!page) {
                 attempt->collector.fail(std::move(page).error());
                 return conclude(attempt);
               }
               attempt->collector.add(number, std::move(*page));
               if (!attempt->collector.pause_before_next()) return advance(attempt);
               const Millis pause =
                   kShortestPause +
                   Millis{static_cast<Millis::rep>(
                       random_.unit() * static_cast<double>((kLongestPause - kShortestPause).count()))};
               pausing_.emplace(clock_.mono() + pause, attempt);
             });
}

/// The listing is what it is; whether the image still exists may be left to ask.
void EnsClient::conclude(const AttemptPtr& attempt) {
  if (attempt->over) return;
  attempt->over = true;
  attempt->found = attempt->collector.take();
  const Observation& found = attempt->found;
  // Another key may have signed the last pages than the one that was identified.
  if (options_.owner && (found.complete || !found.accounts.empty()) && !identity_known()) {
    Observation refused;
    refused.started = found.started;
    refused.failure = make_failure(Reason::owner_mismatch,
                                   "the key changed while the list was read; its owner is not known yet");
    return deliver(attempt, std::move(refused));
  }
  const bool turned_empty =
      found.complete && found.accounts.empty() && found.transient.empty() && attempt->had_accounts;
  const bool id_refused = !found.complete && found.failure.reason == Reason::invalid_image;
  if (turned_empty || id_refused) return ask_inventory(attempt, 1);
  deliver(attempt, std::move(attempt->found));
}

void EnsClient::ask_inventory(const AttemptPtr& attempt, int page) {
  ApiCall call{options_.scheme, options_.host, "DescribeSelfImages", kEnsVersion, {}};
  call.query = {{"ImageId", attempt->image.str()},
                {"PageNumber", std::to_string(page)},
                {"PageSize", std::to_string(kInventoryPageSize)}};
  gate_.call(std::move(call), attempt->deadline,
             [this, attempt, page](const Result<ApiAnswer, Failure>& answer) {
               take_inventory(attempt, page, answer);
             });
}

void EnsClient::take_inventory(const AttemptPtr& attempt, int page,
                               const Result<ApiAnswer, Failure>& answer) {
  Observation found = std::move(attempt->found);
  const auto inventory =
      answer ? decode_inventory(answer->root) : Result<InventoryPage, Failure>(Err(answer.error()));
  if (!inventory) return deliver(attempt, std::move(found));  // nobody knows: the listing stands as it is
  attempt->inventory_rows += inventory->rows;
  const auto& own = inventory->own_images;
  if (std::find(own.begin(), own.end(), attempt->image.str()) != own.end())
    return deliver(attempt, std::move(found));
  const auto total = static_cast<std::size_t>(std::max<std::int64_t>(0, inventory->total_count.value_or(0)));
  const bool more = inventory->rows > 0 && attempt->inventory_rows < total;
  if (more && page < kMaxInventoryPages) {
    attempt->found = std::move(found);
    return ask_inventory(attempt, page + 1);
  }
  const bool whole = inventory->total_count && attempt->inventory_rows == total;
  if (whole) {
    found.complete = false;
    found.gone = true;
    found.accounts.clear();
    found.failure = make_failure(Reason::image_gone, "the account's own inventory does not list this image");
  }
  deliver(attempt, std::move(found));
}

void EnsClient::deliver(const AttemptPtr& attempt, Observation found) {
  attempt->over = true;
  found.server_time = attempt->server_time;
  found.duration = std::chrono::duration_cast<Millis>(clock_.mono() - attempt->started);
  attempt->done(std::move(found));
}

}  // namespace sharedrift
