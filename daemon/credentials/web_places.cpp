#include "core/text.hpp"
#include "credentials/finding.hpp"
#include "credentials/key_text.hpp"
#include "wire/url.hpp"

#include <algorithm>

/// Credentials from a web server near by: the ECS metadata service and a credentials URI.
namespace sharedrift {

namespace {

constexpr std::string_view kMetadata = "http://100.100.100.200";
constexpr std::string_view kRolePath = "/latest/meta-data/ram/security-credentials/";
constexpr Millis kMetadataTimeout{2'000};  // the SDKs wait 1 s for the connection and 1 s for the answer
constexpr Millis kUriTimeout{10'000};
constexpr std::string_view kHopHint =
    ", as in a container, which its answer does not reach: set the hop limit of the instance's metadata to 2";
constexpr std::size_t kMaxAnswer = 64U << 10U;

/// Never through a proxy, whatever is set, and in plain text: the service is on the host's own link.
std::shared_ptr<const HttpRoute> direct_route() {
  HttpRoute route;
  route.never_proxy = true;
  route.plain_http_anywhere = true;
  return std::make_shared<const HttpRoute>(route);
}

std::string why_not(const HttpResult& result) {
  if (!result) {
    const TransportError& error = result.error();
    return std::string{to_string(error.reason)} + (error.detail.empty() ? "" : ": " + error.detail);
  }
  return "HTTP " + std::to_string(result->status);
}

Failure failure_of(std::string detail, const HttpResult& result) {
  constexpr int kProxyRefused = 407;
  Failure failure = credential_failure(std::move(detail));
  if (result) failure.http_status = result->status;
  if (!result && result.error().kind == TransportError::Kind::refused) failure.http_status = kProxyRefused;
  return failure;
}

class Metadata {
 public:
  Metadata(const CredentialWorld& world, std::string endpoint, std::string role, bool v2_only)
      : world_(world),
        endpoint_(std::move(endpoint)),
        role_(std::move(role)),
        v2_only_(v2_only),
        route_(direct_route()) {}

  Result<Credentials, Failure> obtain(const std::stop_token& stop) const;

 private:
  [[nodiscard]] HttpResult call(std::string_view method, std::string_view path, HttpHeaders headers,
                                const std::stop_token& stop) const;
  /// GET with the session token; without it where that is allowed and the first try was no good.
  [[nodiscard]] HttpResult get(std::string_view path, const std::string& token,
                               const std::stop_token& stop) const;

  const CredentialWorld& world_;
  std::string endpoint_;
  std::string role_;
  bool v2_only_;
  std::shared_ptr<const HttpRoute> route_;
};

HttpResult Metadata::call(std::string_view method, std::string_view path, HttpHeaders headers,
                          const std::stop_token& stop) const {
  HttpRequest request;
  request.method = method;
  request.url = endpoint_ + std::string{path};
  request.headers = std::move(headers);
  request.route = route_;
  request.max_body = kMaxAnswer;
  return world_.fetch(std::move(request), kMetadataTimeout, stop);
}

HttpResult Metadata::get(std::string_view path, const std::string& token, const std::stop_token& stop) const {
  if (token.empty()) return call("GET", path, {}, stop);
  HttpResult with_token = call("GET", path, {{"X-aliyun-ecs-metadata-token", token}}, stop);
  const bool settled = with_token && (with_token->status == 200 || with_token->status == 404);
  if (settled || v2_only_ || stop.stop_requested()) return with_token;
  HttpResult without = call("GET", path, {}, stop);
  return without && (without->status == 200 || without->status == 404) ? without : with_token;
}

bool usable_role_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && all_alnum_or(name, ".-_");
}

Result<Credentials, Failure> Metadata::obtain(const std::stop_token& stop) const {
  const std::string service = "the metadata service at " + endpoint_ + " ";
  HttpResult token_answer =
      call("PUT", "/latest/api/token", {{"X-aliyun-ecs-metadata-token-ttl-seconds", "21600"}}, stop);
  std::string token;
  if (token_answer && token_answer->status == 200) token = trim(token_answer->body);
  if (!std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c <= '~'; })) token.clear();
  std::string no_token;
  if (token.empty()) {
    no_token = service + "gives no session token (" + why_not(token_answer) + ")";
    if (!token_answer && token_answer.error().reason == Reason::timeout) no_token += kHopHint;
    if (v2_only_) return Err(failure_of(no_token, token_answer));
  }
  // What went wrong first is told first: without a token many instances refuse all that comes after.
  const auto failed = [&](const std::string& what, const HttpResult& answer, std::string_view hint) {
    const std::string here = what + " (" + why_not(answer) + ")";
    const bool alike = why_not(token_answer) == why_not(answer);
    return Err(failure_of(no_token.empty() || alike ? service + here + std::string{hint}
                                                    : no_token + "; and without one it " + here,
                          answer));
  };
  std::string role = role_;
  if (role.empty()) {
    const HttpResult answer = get(kRolePath, token, stop);
    if (answer && answer->status == 404) {
      return Err(
          failure_of("no RAM role is attached to this instance: attach one, or use another source", answer));
    }
    if (!answer || answer->status != 200)
      return failed("does not tell the instance's role", answer, "; is this an ECS instance?");
    const std::string_view body = trim(answer->body);
    role = trim(body.substr(0, body.find('\n')));
    if (!usable_role_name(role)) return Err(failure_of(service + "gives a role name that is none", answer));
  }
  HttpResult answer = get(std::string{kRolePath} + role, token, stop);
  wipe(token);
  if (!answer || answer->status != 200) {
    return failed("gives no credentials for role \"" + role + "\"", answer,
                  "; is it attached to this instance?");
  }
  auto key = parse_key_json(answer->body);
  wipe(answer->body);
  if (!key) return Err(failure_of(service + "gave no usable credentials: " + std::move(key).error(), answer));
  return std::move(*key);
}

/// `server`: what may be shown of the URI.
Result<Credentials, Failure> get_uri(const CredentialWorld& world, const std::string& uri, std::string server,
                                     const std::shared_ptr<const HttpRoute>& route, std::stop_token stop) {
  HttpRequest request;
  request.url = uri;
  request.route = route;
  request.max_body = kMaxAnswer;
  HttpResult answer = world.fetch(std::move(request), kUriTimeout, std::move(stop));
  server += " (the rest of the URI is not shown) ";
  if (!answer || answer->status != 200) {
    return Err(failure_of(server + "gives no credentials: " + why_not(answer), answer));
  }
  auto key = parse_key_json(answer->body);
  wipe(answer->body);
  if (!key) return Err(failure_of(server + "gave no usable credentials: " + std::move(key).error(), answer));
  return std::move(*key);
}

}  // namespace

