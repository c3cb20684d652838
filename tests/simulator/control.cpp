#include "simulator/control.hpp"

#include "core/text.hpp"
#include "simulator/json_args.hpp"
#include "simulator/load.hpp"
#include "simulator/simulator.hpp"
#include "wire/url.hpp"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

namespace sharedrift::simulator {

using nlohmann::json;

namespace {

SimAnswer reply(int status, const json& body) {
  SimAnswer answer;
  answer.status = status;
  answer.content_type = "application/json";
  answer.body = body.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  return answer;
}

SimAnswer refusal(int status, const std::string& why) {
  return reply(status, {{"status", "error"}, {"error", why}});
}

/// A peer's address; a socket for both families shows IPv4 inside IPv6.
bool is_local_peer(std::string_view address) {
  constexpr std::string_view kMapped = "::ffff:";
  if (address.starts_with(kMapped)) address.remove_prefix(kMapped.size());
  return is_local(address);
}

json image_state(const Image& image) {
  json accounts = json::array();
  for (const AccountId& account : image.shared)
    accounts.push_back(account.str());
  return {{"id", image.id},
          {"name", image.name},
          {"owner", image.owner},
          {"status", image.status},
          {"accounts", std::move(accounts)}};
}

/// Without its secret and token.
json key_state(const Key& key) {
  json grants = json::array();
  for (const Statement& s : key.rights.grants) {
    for (const std::string& action : s.actions)
      grants.push_back((s.allow ? "" : "!") + action);
  }
  json out = {{"id", key.id},
              {"account", key.account},
              {"arn", key.arn},
              {"active", key.active},
              {"rights", std::move(grants)},
              {"denied_with", key.denied_with},
              {"session", key.kind == PrincipalKind::assumed_role}};
  if (key.expires) out["expires"] = format_api_time(*key.expires);
  return out;
}

json behaviour_state(const Behaviour& b) {
  return {{"filter_by_aliyun_id", b.filter_by_aliyun_id},
          {"unknown_image", b.unknown_image},
          {"inventory_total_count", b.inventory_total_count},
          {"inventory_exact_filter", b.inventory_exact_filter},
          {"inventory_page_cap", b.inventory_page_cap},
          {"inventory_page_cut", b.inventory_page_cut},
          {"total_count", b.total_count},
          {"large_page", b.large_page},
          {"empty_list", b.empty_list},
          {"row_form", b.row_form},
          {"inventory_regions", b.inventory_regions},
          {"rate_limit_headers", b.rate_limit_headers},
          {"nonce_checked", b.nonce_checked},
          {"metadata_role", b.metadata_role},
          {"uri_role", b.uri_role},
          {"metadata_v1", b.metadata_v1},
          {"metadata_session_seconds", b.metadata_session.count()}};
}

Result<json, std::string> done(const Loaded& loaded) {
  if (!loaded) return Err(loaded.error());
  return json::object();
}

/// Nothing but {} may be given.
std::optional<std::string> unexpected(const json& body, const char* what) {
  return JsonArgs(body, what).error();
}

/// The key named by `id` in a body that holds nothing else.
Result<Key*, std::string> key_of(World& world, JsonArgs& args) {
  const std::string id = args.text("id");
  if (const auto problem = args.error()) return Err(*problem);
  Key* key = world.find_key(id);
  if (key == nullptr) return Err("no key '" + id + "'");
  return key;
}

}  // namespace

struct Control::Route {
  std::string_view path;
  Read read = nullptr;
  Change change = nullptr;
};

const Control::Route* Control::find_route(std::string_view path) {
  static constexpr std::array kRoutes{
      Route{"/_sim/health", &Control::health},
      Route{"/_sim/state", &Control::state},
      Route{"/_sim/requests", &Control::requests},
      Route{"/_sim/requests/clear", nullptr, &Control::clear_requests},
      Route{"/_sim/images", nullptr, &Control::create_image},
      Route{"/_sim/images/delete", nullptr, &Control::delete_image},
      Route{"/_sim/images/rename", nullptr, &Control::rename_image},
      Route{"/_sim/share", nullptr, &Control::share},
      Route{"/_sim/unshare", nullptr, &Control::unshare},
      Route{"/_sim/share-generated", nullptr, &Control::share_generated},
      Route{"/_sim/keys", nullptr, &Control::create_key},
      Route{"/_sim/keys/disable", nullptr, &Control::disable_key},
      Route{"/_sim/keys/enable", nullptr, &Control::enable_key},
      Route{"/_sim/keys/delete", nullptr, &Control::delete_key},
      Route{"/_sim/keys/expire", nullptr, &Control::expire_key},
      Route{"/_sim/keys/rotate", nullptr, &Control::rotate_key},
      Route{"/_sim/keys/rights", nullptr, &Control::set_rights},
      Route{"/_sim/roles", nullptr, &Control::create_role},
      Route{"/_sim/oidc", nullptr, &Control::set_oidc},
      Route{"/_sim/behaviour", nullptr, &Control::set_behaviour},
      Route{"/_sim/scenario", nullptr, &Control::add_scenario},
      Route{"/_sim/faults", &Control::faults, &Control::add_fault},
      Route{"/_sim/faults/clear", nullptr, &Control::clear_faults},
      Route{"/_sim/faults/kinds", &Control::fault_kinds},
      Route{"/_sim/reset", nullptr, &Control::reset},
  };
  const auto* it =
      std::find_if(kRoutes.begin(), kRoutes.end(), [path](const Route& r) { return r.path == path; });
  return it == kRoutes.end() ? nullptr : it;
}

SimAnswer Control::answer(const ServerRequest& request, Instant now) {
  if (!is_local_peer(request.remote_address)) return refusal(403, "the control path is for loopback only");
  if (!header_of(request, "origin").empty()) return refusal(403, "the control path is not for web pages");
  const Route* route = find_route(request.path);
  if (route == nullptr) return refusal(404, "no such control path: " + clean(request.path, 100));
  if (request.method == "GET" && route->read != nullptr) {
    const Done result = (this->*route->read)(request);
    return result ? reply(200, {{"status", "success"}, {"data", *result}}) : refusal(400, result.error());
  }
  if (request.method != "POST" || route->change == nullptr) {
    SimAnswer wrong = refusal(405, "use " + std::string(route->change == nullptr ? "GET" : "POST"));
    wrong.headers.emplace_back("Allow", route->change == nullptr ? "GET" : "POST");
    return wrong;
  }
  const json body = request.body.empty() ? json::object() : json::parse(request.body, nullptr, false);
  if (body.is_discarded()) return refusal(400, "the body is not JSON");
  const Done result = (this->*route->change)(body, now.wall);
  return result ? reply(200, {{"status", "success"}, {"data", *result}}) : refusal(400, result.error());
}

Control::Done Control::health(const ServerRequest& /*request*/) {
  return json::object();
}

Control::Done Control::state(const ServerRequest& request) {
  const World& world = simulator_.world_;
  std::string only;
  for (const auto& [name, value] : request.query) {
    if (name != "image") return Err("unknown parameter '" + clean(name, 60) + "'; known is: image");
    only = value;
  }
  json images = json::array();
  for (const auto& [id, image] : world.images()) {
    if (only.empty() || only == id) images.push_back(image_state(image));
  }
  json keys = json::array();
  for (const auto& [id, key] : world.keys())
    keys.push_back(key_state(key));
  json roles = json::array();
  for (const auto& [arn, role] : world.roles())
    roles.push_back({{"arn", arn}, {"rights", role.rights}, {"trusted", role.trusted}});
  return json{{"images", std::move(images)},
              {"keys", std::move(keys)},
              {"roles", std::move(roles)},
              {"behaviour", behaviour_state(world.behaviour)},
              {"faults", simulator_.faults_.dump()}};
}

Control::Done Control::requests(const ServerRequest& request) {
  std::int64_t limit = 100;
  for (const auto& [name, value] : request.query) {
    const auto parsed = name == "limit" ? parse_integer(value, 0, 1'000) : std::nullopt;
    if (!parsed) return Err(std::string("the only parameter is limit, from 0 to 1000"));
    limit = *parsed;
  }
  return simulator_.journal_.dump(static_cast<std::size_t>(limit));
}

Control::Done Control::faults(const ServerRequest& /*request*/) {
  return simulator_.faults_.dump();
}

Control::Done Control::fault_kinds(const ServerRequest& /*request*/) {
  return FaultBoard::kinds();
}

Control::Done Control::create_image(const json& body, WallTime now) {
  return done(load_image(simulator_.world_, body, now));
}

Control::Done Control::delete_image(const json& body, WallTime /*now*/) {
  JsonArgs args(body, "delete image");
  const std::string id = args.text("id");
  if (const auto problem = args.error()) return Err(*problem);
  return done(simulator_.world_.delete_image(id));
}

Control::Done Control::rename_image(const json& body, WallTime /*now*/) {
  JsonArgs args(body, "rename image");
  const std::string id = args.text("id");
  const std::string name = args.text("name");
  if (const auto problem = args.error()) return Err(*problem);
  Image* image = simulator_.world_.find_image(id);
  if (image == nullptr) return Err("no image '" + id + "'");
  image->name = name;
  return json::object();
}

Control::Done Control::share(const json& body, WallTime /*now*/) {
  JsonArgs args(body, "share");
  const std::string image = args.text("image");
  const std::vector<std::string> accounts = args.texts("accounts");
  if (accounts.empty()) args.fail("'accounts' is missing or empty");
  if (const auto problem = args.error()) return Err(*problem);
  SD_TRY(added, simulator_.world_.share(image, accounts));
  return json{{"added", added}};
}

Control::Done Control::unshare(const json& body, WallTime /*now*/) {
  JsonArgs args(body, "unshare");
  const std::string image = args.text("image");
  const bool all = args.boolean("all", false);
  std::vector<std::string> accounts = args.texts("accounts");
  if (accounts.empty() && !all) args.fail("'accounts' is missing or empty; 'all': true takes all away");
  if (const auto problem = args.error()) return Err(*problem);
  if (const Image* found = simulator_.world_.find_image(image); all && found != nullptr) {
    for (const AccountId& account : found->shared)
      accounts.emplace_back(account.str());
  }
  SD_TRY(removed, simulator_.world_.unshare(image, accounts));
  return json{{"removed", removed}};
}

Control::Done Control::share_generated(const json& body, WallTime /*now*/) {
  JsonArgs args(body, "share-generated");
  const std::string image = args.text("image");
  const auto count = static_cast<std::size_t>(args.number("count", 1, 100'000));
  const auto first = static_cast<std::size_t>(args.number("first", 1, 1'000'000'000, 1));
  if (const auto problem = args.error()) return Err(*problem);
  SD_TRY(added, simulator_.world_.share_generated(image, count, first));
  return json{{"added", added}};
}

Control::Done Control::create_key(const json& body, WallTime now) {
  return done(load_key(simulator_.world_, body, now));
}

Control::Done Control::disable_key(const json& body, WallTime /*now*/) {
  JsonArgs args(body, "disable key");
  SD_TRY(key, key_of(simulator_.world_, args));
  key->active = false;
  return json::object();
}

Control::Done Control::enable_key(const json& body, WallTime /*now*/) {
  JsonArgs args(body, "enable key");
  SD_TRY(key, key_of(simulator_.world_, args));
  key->active = true;
  return json::object();
}

Control::Done Control::delete_key(const json& body, WallTime /*now*/) {
  JsonArgs args(body, "delete key");
  SD_TRY(key, key_of(simulator_.world_, args));
  simulator_.world_.delete_key(std::string(key->id));
  return json::object();
}

Control::Done Control::expire_key(const json& body, WallTime now) {
  JsonArgs args(body, "expire key");
  const std::int64_t in = args.number("in_seconds", 0, 1'000'000'000, 0);
  SD_TRY(key, key_of(simulator_.world_, args));
  if (key->token.empty()) return Err(std::string("only a key with a token expires; disable this one"));
  key->expires = now + std::chrono::seconds{in};
  return json::object();
}

/// A new secret under the old id, or with `new_id` a new key of the same owner and rights beside the old one,
/// which is then disabled. The one answer that holds a secret, and only one that was made here.
Control::Done Control::rotate_key(const json& body, WallTime /*now*/) {
  JsonArgs args(body, "rotate key");
  const std::string new_id = args.text("new_id", "");
  std::string secret = args.text("secret", "");
  SD_TRY(key, key_of(simulator_.world_, args));
  json out = {{"id", new_id.empty() ? key->id : new_id}};
  if (secret.empty()) {
    secret = simulator_.ids_.letters(30);
    out["secret"] = secret;
  }
  if (new_id.empty()) {
    key->secret = Secret(secret);
    return out;
  }
  Key fresh = *key;
  fresh.id = new_id;
  fresh.secret = Secret(secret);
  SD_TRY(added, simulator_.world_.add_key(std::move(fresh)));
  static_cast<void>(added);
  key->active = false;
  return out;
}

Control::Done Control::set_rights(const json& body, WallTime /*now*/) {
  JsonArgs args(body, "rights");
  const bool given = args.has("rights");
  const std::vector<std::string> rights = args.texts("rights");
  const std::string denied_with = args.text("denied_with", "");
  if (!given && denied_with.empty()) args.fail("'rights' is missing");
  SD_TRY(key, key_of(simulator_.world_, args));
  if (given) key->rights.grants = statements_from(rights);
  if (!denied_with.empty()) key->denied_with = denied_with;
  return json::object();
}

Control::Done Control::create_role(const json& body, WallTime /*now*/) {
  return done(load_role(simulator_.world_, body));
}

Control::Done Control::set_oidc(const json& body, WallTime /*now*/) {
  return done(load_oidc(simulator_.world_, body));
}

Control::Done Control::set_behaviour(const json& body, WallTime /*now*/) {
  return done(load_behaviour(simulator_.world_, body));
}

Control::Done Control::add_scenario(const json& body, WallTime now) {
  World world = simulator_.world_;  // all of it or nothing
  FaultBoard faults = simulator_.faults_;
  SD_TRY(loaded, load_scenario(world, faults, body, now));
  static_cast<void>(loaded);
  simulator_.world_ = std::move(world);
  simulator_.faults_ = std::move(faults);
  return json::object();
}

Control::Done Control::add_fault(const json& body, WallTime /*now*/) {
  SD_TRY(id, simulator_.faults_.add(body));
  return json{{"id", id}};
}

Control::Done Control::clear_faults(const json& body, WallTime /*now*/) {
  JsonArgs args(body, "clear faults");
  const std::int64_t id = args.number("id", 0, 1'000'000'000'000, 0);
  const std::string name = args.text("kind", "");
  const std::optional<FaultKind> kind = parse_fault_kind(name);
  if (!name.empty() && !kind) args.fail("unknown kind '" + name + "'");
  if (const auto problem = args.error()) return Err(*problem);
  std::optional<std::uint64_t> which;
  if (id != 0) which = static_cast<std::uint64_t>(id);
  const std::size_t cleared = simulator_.faults_.clear(which, kind);
  if (which && cleared == 0) return Err("no fault " + std::to_string(id));
  return json{{"cleared", cleared}};
}

Control::Done Control::clear_requests(const json& body, WallTime /*now*/) {
  if (const auto problem = unexpected(body, "clear requests")) return Err(*problem);
  simulator_.journal_.clear();
  return json::object();
}

Control::Done Control::reset(const json& body, WallTime now) {
  if (const auto problem = unexpected(body, "reset")) return Err(*problem);
  return done(simulator_.reset(now));
}

}  // namespace sharedrift::simulator
