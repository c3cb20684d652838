#pragma once

#include "core/record.hpp"
#include "core/watch_list.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sharedrift {

struct DriftView;
struct Event;
enum class EventType;
struct ImageView;
struct Observation;

/// One image's memory and the rules of drift. Knows nothing of other images: whether a clear that is due may
/// happen is for the fleet's guard to say, in end_cycle(). Not thread-safe; time is an argument.
///
/// The memory is a set of sightings (accounts seen and not yet proven absent), of losses (those of them that
/// complete listings lack) and of absences (required accounts that complete listings lack). Drift is derived
/// from it and the allow-list, and events are the differences.
class ImageTracker {
 public:
  /// From where an image is looked at.
  struct Viewpoint {
    const WatchList& watch;
    Instant now;
    WallTime judged_at;  ///< the later of the local and the API's clock: exceptions are judged by it
  };
  /// What a step needs from outside and where its news goes.
  struct Context : Viewpoint {
    std::int64_t cycle = 0;  ///< the open cycle of the mass-change guard
    bool guarded = false;    ///< the guard is on: a clear waits until the cycle of its loss has ended
    std::vector<Event>& events;
    std::array<std::uint64_t, kAllCloseReasons.size()>& closes;
    std::span<const std::string> request_ids{};  ///< of the poll that is judged, the last few
  };

  /// Exceptions that end after `judged_at` are news.
  ImageTracker(std::shared_ptr<const ImagePolicy> policy, WallTime judged_at);
  /// Takes up an earlier life that judged as of `judged_at`, or what is remembered from before it was not
  /// watched. Drift stays open without being counted again, unless it was told as closed when nobody watched
  /// it any more; what the policy of today sees differently is an event.
  void restore(const ImageRecord& record, WallTime judged_at, Context& context);

  /// Returns true if the image lost accounts: some began to be absent, or the image itself.
  bool observe(const Observation& seen, Context& context);
  void adopt(std::shared_ptr<const ImagePolicy> policy, Context& context);
  /// Time alone: exceptions that ended.
  void expire(Context& context);
  /// Tells that what is open closes, and returns what is remembered.
  ImageRecord unwatch(Context& context);
  /// All accounts that are remembered, sorted.
  [[nodiscard]] const std::vector<Sighting>& sightings() const { return known_.sightings; }
  /// Whether anything is on its way to be proven absent.
  [[nodiscard]] bool is_losing() const { return gone_.begun() || !known_.losses.empty(); }
  /// The guard's verdict on what began to be absent in `cycle`: what it holds starts to count anew.
  void end_cycle(std::int64_t cycle, bool hold, Context& context);

  [[nodiscard]] std::shared_ptr<const ImageView> view(const Viewpoint& at) const;
  /// Of an image that is not watched any more: the drift that was open, and no claim of anything else.
  [[nodiscard]] static std::shared_ptr<const ImageView> unwatched_view(
      const ImageRecord& record, std::shared_ptr<const ImagePolicy> policy, const Viewpoint& at);
  [[nodiscard]] const ImageRecord& record() const { return known_; }
  [[nodiscard]] const ImagePolicy& policy() const { return *policy_; }
  [[nodiscard]] const std::shared_ptr<const ImagePolicy>& shared_policy() const { return policy_; }
  [[nodiscard]] ImageState state() const { return known_.state; }
  /// The last poll's failure, as it is told. Only where it failed.
  [[nodiscard]] Event failure_event(const Context& context) const;
  /// Why the last poll failed, in fields of an event. Only where it failed.
  void add_failure(Event& event) const;
  /// Whether an empty list would be news, so that an inventory of before it does not explain it: accounts are
  /// believed to have access, or the image to be gone.
  [[nodiscard]] bool empty_is_news() const { return !known_.sightings.empty() || gone_.begun(); }
  /// How many clears the guard holds.
  [[nodiscard]] std::int64_t held() const;
  /// The next moment at which time alone changes the view: a zero goes stale or an exception ends.
  [[nodiscard]] MonoTime next_deadline(const Viewpoint& at) const;

 private:
  /// Why drift begins: it was open when nobody watched any more, and goes on.
  static constexpr std::string_view kWatchedAgain = "watched_again";
  using Accounts = std::vector<AccountId>;
  void take_up(const ImageRecord& record, const Viewpoint& at);
  void restore_evidence(const ImageRecord& record, const Viewpoint& at);
  void see(const Accounts& accounts, Context& context);
  void recover(const Accounts& seen, Context& context);
  bool miss(const Accounts& present, Context& context);
  void miss_required(const Accounts& present, Context& context);
  bool note_gone(Context& context);
  void settle(std::string_view why, Context& context);
  void tell_expired(Context& context) const;
  void forget_absent(Context& context);
  void derive_drift(std::string_view why, Context& context);
  /// Tells that a drift begins, and returns it.
  Drift open(const AccountId& account, DriftKind kind, std::string_view why, Context& context);
  void close(const Drift& drift, CloseReason why, Context& context);
  [[nodiscard]] bool is_open(const AccountId& account, DriftKind kind) const;
  void judge_canary(Context& context);
  void note_outcome(const Observation& seen, Context& context);
  void note_state(ImageState state, Context& context);
  [[nodiscard]] static bool is_enough(const Proof& proof, const Context& context);
  [[nodiscard]] Event make_event(EventType type, const Context& context) const;
  [[nodiscard]] Event drift_event(EventType type, const AccountId& account, DriftKind kind,
                                  const Context& context) const;
  [[nodiscard]] const Sighting* sighting_of(const AccountId& account) const;
  [[nodiscard]] const Loss* loss_of(const AccountId& account) const;
  [[nodiscard]] const Absence* absence_of(const AccountId& account) const;
  /// From then on the last proof is too old for a 0.
  [[nodiscard]] MonoTime stale_from() const { return last_complete_mono_ + policy_->stale_after; }
  [[nodiscard]] bool is_stale(const Viewpoint& at) const;
  [[nodiscard]] DriftView drift_view(const Drift& drift) const;
  [[nodiscard]] Accounts listed_now() const;

  std::shared_ptr<const ImagePolicy> policy_;
  ImageRecord known_;  ///< what outlives a restart
  std::optional<bool> canary_ok_;
  std::uint32_t failures_in_a_row_ = 0;
  int complete_listings_ = 0;  ///< since the start, at most a few; for the canary
  Proof gone_;                 ///< that the image itself is not there
  MonoTime last_complete_mono_;
  WallTime judged_at_;                           ///< of the last step: exceptions that end after it are news
  std::shared_ptr<const Failure> last_failure_;  ///< rare, and large beside the rest
};

}  // namespace sharedrift