Finding look_ecs_ram_role(const CredentialSpec& options, Sight& sight) {
  if (sight.enabled("ALIBABA_CLOUD_ECS_METADATA_DISABLED")) {
    return Absent{"switched off by ALIBABA_CLOUD_ECS_METADATA_DISABLED"};
  }
  std::string role =
      options.role_name.empty() ? sight.variable("ALIBABA_CLOUD_ECS_METADATA") : options.role_name;
  if (!role.empty() && !usable_role_name(role))
    return Broken{"\"" + clean(role, 60) + "\" is not the name of a role"};
  const bool guessed = options.source == CredentialKind::default_chain && role.empty();
  const bool v2_only = options.disable_imdsv1 || sight.enabled("ALIBABA_CLOUD_IMDSV1_DISABLED");
  std::string endpoint{options.metadata_endpoint.empty() ? kMetadata
                                                         : std::string_view{options.metadata_endpoint}};
  while (!endpoint.empty() && endpoint.back() == '/')
    endpoint.pop_back();
  const auto metadata =
      std::make_shared<const Metadata>(sight.world, std::move(endpoint), std::move(role), v2_only);
  return Remote{[metadata](const std::stop_token& stop) { return metadata->obtain(stop); }, guessed};
}

Finding look_credentials_uri(const CredentialSpec& options, Sight& sight) {
  const std::string uri = sight.given_or(options.uri, "ALIBABA_CLOUD_CREDENTIALS_URI");
  if (uri.empty()) return Absent{not_set(sight, "ALIBABA_CLOUD_CREDENTIALS_URI")};
  const auto url = parse_url(uri);
  if (!url || !url->login.empty())
    return Broken{"the credentials URI is not of the form http(s)://host/path"};
  const std::string server = url->origin();  // path and query may carry a token
  if (!may_carry_credentials(*url)) {
    return Broken{"the credentials URI would send keys in plain text to " + clean(server, 100) +
                  ": use https, or a server on this machine"};
  }
  auto route = url->https ? sight.world.route : direct_route();
  return Remote{[world = &sight.world, uri, server, route](std::stop_token stop) {
    return get_uri(*world, uri, server, route, std::move(stop));
  }};
}

}  // namespace sharedrift
