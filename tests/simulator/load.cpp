#include "simulator/load.hpp"

#include "simulator/json_args.hpp"

#include <nlohmann/json.hpp>

namespace sharedrift::simulator {

namespace {

using nlohmann::json;
using std::chrono::seconds;

constexpr std::int64_t kYear = 366LL * 86'400;

/// `image "m-1"`, for messages.
std::string label(std::string_view what, const json& spec, std::string_view name) {
  std::string out(what);
  if (spec.is_object() && spec.contains(name) && spec[std::string(name)].is_string()) {
    out += " '" + spec[std::string(name)].get<std::string>() + "'";
  }
  return out;
}

std::vector<std::string> rights_of(JsonArgs& args) {
  return args.has("rights") ? args.texts("rights") : (args.raw("rights"), std::vector<std::string>{"*"});
}

template <class Load>
Loaded each(const json& scenario, const char* name, Load load) {
  const auto list = scenario.find(name);
  if (list == scenario.end()) return Unit{};
  if (!list->is_array()) return Err("scenario: '" + std::string(name) + "' must be a list");
  for (const json& one : *list) {
    SD_TRY(loaded, load(one));
    static_cast<void>(loaded);
  }
  return Unit{};
}

}  // namespace

Loaded load_image(World& world, const json& spec, WallTime now) {
  JsonArgs args(spec, label("image", spec, "id"));
  Image image;
  image.id = args.text("id");
  image.name = args.text("name", "");
  image.owner = args.text("owner", std::string(World::kDefaultAccount));
  image.status = args.text("status", "Available");
  image.created = now;
  const std::vector<std::string> accounts = args.texts("accounts");
  const auto generated = static_cast<std::size_t>(args.number("generated", 0, 100'000, 0));
  if (const auto problem = args.error()) return Err(*problem);
  const std::string id = image.id;
  SD_TRY(created, world.create_image(std::move(image)));
  static_cast<void>(created);
  auto shared = world.share(id, accounts);
  if (shared) shared = world.share_generated(id, generated, 1);
  if (!shared) {
    static_cast<void>(world.delete_image(id));
    return Err("image '" + id + "': " + shared.error());
  }
  return Unit{};
}

Loaded load_key(World& world, const json& spec, WallTime now) {
  JsonArgs args(spec, label("key", spec, "id"));
  Key key;
  key.id = args.text("id");
  key.secret = Secret(args.text("secret"));
  key.token = Secret(args.text("token", ""));
  key.account = args.text("account", std::string(World::kDefaultAccount));
  const bool root = args.choice("kind", "ram_user|account") == "account";
  key.kind = root ? PrincipalKind::account : PrincipalKind::ram_user;
  key.arn = "acs:ram::" + key.account + (root ? ":root" : ":user/sim-" + key.id);
  key.principal_id =
      root ? key.account
           : std::to_string(200'000'000'000'000'000 + stable_hash(key.id) % 100'000'000'000'000'000);
  key.rights.grants = statements_from(rights_of(args));
  key.denied_with = args.text("denied_with", "NoPermission");
  key.active = args.boolean("active", true);
  const std::int64_t life = args.number("expires_in_seconds", -kYear, kYear, 0);
  if (life != 0 && key.token.empty()) args.fail("only a key with a token expires");
  if (life != 0) key.expires = now + seconds{life};
  if (const auto problem = args.error()) return Err(*problem);
  return world.add_key(std::move(key));
}

Loaded load_role(World& world, const json& spec) {
  JsonArgs args(spec, label("role", spec, "name"));
  Role role;
  role.name = args.text("name");
  role.account = args.text("account", std::string(World::kDefaultAccount));
  role.rights = rights_of(args);
  role.trusted = args.texts("trusted");
  role.external_id = args.text("external_id", "");
  role.max_session = seconds{args.number("max_session_seconds", 900, 43'200, 43'200)};
  if (const auto problem = args.error()) return Err(*problem);
  return world.add_role(std::move(role));
}

Loaded load_oidc(World& world, const json& spec) {
  JsonArgs args(spec, "oidc");
  OidcProvider provider{args.text("provider_arn"), args.text("token", ""), args.text("token_file", "")};
  if (provider.token.empty() == provider.token_file.empty())
    args.fail("needs either 'token' or 'token_file'");
  if (const auto problem = args.error()) return Err(*problem);
  std::erase_if(world.oidc_providers, [&](const OidcProvider& p) { return p.arn == provider.arn; });
  world.oidc_providers.push_back(std::move(provider));
  return Unit{};
}

Loaded load_behaviour(World& world, const json& spec) {
  JsonArgs args(spec, "behaviour");
  Behaviour b = world.behaviour;
  b.filter_by_aliyun_id = args.boolean("filter_by_aliyun_id", b.filter_by_aliyun_id);
  b.unknown_image = args.text("unknown_image", b.unknown_image);
  b.inventory_total_count = args.boolean("inventory_total_count", b.inventory_total_count);
  b.inventory_exact_filter = args.boolean("inventory_exact_filter", b.inventory_exact_filter);
  b.inventory_page_cap = args.number("inventory_page_cap", 1, 1'000, b.inventory_page_cap);
  b.inventory_page_cut = args.boolean("inventory_page_cut", b.inventory_page_cut);
  b.total_count = args.choice("total_count", "exact|more|less|text|omitted", b.total_count);
  b.large_page = args.choice("large_page", "refused|cut|taken", b.large_page);
  b.empty_list = args.choice("empty_list", "usual|missing|null|empty_array|empty_object|account_null|text",
                             b.empty_list);
  b.row_form =
      args.choice("row_form", "usual|strings|numbers|numeric_uid|aliyun_id|numeric_aliyun_id", b.row_form);
  b.inventory_regions =
      args.choice("inventory_regions", "cn-hangzhou|ap-southeast-1|both", b.inventory_regions);
  b.rate_limit_headers = args.boolean("rate_limit_headers", b.rate_limit_headers);
  b.nonce_checked = args.boolean("nonce_checked", b.nonce_checked);
  b.metadata_role = args.text("metadata_role", b.metadata_role);
  b.uri_role = args.text("uri_role", b.uri_role);
  b.metadata_v1 = args.boolean("metadata_v1", b.metadata_v1);
  b.metadata_session =
      seconds{args.number("metadata_session_seconds", 1, 86'400, b.metadata_session.count())};
  if (b.unknown_image.empty()) args.fail("'unknown_image' must be 'empty' or a code");
  if (const auto problem = args.error()) return Err(*problem);
  world.behaviour = std::move(b);
  return Unit{};
}

Loaded load_fleet(World& world, const json& spec, WallTime now) {
  JsonArgs args(spec, "fleet");
  const std::int64_t images = args.number("images", 0, 100'000);
  const std::int64_t accounts = args.number("accounts", 0, 10'000, 0);
  if (images * accounts > 20'000'000) args.fail("more than 20000000 shares");
  if (const auto problem = args.error()) return Err(*problem);
  for (std::int64_t n = 1; n <= images; ++n) {
    const std::string number = std::to_string(n);
    const json image = {{"id", "m-sim-" + number}, {"name", "sim-" + number}, {"generated", accounts}};
    SD_TRY(loaded, load_image(world, image, now));
    static_cast<void>(loaded);
  }
  return Unit{};
}

Loaded load_scenario(World& world, FaultBoard& faults, const json& scenario, WallTime now) {
  JsonArgs args(scenario, "scenario");
  for (const char* name : {"images", "keys", "roles", "oidc", "faults", "behaviour", "fleet"})
    args.raw(name);
  if (const auto problem = args.error()) return Err(*problem);
  Loaded done = each(scenario, "images", [&](const json& one) { return load_image(world, one, now); });
  if (done && scenario.contains("fleet")) done = load_fleet(world, scenario["fleet"], now);
  if (done) done = each(scenario, "keys", [&](const json& one) { return load_key(world, one, now); });
  if (done) done = each(scenario, "roles", [&](const json& one) { return load_role(world, one); });
  if (done) done = each(scenario, "oidc", [&](const json& one) { return load_oidc(world, one); });
  if (done && scenario.contains("behaviour")) done = load_behaviour(world, scenario["behaviour"]);
  if (done) {
    done = each(scenario, "faults", [&](const json& one) -> Loaded {
      SD_TRY(id, faults.add(one));
      static_cast<void>(id);
      return Unit{};
    });
  }
  return done;
}

}  // namespace sharedrift::simulator
