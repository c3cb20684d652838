#pragma once

#include "aliyun/api_gate.hpp"
#include "core/listing.hpp"
#include "ports.hpp"

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
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
/// key before anything is judged.
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

 private:
  /// One attempt under way; kept alive by the calls that will come back to it.
  struct Attempt {
    Attempt(const ImageId& id, ListingLimits limits, WallTime now) : image(id), collector(id, limits, now) {}
    ImageId image;
    ListingCollector collector;
    bool had_accounts = false;
    bool over = false;
    MonoTime deadline;
    MonoTime started;
    std::optional<WallTime> server_time;
    std::size_t inventory_rows = 0;
    Observation found;  ///< while the inventory is asked
    FetchDone done;
  };
  using AttemptPtr = std::shared_ptr<Attempt>;

  void begin(const AttemptPtr& attempt);
  void advance(const AttemptPtr& attempt);
  void ask_page(const AttemptPtr& attempt, int number);
  void conclude(const AttemptPtr& attempt);
  void ask_inventory(const AttemptPtr& attempt, int page);
  void take_inventory(const AttemptPtr& attempt, int page, const Result<ApiAnswer, Failure>& answer);
  void deliver(const AttemptPtr& attempt, Observation found);

  [[nodiscard]] bool identity_known() const;
  void ask_identity(MonoTime deadline);
  void take_identity(std::uint64_t generation, const Result<ApiAnswer, Failure>& answer);

  EnsOptions options_;
  ApiGate gate_;
  CredentialSource& credentials_;
  const Clock& clock_;
  Random& random_;
  std::multimap<MonoTime, AttemptPtr> pausing_;  ///< between two passes
  std::vector<AttemptPtr> awaiting_identity_;
  bool asking_identity_ = false;
  std::optional<std::uint64_t> identified_;  ///< the generation of the key that is known to be the owner's
  std::vector<AttemptPtr> fresh_;            ///< handed in since the last pump()
};

}  // namespace sharedrift
