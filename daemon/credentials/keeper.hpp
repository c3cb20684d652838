#pragma once

#include "credentials/chain.hpp"

#include <mutex>

namespace sharedrift {

/// Keeps the credentials of one profile: answers from what is at hand, says when a call is due, and makes it
/// when told to. It has no thread of its own (see make_credential_source). The last good credentials are
/// handed out until they really expire, whatever fails meanwhile. Thread-safe, but one refresh() at a time.
class CredentialKeeper {
 public:
  /// Everything referred to outlives the keeper. `observer` may be null.
  CredentialKeeper(const CredentialSpec& options, const CredentialWorld& world, std::string profile,
                   ApiObserver* observer);

  Result<Credentials, Failure> current();
  void report_rejected(std::uint64_t generation);
  [[nodiscard]] bool pending() const;

  /// When refresh() is to be called; none while everything is answered by files and variables.
  [[nodiscard]] std::optional<MonoTime> due() const;
  /// Looks at all places again and makes the calls that they ask for. Blocks until done or `stop`.
  void refresh(const std::stop_token& stop);

 private:
  /// What the observer is to be told once the lock is released.
  struct News {
    std::optional<Credentials> changed;
    bool failed = false;
  };
  [[nodiscard]] bool files_changed() const;
  void look(News& news);
  void take(Result<Credentials, Failure> got, News& news);
  void tell(const News& news) const;

  const CredentialWorld& world_;
  std::string profile_;
  ApiObserver* observer_;
  Chain chain_;

  mutable std::mutex mutex_;
  Outlook outlook_;
  bool look_again_ = true;
  std::uint64_t epoch_ = 0;  ///< counts looks: an answer to an older one is not used
  std::optional<Credentials> good_;
  bool good_is_remote_ = false;
  bool good_is_rejected_ = false;
  std::optional<MonoTime> last_forced_;  ///< refresh for a rejection
  std::optional<Failure> failure_;       ///< of the last try; none after a success
  int failures_ = 0;                     ///< in a row
  bool pending_ = false;
  std::optional<MonoTime> due_;
  std::uint64_t generation_ = 0;
};

}  // namespace sharedrift
