#include "credentials/keeper.hpp"

#include "core/text.hpp"
#include "credentials/refresh_plan.hpp"

#include <algorithm>

namespace sharedrift {

namespace {
constexpr std::size_t kMaxDetail = 1500;

bool same_key(const Credentials& a, const Credentials& b) {
  return a.access_key_id == b.access_key_id && a.access_key_secret == b.access_key_secret &&
         a.security_token == b.security_token && a.origin == b.origin;
}
bool same_report(const Credentials& a, const Credentials& b) {
  return a.generation == b.generation && a.expires == b.expires && a.obtained == b.obtained &&
         a.warning == b.warning;
}

/// Somebody did not take what was shown to him: no fault that passes by itself within seconds.
bool is_refusal(const Failure& failure) {
  const int status = failure.http_status;
  const auto code_has = [&failure](const char* word) { return failure.code.find(word) != std::string::npos; };
  const bool throttled = status == 429 || code_has("Throttling") || code_has("FlowControl");
  const bool of_sts = status >= 400 && status < 500 && !throttled && !failure.code.empty();
  return status == 401 || status == 403 || status == 407 || of_sts;
}
}  // namespace

CredentialKeeper::CredentialKeeper(const CredentialSpec& options, const CredentialWorld& world,
                                   std::string profile, ApiObserver* observer)
    : world_(world), profile_(std::move(profile)), observer_(observer), chain_(options, world) {}

Result<Credentials, Failure> CredentialKeeper::current() {
  News news;
  auto answer = [&]() -> Result<Credentials, Failure> {
    const std::lock_guard lock(mutex_);
    if (look_again_ || files_changed()) look(news);
    const WallTime now = world_.clock.wall();
    if (good_ && (!good_->expires || *good_->expires > now)) return *good_;
    if (good_ && good_is_remote_ && failures_ == 0) {  // the machine slept past the refresh
      due_ = world_.clock.mono();
      pending_ = true;
    }
    if (failure_) return Err(*failure_);
    if (good_) {
      return Err(credential_failure("the credentials from " + good_->origin + " expired at " +
                                    format_rfc3339(*good_->expires) + ": renew them"));
    }
    return Err(credential_failure("the first answer is under way"));
  }();
  tell(news);
  return answer;
}

void CredentialKeeper::report_rejected(std::uint64_t generation) {
  const std::lock_guard lock(mutex_);
  if (!good_ || good_->generation != generation) return;  // they were replaced meanwhile
  const bool known = good_is_rejected_;
  good_is_rejected_ = true;
  if (!good_is_remote_) {
    look_again_ = true;  // the next current() reads the files, changed or not
    return;
  }
  if (known) return;  // its refresh is planned or under way
  const MonoTime now = world_.clock.mono();
  const MonoTime when = refresh_after_rejection(now, last_forced_);
  last_forced_ = when;
  due_ = due_ ? std::min(*due_, when) : when;
  pending_ = pending_ || when <= now;
}

bool CredentialKeeper::pending() const {
  const std::lock_guard lock(mutex_);
  return pending_;
}

std::optional<MonoTime> CredentialKeeper::due() const {
  const std::lock_guard lock(mutex_);
  return due_;
}

void CredentialKeeper::refresh(const std::stop_token& stop) {
  News news;
  Outlook outlook;
  std::uint64_t epoch = 0;
  {
    const std::lock_guard lock(mutex_);
    look(news);
    epoch = epoch_;
    if (due_) outlook = outlook_;
  }
  if (!outlook.ways.empty()) {
    Result<Credentials, Failure> got = chain_.obtain(outlook, stop);
    if (stop.stop_requested()) return;
    const std::lock_guard lock(mutex_);
    if (epoch == epoch_) take(std::move(got), news);
  }
  tell(news);
}

bool CredentialKeeper::files_changed() const {
  return !std::all_of(outlook_.watched.begin(), outlook_.watched.end(),
                      [](const FileStamp& stamp) { return stamp_of(stamp.path) == stamp; });
}

/// Reads files and variables. What they answer by themselves is taken at once; else a call is due now.
void CredentialKeeper::look(News& news) {
  outlook_ = chain_.look();
  ++epoch_;
  look_again_ = false;
  if (outlook_.ways.empty() || outlook_.immediate()) {
    take(chain_.obtain(outlook_, {}), news);
    return;
  }
  due_ = world_.clock.mono();
  pending_ = pending_ || !good_;
}

void CredentialKeeper::take(Result<Credentials, Failure> got, News& news) {
  const Instant now = world_.clock.now();
  const bool remote = !outlook_.ways.empty() && !outlook_.immediate();
  pending_ = false;
  due_.reset();
  if (!got) {
    news.failed = true;
    failure_ = std::move(got).error();
    failure_->detail = clean(failure_->detail, kMaxDetail);
    ++failures_;
    if (remote) {
      due_ = is_refusal(*failure_) ? next_try_after_refusal(now.mono, failures_, failure_->http_status)
                                   : next_retry(now.mono, failures_, world_.random.unit());
    }
    if (good_ && !good_is_remote_ && good_is_rejected_) good_.reset();  // refused, and no longer there
    if (good_) {
      good_->warning = clean("still using an earlier key: " + failure_->detail, kMaxDetail);
      news.changed = *good_;
    }
    return;
  }
  failure_.reset();
  failures_ = 0;
  if (remote) due_ = next_refresh(now, got->expires, world_.random.unit());
  got->warning = clean(got->warning, kMaxDetail);
  if (!got->obtained && remote) got->obtained = now.wall;
  const bool same = good_ && same_key(*good_, *got);
  got->generation = same ? generation_ : ++generation_;
  if (!good_ || !same_report(*good_, *got)) news.changed = *got;
  good_ = std::move(*got);
  good_is_remote_ = remote;
  good_is_rejected_ = false;
}

void CredentialKeeper::tell(const News& news) const {
  if (observer_ == nullptr) return;
  if (news.failed) observer_->on_credentials_refresh_failed(profile_);
  if (news.changed) observer_->on_credentials(profile_, *news.changed);
}

}  // namespace sharedrift
