#include "simulator/metadata_api.hpp"

#include "core/text.hpp"
#include "simulator/json_args.hpp"

namespace sharedrift::simulator {

namespace {

constexpr std::string_view kTokenPath = "/latest/api/token";
constexpr std::string_view kRolePath = "/latest/meta-data/ram/security-credentials";
constexpr std::string_view kUriPath = "/credentials";
constexpr std::size_t kMaxTokens = 1'000;

SimAnswer plain(int status, std::string body) {
  SimAnswer answer;
  answer.status = status;
  answer.content_type = "text/plain; charset=utf-8";
  answer.body = std::move(body);
  return answer;
}

SimAnswer not_found() {
  return plain(404, "404 - Not Found\n");
}

}  // namespace

std::string_view MetadataService::action_of(const ServerRequest& request) {
  if (request.path == kTokenPath) return "Metadata.Token";
  if (request.path == kUriPath) return "CredentialsUri";
  if (!request.path.starts_with("/latest/")) return {};
  return request.path.size() > kRolePath.size() + 1 ? "Metadata.Credentials" : "Metadata.Role";
}

SimAnswer MetadataService::answer(World& world, IdSource& ids, const ServerRequest& request, Instant now) {
  const Behaviour& behaviour = world.behaviour;
  if (request.path == kUriPath) {
    if (request.method != "GET") return plain(405, "405 - Method Not Allowed\n");
    return credentials(world, ids, behaviour.uri_role, now.wall);
  }
  if (request.path == kTokenPath) return new_token(ids, request, now.mono);
  if (request.method != "GET") return plain(405, "405 - Method Not Allowed\n");
  const std::string_view token = header_of(request, "x-aliyun-ecs-metadata-token");
  if (token.empty() && !behaviour.metadata_v1) return plain(403, "403 - Forbidden\n");
  if (!token.empty()) {
    const auto known = tokens_.find(token);
    if (known == tokens_.end() || known->second <= now.mono) return plain(401, "401 - Unauthorized\n");
  }
  if (!request.path.starts_with(kRolePath) || behaviour.metadata_role.empty()) return not_found();
  std::string_view rest = std::string_view(request.path).substr(kRolePath.size());
  if (rest.empty() || rest == "/") return plain(200, behaviour.metadata_role);
  if (rest.front() != '/' || rest.substr(1) != behaviour.metadata_role) return not_found();
  return credentials(world, ids, behaviour.metadata_role, now.wall);
}

SimAnswer MetadataService::new_token(IdSource& ids, const ServerRequest& request, MonoTime now) {
  if (request.method != "PUT") return plain(405, "405 - Method Not Allowed\n");
  const auto ttl = parse_integer(header_of(request, "x-aliyun-ecs-metadata-token-ttl-seconds"), 1, 21'600);
  if (!ttl) return plain(400, "400 - Bad Request\n");
  std::erase_if(tokens_, [now](const auto& entry) { return entry.second <= now; });
  if (tokens_.size() >= kMaxTokens) tokens_.erase(tokens_.begin());
  std::string token = ids.letters(40) + "==";
  tokens_[token] = now + std::chrono::seconds{*ttl};
  return plain(200, std::move(token));
}

SimAnswer MetadataService::credentials(World& world, IdSource& ids, std::string_view role_name,
                                       WallTime now) {
  const Role* role = world.find_role_by_name(role_name);
  if (role == nullptr) return not_found();
  Session& session = sessions_[role->name];
  const Key* key = world.find_key(session.key_id);
  const auto life = world.behaviour.metadata_session;
  // Like the real one: the same credentials until the last half of their life, and none that were revoked.
  if (key == nullptr || !key->active || session.life != life || session.opened + life / 2 <= now) {
    key = open_session(world, ids, *role, "sim-instance", std::nullopt, now + life);
    session = {key->id, now, life};
  }
  SimAnswer answer;
  answer.body = "{\"Code\":\"Success\"";
  const auto member = [&answer](std::string_view name, std::string_view value) {
    answer.body.append(",\"").append(name).append("\":");
    append_json_string(answer.body, value);
  };
  member("AccessKeyId", key->id);
  member("AccessKeySecret", key->secret.reveal());
  member("SecurityToken", key->token.reveal());
  member("Expiration", format_api_time(*key->expires));
  member("LastUpdated", format_api_time(now));
  answer.body += "}";
  return answer;
}

}  // namespace sharedrift::simulator
