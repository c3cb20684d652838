#pragma once

#include "aliyun/api_gate.hpp"
#include "core/listing.hpp"
#include "ports.hpp"

#include <cstdint>
#include <map>
#include <memory>
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
class EnsClient final : public ShareSource {
 public:
  EnsClient(EnsOptions options, HttpTransport& transport, CredentialSource& credentials, const Clock& clock,
            Random& random, ApiObserver& observer);
  ~EnsClient() override;
  EnsClient(const EnsClient&) = delete;
  EnsClient& operator=(const EnsClient&) = delete;

  void fetch(const ImageId& image, bool had_accounts, MonoTime deadline, FetchDone done) override;
  void pump(Instant now) override;
  [[nodiscard]] MonoTime next_wake() const override;
  [[nodiscard]] double budget() const { return gate_.budget(); }
  /// Takes over how fast `earlier` may go on: a new configuration is no new budget.
  void continue_pace_of(const EnsClient& earlier) { gate_.continue_pace_of(earlier.gate_); }

 private:
  struct Attempt;
  using AttemptPtr = std::shared_ptr<Attempt>;
  /// How far the account's inventory was read. Absence from one answer is proof; from several only if two
  /// passes over them agree, since images may move between pages meanwhile.
  struct Inventory {
    int page = 1;
    std::optional<std::int64_t> total;
    std::set<std::string> images;
    std::optional<std::set<std::string>> pass_before;
  };
  /// One attempt under way; kept alive by the calls that will come back to it.
  struct Attempt {
    Attempt(const ImageId& id, ListingLimits limits, WallTime now) : image(id), collector(id, limits, now) {}
    ImageId image;
    ListingCollector collector;
    bool had_accounts = false;
    MonoTime deadline;
    MonoTime started;
    FetchDone done;
    std::multimap<MonoTime, AttemptPtr>::iterator in_deadlines;
    int outstanding = 0;                  ///< pages asked for
    std::optional<MonoTime> last_page;    ///< when one of this pass came last
    MonoTime::duration longest_gap{};     ///< from one page of a pass to the next
    std::optional<Failure> broken;        ///< the first page that failed; what is under way is still taken
    std::set<std::uint64_t> generations;  ///< of the credentials that signed its pages
    std::optional<WallTime> server_time;
    bool read = false;  ///< the collector is done, `found` is its result
    Observation found;
    Inventory inventory;
    bool over = false;
  };

  void begin(const AttemptPtr& attempt);
  void advance(const AttemptPtr& attempt);
  void ask_page(const AttemptPtr& attempt, int number);
  void take_page(const AttemptPtr& attempt, int number, const Result<ApiAnswer, Failure>& answer);
  void conclude(const AttemptPtr& attempt);
  void judge(const AttemptPtr& attempt);
  void expire(const AttemptPtr& attempt);
  void ask_inventory(const AttemptPtr& attempt);
  void take_inventory(const AttemptPtr& attempt, const Result<ApiAnswer, Failure>& answer);
  void refuse(const AttemptPtr& attempt, Failure why);
  void deliver(const AttemptPtr& attempt);

  [[nodiscard]] std::optional<std::uint64_t> current_generation() const;
  [[nodiscard]] bool owner_known(const Attempt& attempt) const;
  void await_identity(const AttemptPtr& attempt);
  void take_identity(const Result<ApiAnswer, Failure>& answer);

  EnsOptions options_;
  ApiGate gate_;
  CredentialSource& credentials_;
  const Clock& clock_;
  Random& random_;
  std::vector<AttemptPtr> fresh_;                  ///< handed in since the last pump()
  std::multimap<MonoTime, AttemptPtr> deadlines_;  ///< of all attempts under way
  std::multimap<MonoTime, AttemptPtr> pausing_;    ///< between two passes
  std::vector<AttemptPtr> awaiting_identity_;
  bool asking_identity_ = false;
  std::set<std::uint64_t> own_generations_;  ///< keys that are known to be the pinned owner's; the last few
  std::optional<std::uint64_t> foreign_generation_;  ///< the last key that is known to be another account's
  Failure foreign_;                                  ///< what is to be said about it
};

}  // namespace sharedrift
