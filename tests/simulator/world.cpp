#include "simulator/world.hpp"

#include <algorithm>
#include <unordered_set>

#include <nlohmann/json.hpp>

namespace sharedrift::simulator {

namespace {

constexpr std::size_t kMaxSessions = 10'000;

/// `*` matches any text. Goes back to the last star only, so no pattern is slow.
bool glob(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

bool evaluate(const std::vector<Statement>& statements, std::string_view action) {
  bool allowed = false;
  for (const Statement& s : statements) {
    if (!std::any_of(s.actions.begin(), s.actions.end(), [&](const auto& p) { return glob(p, action); })) {
      continue;
    }
    if (!s.allow) return false;
    allowed = true;
  }
  return allowed;
}

Err<std::string> no_such_image(const std::string& id) {
  return Err("no image '" + id + "'");
}

}  // namespace

bool Rights::allow(std::string_view action) const {
  return evaluate(grants, action) && (!session_policy || evaluate(*session_policy, action));
}

std::vector<Statement> statements_from(const std::vector<std::string>& patterns) {
  Statement allowed{true, {}};
  Statement denied{false, {}};
  for (const std::string& pattern : patterns) {
    const bool denies = pattern.starts_with('!');
    (denies ? denied : allowed).actions.push_back(pattern.substr(denies ? 1 : 0));
  }
  return {std::move(allowed), std::move(denied)};
}

std::optional<std::vector<Statement>> parse_policy(std::string_view json_text) {
  using nlohmann::json;
  const json policy = json::parse(json_text, nullptr, false);
  if (!policy.is_object() || !policy.contains("Statement")) return std::nullopt;
  const json& list = policy["Statement"];
  if (!list.is_array()) return std::nullopt;
  std::vector<Statement> out;
  for (const json& one : list) {
    if (!one.is_object() || !one.contains("Effect") || !one.contains("Action")) return std::nullopt;
    const json& effect = one["Effect"];
    if (effect != "Allow" && effect != "Deny") return std::nullopt;
    Statement statement{effect == "Allow", {}};
    const json& action = one["Action"];
    for (const json& a : action.is_array() ? action : json::array({action})) {
      if (!a.is_string()) return std::nullopt;
      statement.actions.push_back(a.get<std::string>());
    }
    out.push_back(std::move(statement));
  }
  return out;
}

Result<Unit, std::string> World::create_image(Image image) {
  if (!ImageId::parse(image.id)) return Err("'" + image.id + "' is no image id");
  if (!AccountId::parse(image.owner)) return Err("owner '" + image.owner + "' is no account id");
  if (images_.contains(image.id)) return Err("image '" + image.id + "' exists already");
  std::string id = image.id;
  images_.emplace(std::move(id), std::move(image));
  return Unit{};
}

Result<Unit, std::string> World::delete_image(const std::string& id) {
  if (images_.erase(id) == 0) return no_such_image(id);
  return Unit{};
}

Image* World::find_image(std::string_view id) {
  const auto it = images_.find(id);
  return it == images_.end() ? nullptr : &it->second;
}

Result<std::size_t, std::string> World::share(const std::string& image,
                                              const std::vector<std::string>& accounts) {
  Image* found = find_image(image);
  if (found == nullptr) return no_such_image(image);
  std::vector<AccountId> ids;
  for (const std::string& text : accounts) {
    const std::optional<AccountId> id = AccountId::parse(text);
    if (!id) return Err("'" + text + "' is no account id");
    ids.push_back(*id);
  }
  if (found->shared.size() + ids.size() > kMaxSharesPerImage) return Err(std::string("too many shares"));
  std::unordered_set<AccountId> there(found->shared.begin(), found->shared.end());
  std::size_t added = 0;
  for (const AccountId& id : ids) {
    if (!there.insert(id).second) continue;
    found->shared.push_back(id);
    ++added;
  }
  return added;
}

Result<std::size_t, std::string> World::unshare(const std::string& image,
                                                const std::vector<std::string>& accounts) {
  Image* found = find_image(image);
  if (found == nullptr) return no_such_image(image);
  const std::unordered_set<std::string_view> gone(accounts.begin(), accounts.end());
  return std::erase_if(found->shared, [&gone](const AccountId& id) { return gone.contains(id.str()); });
}

Result<std::size_t, std::string> World::share_generated(const std::string& image, std::size_t count,
                                                        std::size_t first) {
  Image* found = find_image(image);
  if (found == nullptr) return no_such_image(image);
  if (found->shared.size() + count > kMaxSharesPerImage) return Err(std::string("too many shares"));
  const std::unordered_set<AccountId> there(found->shared.begin(), found->shared.end());
  found->shared.reserve(found->shared.size() + count);
  std::size_t added = 0;
  for (std::size_t n = first; added < count; ++n) {
    const auto id = AccountId::parse(generated_account(n));
    if (!id || there.contains(*id)) continue;
    found->shared.push_back(*id);
    ++added;
  }
  return added;
}

Result<Unit, std::string> World::add_key(Key key) {
  if (key.id.empty() || key.id.find_first_of(" \t\r\n,=/") != std::string::npos) {
    return Err(std::string("a key needs an id without blanks, commas and slashes"));
  }
  if (key.secret.empty()) return Err("key '" + key.id + "' needs a secret");
  if (!AccountId::parse(key.account)) return Err("account '" + key.account + "' is no account id");
  if (keys_.contains(key.id)) return Err("key '" + key.id + "' exists already");
  std::string id = key.id;
  keys_.emplace(std::move(id), std::move(key));
  return Unit{};
}

Key* World::find_key(std::string_view id) {
  const auto it = keys_.find(id);
  return it == keys_.end() ? nullptr : &it->second;
}

bool World::delete_key(std::string_view id) {
  const auto it = keys_.find(id);
  if (it == keys_.end()) return false;
  keys_.erase(it);
  return true;
}

const Key& World::add_session(Key key) {
  if (sessions_.size() >= kMaxSessions) {
    keys_.erase(sessions_.front());
    sessions_.pop_front();
  }
  sessions_.push_back(key.id);
  std::string id = key.id;
  return keys_.insert_or_assign(std::move(id), std::move(key)).first->second;
}

Result<Unit, std::string> World::add_role(Role role) {
  if (role.name.empty()) return Err(std::string("a role needs a name"));
  if (!AccountId::parse(role.account)) return Err("account '" + role.account + "' is no account id");
  std::string arn = role.arn();
  roles_.insert_or_assign(std::move(arn), std::move(role));
  return Unit{};
}

const Role* World::find_role(std::string_view arn) const {
  const auto it = roles_.find(arn);
  return it == roles_.end() ? nullptr : &it->second;
}

const Role* World::find_role_by_name(std::string_view name) const {
  const auto it =
      std::find_if(roles_.begin(), roles_.end(), [name](const auto& r) { return r.second.name == name; });
  return it == roles_.end() ? nullptr : &it->second;
}

std::string generated_account(std::size_t n) {
  return std::to_string(std::uint64_t{1'715'107'400'000'000} + n);
}

}  // namespace sharedrift::simulator
