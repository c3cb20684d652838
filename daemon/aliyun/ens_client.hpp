#pragma once

#include "aliyun/api_gate.hpp"
#include "aliyun/owner_pin.hpp"
#include "core/inventory.hpp"
#include "core/listing.hpp"
#include "core/timer_queue.hpp"
#include "ports.hpp"

#include <list>
#include <optional>
#include <string>
#include <utility>

namespace sharedrift {

struct EnsOptions {
  GateOptions gate;
  std::string scheme = "https";
  std::string host = "ens.aliyuncs.com";  ///< with the port where there is one
  std::string sts_scheme = "https";
  std::string sts_host = "sts.aliyuncs.com";
  std::optional<AccountId> owner;  ///< refuse to judge with a key of another account
  ListingLimits limits;
  int images_page_size = 100;     ///< of the inventory: no maximum is documented
  Millis look_up_pause{300'000};  ///< so long no image is looked up after the key was refused the right to
};

/// The request for one page of an image's shares. `filter`: the undocumented AliyunId, which is not sent
/// unless given.
ApiCall describe_share_permission(const EnsOptions& options, const ImageId& image, int page,
                                  const std::optional<AccountId>& filter = std::nullopt);

/// The request for one page of the account's images; with `only`, of those whose id is like it.
ApiCall describe_self_images(const EnsOptions& options, const std::optional<ImageId>& only, int page);

/// Lists shares by DescribeImageSharePermission, and images by DescribeSelfImages. A list that is empty is
/// complete only if the image is known to be the account's: by the inventory that the caller keeps, or it is
/// looked up by its id. A key that may not look up is asked to do so once in a while, not for every empty
/// list. With an owner pinned, no page signed with a key whose owner is not known to be the
/// pinned one is ever judged.
///
/// A poll waits for one thing at a time: its calls, which end by its deadline, a pause between two passes,
/// the owner of the key, or the look-up of its image. So does a walk.
class EnsClient final : public ShareSource {
 public:
  EnsClient(EnsOptions options, HttpTransport& transport, TimerQueue& timers, CredentialSource& credentials,
            const Clock& clock, Random& random, ApiObserver& observer);

  void fetch(const ImageId& image, IsOurs is_ours, MonoTime deadline, FetchDone done) override;
  void walk(MonoTime deadline, WalkDone done) override { walk(std::nullopt, deadline, std::move(done)); }
  void on_wake() override { gate_.on_wake(); }
  void break_off(const Failure& why) override;
  [[nodiscard]] double budget() const { return gate_.budget(); }
  /// Takes over how fast `earlier` may go on: a new configuration is no new budget.
  void continue_pace_of(const EnsClient& earlier) { gate_.continue_pace_of(earlier.gate_); }
  /// Takes over what `earlier` walked through, with the same credential source at the same place.
  void continue_walks_of(const EnsClient& earlier) { walked_with_ = earlier.walked_with_; }

 private:
  /// The gaps between the pages of a pass, which the pause before the next one hides.
  struct Gaps {
    std::optional<MonoTime> last_page;  ///< when one of this pass came last
    MonoTime::duration longest{};       ///< from one page of a pass to the next
    void note(MonoTime now);
  };
  /// One poll under way.
  struct Poll {
    Poll(const ImageId& id, ListingLimits limits, Instant now)
        : image(id), collector(id, limits, now.wall), started(now) {}
    ImageId image;
    ListingCollector collector;
    Instant started;
    IsOurs is_ours;
    MonoTime deadline;
    FetchDone done;
    std::list<Poll>::iterator self;
    TimerQueue::Timer timer;  ///< of a pause
    int outstanding = 0;      ///< pages asked for
    Gaps gaps;
    std::optional<Failure> broken;      ///< the first page that failed; what is under way is still taken
    OwnerPin::Generations generations;  ///< of the credentials that signed its pages
    std::optional<WallTime> server_time;
    std::optional<Observation> listing;  ///< once the collector is done
  };
  /// One walk under way.
  struct Walk {
    Walk(std::optional<ImageId> id, ListingLimits limits, WallTime now)
        : only(std::move(id)), collector(limits, now) {}
    std::optional<ImageId> only;  ///< looked up by its id
    InventoryCollector collector;
    MonoTime deadline;
    WalkDone done;
    std::list<Walk>::iterator self;
    TimerQueue::Timer timer;  ///< of a pause
    Gaps gaps;
    OwnerPin::Generations generations;
    std::optional<Failure> in_doubt;  ///< the page that ended it
  };

  void advance(Poll& poll);
  void ask_page(Poll& poll, int number);
  void take_page(Poll& poll, int number, const Result<ApiAnswer, Failure>& answer);
  [[nodiscard]] bool may_look_up(const Poll& poll) const;
  [[nodiscard]] MonoTime end_of_pause(Gaps& gaps, MonoTime deadline);
  void conclude(Poll& poll);
  void judge(Poll& poll);
  void judge_ownership(Poll& poll, const InventoryListing& found);
  void refuse(Poll& poll, Failure why);
  void deliver(Poll& poll);

  void walk(std::optional<ImageId> only, MonoTime deadline, WalkDone done);
  void ask_images(Walk& walk);
  [[nodiscard]] ListingLimits walk_limits() const;
  bool ask_smaller(Walk& walk, const Failure& refusal);
  void take_images(Walk& walk, const Result<ApiAnswer, Failure>& answer);
  void end(Walk& walk);

  EnsOptions options_;
  TimerQueue& timers_;
  ApiGate gate_;
  OwnerPin pin_;
  const Clock& clock_;
  Random& random_;
  std::list<Poll> polls_;              ///< under way
  std::list<Walk> walks_;              ///< under way
  OwnerPin::Generations walked_with_;  ///< the keys that signed the last complete walk
  /// The keys of a poll lack the right to list images.
  struct NoRight {
    OwnerPin::Generations keys;
    Failure failure;
    MonoTime until;
  };
  std::optional<NoRight> no_right_;
};

}  // namespace sharedrift
