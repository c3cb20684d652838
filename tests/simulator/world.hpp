#pragma once

#include "core/ids.hpp"
#include "core/result.hpp"
#include "core/secret.hpp"
#include "core/time.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sharedrift::simulator {

struct Image {
  std::string id;
  std::string name;
  std::string owner;  ///< account id
  std::string status = "Available";
  WallTime created{};
  std::vector<AccountId> shared;  ///< in the order in which they were shared
};

/// What a policy says; patterns like `ens:Describe*`.
struct Statement {
  bool allow = true;
  std::vector<std::string> actions;
};

/// Everything that is allowed by `grants` and, if there is a session policy, by that as well.
struct Rights {
  std::vector<Statement> grants;
  std::optional<std::vector<Statement>> session_policy;
  [[nodiscard]] bool allow(std::string_view action) const;
};

/// Rights from patterns; one that begins with `!` denies.
std::vector<Statement> statements_from(const std::vector<std::string>& patterns);
/// The statements of a RAM policy document (resources and conditions are not looked at); nothing if it is no
/// policy.
std::optional<std::vector<Statement>> parse_policy(std::string_view json_text);

enum class PrincipalKind : std::uint8_t { account, ram_user, assumed_role };

/// An access key: a long-lived one, or one of a session (then with a token and an end).
struct Key {
  std::string id;
  Secret secret;
  Secret token;
  std::string account;
  std::string arn;
  std::string principal_id;
  PrincipalKind kind = PrincipalKind::ram_user;
  Rights rights;
  std::string denied_with = "NoPermission";  ///< the code of a refusal for lack of rights
  bool active = true;
  std::optional<WallTime> expires;
};

struct Role {
  std::string name;
  std::string account;
  std::vector<std::string> rights{"*"};
  std::vector<std::string> trusted;  ///< account ids or ARNs that may assume it; empty: all of its account
  std::string external_id;           ///< asked for unless empty
  std::chrono::seconds max_session{43'200};
  [[nodiscard]] std::string arn() const { return "acs:ram::" + account + ":role/" + name; }
};

/// Who may trade an OIDC token for a role.
struct OidcProvider {
  std::string arn;
  std::string token;       ///< the one token accepted ...
  std::string token_file;  ///< ... or the file that holds it, read at each use
};

/// What the documentation leaves open, as switches.
struct Behaviour {
  std::string unknown_image =
      "empty";  ///< code for an id that is not the caller's image; `empty`: an empty list
  std::string total_count = "exact";   ///< of a share listing; also more, less, text, omitted
  std::string large_page = "refused";  ///< a PageSize above 100; also cut, taken
  std::string empty_list =
      "usual";                     ///< shape of Accounts where nobody has the image, as the fault `accounts`
  std::string row_form = "usual";  ///< of an account, as the fault `rows`
  std::string inventory_regions = "cn-hangzhou";  ///< RegionId of images; also ap-southeast-1, both
  std::string metadata_role = "sim-role";         ///< role of the instance; empty: none attached
  std::string uri_role = "sim-role";              ///< role behind the credentials URI
  std::chrono::seconds metadata_session{3'600};
  std::int64_t inventory_page_cap = 1'000;  ///< a PageSize above it ...
  bool inventory_page_cut = false;          ///< ... is cut down to it; else it is refused
  bool filter_by_aliyun_id = false;         ///< AliyunId filters; else it is ignored
  bool inventory_total_count = true;        ///< DescribeSelfImages tells TotalCount, PageNumber and PageSize
  bool inventory_exact_filter = false;      ///< its ImageId filters by the whole id; else by a part of it
  bool rate_limit_headers = false;          ///< every answer of ENS tells what is left
  bool nonce_checked = true;                ///< a nonce that was used is refused
  bool metadata_v1 = true;                  ///< the metadata service also answers without a token
};

/// Everything the simulated cloud knows. Plain state with the rules that keep it consistent; a copy is a
/// restore point. Not thread-safe.
class World {
 public:
  static constexpr std::string_view kDefaultAccount = "1111111111111111";
  static constexpr std::size_t kMaxSharesPerImage = 200'000;

  Result<Unit, std::string> create_image(Image image);
  Result<Unit, std::string> delete_image(const std::string& id);
  Image* find_image(std::string_view id);
  /// Shares with those that do not have it yet; how many were added.
  Result<std::size_t, std::string> share(const std::string& image, const std::vector<std::string>& accounts);
  /// Takes away; how many were there.
  Result<std::size_t, std::string> unshare(const std::string& image,
                                           const std::vector<std::string>& accounts);
  /// Shares with `count` accounts of the generated sequence that do not have it yet, from number `first` on.
  Result<std::size_t, std::string> share_generated(const std::string& image, std::size_t count,
                                                   std::size_t first);

  Result<Unit, std::string> add_key(Key key);
  Key* find_key(std::string_view id);
  /// Sessions end by themselves; the oldest beyond a bound are forgotten.
  const Key& add_session(Key key);
  Result<Unit, std::string> add_role(Role role);
  [[nodiscard]] const Role* find_role(std::string_view arn) const;
  [[nodiscard]] const Role* find_role_by_name(std::string_view name) const;

  [[nodiscard]] const std::map<std::string, Image, std::less<>>& images() const { return images_; }
  [[nodiscard]] const std::map<std::string, Key, std::less<>>& keys() const { return keys_; }
  [[nodiscard]] const std::map<std::string, Role, std::less<>>& roles() const { return roles_; }
  bool delete_key(std::string_view id);

  Behaviour behaviour;
  std::vector<OidcProvider> oidc_providers;

 private:
  std::map<std::string, Image, std::less<>> images_;
  std::map<std::string, Key, std::less<>> keys_;
  std::map<std::string, Role, std::less<>> roles_;  ///< by ARN
  std::deque<std::string> sessions_;                ///< ids, oldest first
};

/// The n-th account of the sequence that fleets and tests share with: `1715107400000001` is the first.
std::string generated_account(std::size_t n);

}  // namespace sharedrift::simulator
