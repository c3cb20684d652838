#include "aliyun/owner_pin.hpp"

#include "aliyun/answer.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace sharedrift {

namespace {
constexpr std::size_t kGenerationsKept = 8;
}

OwnerPin::OwnerPin(std::optional<AccountId> owner, ApiCall caller_identity, ApiGate& gate, TimerQueue& timers,
                   CredentialSource& credentials, const Clock& clock)
    : owner_(owner),
      caller_identity_(std::move(caller_identity)),
      gate_(gate),
      timers_(timers),
      credentials_(credentials),
      clock_(clock) {}

std::optional<std::uint64_t> OwnerPin::current_generation() const {
  const auto credentials = credentials_.current();
  if (!credentials) return std::nullopt;
  return credentials->generation;
}

bool OwnerPin::proves(const Generations& signed_with) const {
  const auto own = [this](std::uint64_t key) { return own_.contains(key); };
  return !owner_ || (!signed_with.empty() && std::all_of(signed_with.begin(), signed_with.end(), own));
}

void OwnerPin::check(const Generations& signed_with, MonoTime deadline, Then then) {
  if (!owner_) return then(nullptr);
  const auto current = current_generation();
  Generations keys = signed_with;
  if (keys.empty() && current) keys.insert(*current);
  if (proves(keys)) return then(nullptr);
  // The present key's owner can be asked for, that of one which was replaced meanwhile not.
  const bool askable = std::all_of(keys.begin(), keys.end(),
                                   [&](std::uint64_t key) { return own_.contains(key) || key == current; });
  if (!askable) {
    return wait(clock_.mono(),
                make_failure(Reason::credentials,
                             "the key was replaced while the list was read, before its owner was known"),
                std::move(then));
  }
  if (current && current == foreign_) return wait(clock_.mono(), foreign_failure_, std::move(then));
  if (!asking_) ask(deadline);
  // The call may be another's, with a later deadline. One that is late itself ends first, and says why.
  wait(deadline, make_failure(Reason::timeout, "the owner of the key was not known before the deadline"),
       std::move(then));
}

void OwnerPin::ask(MonoTime deadline) {
  asking_ = true;
  gate_.call(caller_identity_, deadline, [this](const Result<ApiAnswer, Failure>& answer) { take(answer); });
}

/// Has `then` told of `why` at `until`, unless an answer comes before.
void OwnerPin::wait(MonoTime until, Failure why, Then then) {
  const bool at_once = until <= clock_.mono();
  std::list<Waiter>& list = at_once ? refused_ : waiting_;
  list.push_back({{}, std::move(then)});
  const auto waiter = std::prev(list.end());
  waiter->late = timers_.at(until, [&list, waiter, why = std::move(why)] {
    const Then told = std::move(waiter->then);
    list.erase(waiter);
    told(&why);
  });
}

void OwnerPin::take(const Result<ApiAnswer, Failure>& answer) {
  asking_ = false;
  auto account = answer ? decode_caller_identity(answer->document.root())
                        : Result<AccountId, Failure>(Err(answer.error()));
  if (answer && answer->from_cache) {
    account = Err(make_failure(Reason::bad_payload,
                               "a cache between this host and STS gave the answer; exclude STS from it"));
  }
  std::optional<Failure> problem;
  if (!account) {
    problem = account.error();
    problem->detail = "the owner of the key cannot be learnt: " + problem->detail;
    // STS does not speak of images.
    if (problem->reason == Reason::invalid_image) problem->reason = Reason::api_other;
  } else if (*account != *owner_) {
    foreign_ = answer->generation;
    foreign_failure_ =
        make_failure(Reason::owner_mismatch, "the key belongs to account " + std::string{account->str()} +
                                                 ", owner_account is " + std::string{owner_->str()});
    problem = foreign_failure_;
  } else {
    own_.insert(answer->generation);
    if (own_.size() > kGenerationsKept) own_.erase(own_.begin());
  }
  for (Waiter& waiter : std::exchange(waiting_, {}))
    waiter.then(problem ? &*problem : nullptr);
}

}  // namespace sharedrift
