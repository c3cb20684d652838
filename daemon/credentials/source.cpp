#include "credentials/source.hpp"

#include "credentials/keeper.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>

namespace sharedrift {

namespace {

/// A keeper and the thread that makes its calls. The thread sleeps until the next call is due or somebody
/// asks for one; it never wakes up just to look.
class ThreadedSource final : public CredentialSource {
 public:
  ThreadedSource(const CredentialSpec& options, CredentialWorld world, std::string profile,
                 CredentialListeners listeners)
      : world_(std::move(world)),
        changed_(std::move(listeners.changed)),
        keeper_(options, world_, std::move(profile), listeners.observer) {
    (void)keeper_.current();
    prompt();  // remote credentials are on their way before anybody asks
  }

  Result<Credentials, Failure> current() override {
    auto answer = keeper_.current();
    prompt();
    return answer;
  }
  void report_rejected(std::uint64_t generation) override {
    keeper_.report_rejected(generation);
    prompt();
  }
  [[nodiscard]] bool pending() const override { return keeper_.pending(); }

 private:
  /// Lets the thread look at the time that is due now, when it is another one than before.
  void prompt() {
    const std::optional<MonoTime> due = keeper_.due();
    const std::lock_guard lock(mutex_);
    if (due == seen_due_) return;
    seen_due_ = due;
    if (!thread_.joinable()) {
      thread_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
    } else {
      prompted_ = true;
      wake_.notify_one();
    }
  }

  void work(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      std::unique_lock lock(mutex_);
      const std::optional<MonoTime> due = keeper_.due();
      seen_due_ = due;
      if (!due) {
        wake_.wait(lock, stop, [this] { return prompted_; });
        prompted_ = false;
        continue;
      }
      const Millis left = std::chrono::ceil<Millis>(*due - world_.clock.mono());
      if (left > Millis{0}) {
        // For a stretch, not until a moment: a test's clock has other moments than the system's.
        wake_.wait_for(lock, stop, left, [this] { return prompted_; });
        prompted_ = false;
        continue;
      }
      lock.unlock();
      keeper_.refresh(stop);
      if (!stop.stop_requested() && changed_) changed_();
    }
  }

  CredentialWorld world_;
  std::function<void()> changed_;
  CredentialKeeper keeper_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  bool prompted_ = false;
  std::optional<MonoTime> seen_due_;
  std::jthread thread_;  ///< last: ends before what it uses
};

}  // namespace

std::vector<std::string> local_credential_faults(const CredentialSpec& options,
                                                 const CredentialWorld& world) {
  return Chain(options, world).local_faults();
}

std::unique_ptr<CredentialSource> make_credential_source(const CredentialSpec& options, CredentialWorld world,
                                                         std::string profile, CredentialListeners listeners) {
  return std::make_unique<ThreadedSource>(options, std::move(world), std::move(profile),
                                          std::move(listeners));
}

}  // namespace sharedrift
