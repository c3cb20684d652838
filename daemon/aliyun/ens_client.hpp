#pragma once

#include "aliyun/api_gate.hpp"
#include "core/listing.hpp"
#include "core/timer_queue.hpp"
#include "ports.hpp"

#include <cstdint>
#include <list>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace sharedrift {

struct EnsOptions {
  GateOptions gate;
  std::string scheme = "https";
  std::string host = "ens.aliyuncs.com";  ///< with the port where there is one
  std::string sts_scheme = "https";
  std::string sts_host = "sts.aliyuncs.com";
  std::optional<AccountId> owner;  ///< refuse to judge with a key of another account
  ListingLimits limits;
};

/// The request for one page of an image's shares. `filter`: the undocumented AliyunId, which is not sent
/// unless given.
ApiCall describe_share_permission(const EnsOptions& options, const ImageId& image, int page,
                                  const std::optional<AccountId>& filter = std::nullopt);

/// Lists shares by DescribeImageSharePermission, and asks DescribeSelfImages whether an image is gone when
/// its list turned empty or its id is refused. With an owner pinned, GetCallerIdentity is asked for each new
/// key, and no page signed with a key whose owner is not known to be the pinned one is ever judged.
///
/// A poll waits for one thing at a time: its calls, which end by its deadline, a pause between two passes, or
/// the owner of the key.
class EnsClient final : public ShareSource {
 public:
  EnsClient(EnsOptions options, HttpTransport& transport, TimerQueue& timers, CredentialSource& credentials,
            const Clock& clock, Random& random, ApiObserver& observer);
  ~EnsClient() override;
  EnsClient(const EnsClient&) = delete;
  EnsClient& operator=(const EnsClient&) = delete;

  void fetch(const ImageId& image, bool had_accounts, MonoTime deadline, FetchDone done) override;
  void on_wake() override { gate_.on_wake(); }
  [[nodiscard]] double budget() const { return gate_.budget(); }
  /// Takes over how fast `earlier` may go on: a new configuration is no new budget.
  void continue_pace_of(const EnsClient& earlier) { gate_.continue_pace_of(earlier.gate_); }

 private:
  /// How far the account's inventory was read. Absence from one answer is proof; from several only if two
  /// passes over them agree, since images may move between pages meanwhile.
  struct Inventory {
    int page = 1;
    std::optional<std::int64_t> total;
    std::set<std::string> images;
    std::optional<std::set<std::string>> pass_before;
  };
  /// One poll under way.
  struct Poll {
    Poll(const ImageId& id, ListingLimits limits, Instant now)
        : image(id), collector(id, limits, now.wall), started(now) {}
    ImageId image;
    ListingCollector collector;
    Instant started;
    bool had_accounts = false;
    MonoTime deadline;
    FetchDone done;
    std::list<Poll>::iterator self;
    TimerQueue::Timer timer;              ///< of a pause, or of the wait for the key's owner
    int outstanding = 0;                  ///< pages asked for
    std::optional<MonoTime> last_page;    ///< when one of this pass came last
    MonoTime::duration longest_gap{};     ///< from one page of a pass to the next
    std::optional<Failure> broken;        ///< the first page that failed; what is under way is still taken
    std::set<std::uint64_t> generations;  ///< of the credentials that signed its pages
    std::optional<WallTime> server_time;
    std::optional<Observation> listing;  ///< once the collector is done
    Inventory inventory;
  };

  void advance(Poll& poll);
  void ask_page(Poll& poll, int number);
  void take_page(Poll& poll, int number, const Result<ApiAnswer, Failure>& answer);
  void pause(Poll& poll);
  void conclude(Poll& poll);
  void judge(Poll& poll);
  void ask_inventory(Poll& poll);
  void take_inventory(Poll& poll, const Result<ApiAnswer, Failure>& answer);
  void refuse(Poll& poll, Failure why);
  void deliver(Poll& poll);

  [[nodiscard]] std::optional<std::uint64_t> current_generation() const;
  [[nodiscard]] bool owner_known(const Poll& poll) const;
  void await_identity(Poll& poll);
  void take_identity(const Result<ApiAnswer, Failure>& answer);

  EnsOptions options_;
  TimerQueue& timers_;
  ApiGate gate_;
  CredentialSource& credentials_;
  const Clock& clock_;
  Random& random_;
  std::list<Poll> polls_;  ///< under way
  std::vector<Poll*> awaiting_identity_;
  bool asking_identity_ = false;
  std::set<std::uint64_t> own_generations_;  ///< keys that are known to be the pinned owner's; the last few
  std::optional<std::uint64_t> foreign_generation_;  ///< the last key that is known to be another account's
  Failure foreign_;                                  ///< what is to be said about it
};

}  // namespace sharedrift
