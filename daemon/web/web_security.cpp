#include "web/web_security.hpp"

#include "config/config_files.hpp"
#include "core/text.hpp"
#include "os/file.hpp"
#include "web/web_tls.hpp"
#include "wire/encoding.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace sharedrift {

struct WebSecurity::State {
  std::vector<FileStamp> stamps;
  /// A file that was changed a moment before it was read may change again without its stamp showing it: the
  /// kernel's time stands still for some milliseconds.
  bool fresh = false;
  MonoTime read_at{};
  std::vector<Diagnostic> faults;  ///< not empty: the door is closed
  WebConfig config;
  std::shared_ptr<ssl_ctx_st> tls;

  /// The files are others than those that were read.
  [[nodiscard]] bool is_changed() const {
    return std::any_of(stamps.begin(), stamps.end(),
                       [](const FileStamp& stamp) { return stamp_of(stamp.path) != stamp; });
  }
};

namespace {

constexpr Millis kSettled{2'000};
/// Reading takes a millisecond, so a crowd must not cause it with each connection.
constexpr Millis kReadAgain{100};

ServerResponse unauthorized() {
  ServerResponse response = ServerResponse::text(401, "Unauthorized\n");
  response.headers.emplace_back("WWW-Authenticate",
                                "Basic realm=\"share-drift-exporter\", charset=\"UTF-8\"");
  return response;
}

/// The hash that takes longest: what an unknown user's password is checked against.
const std::string& decoy(const std::map<std::string, std::string>& users) {
  const auto cost = [](const auto& a, const auto& b) {
    return a.second.compare(4, 2, b.second, 4, 2) < 0;  // "$2y$10$..."
  };
  return std::max_element(users.begin(), users.end(), cost)->second;
}

}  // namespace

WebSecurity::WebSecurity(std::string file, const Clock& clock, Report report)
    : file_(std::move(file)), clock_(clock), report_(std::move(report)) {}
WebSecurity::~WebSecurity() = default;

Result<std::unique_ptr<WebSecurity>, std::vector<Diagnostic>> WebSecurity::open(std::string file,
                                                                                const Clock& clock,
                                                                                Report report) {
  std::unique_ptr<WebSecurity> door(new WebSecurity(std::move(file), clock, std::move(report)));
  door->state_ = door->read();
  if (!door->state_->faults.empty()) return Err(door->state_->faults);
  door->has_tls_ = door->state_->config.tls.has_value();
  return door;
}

std::shared_ptr<const WebSecurity::State> WebSecurity::read() const {
  auto state = std::make_shared<State>();
  state->read_at = clock_.mono();
  // The stamps are taken before the reading: a change in between shows at the next look.
  state->stamps.push_back(stamp_of(file_));
  auto text = read_trusted_file(file_);
  auto config = text ? parse_web_config(*text, file_) : Err(std::vector<Diagnostic>{text.error()});
  if (!config) {
    state->faults = config.error();
  } else if (has_tls_ && config->tls.has_value() != *has_tls_) {
    state->faults.push_back(
        {file_, 0, 0, "tls_server_config",
         *has_tls_ ? "is gone; a server with TLS stays one" : "is new; it needs a restart", ""});
  } else if (config->tls) {
    for (const std::string* path :
         {&config->tls->cert_file, &config->tls->key_file, &config->tls->client_ca_file}) {
      if (!path->empty()) state->stamps.push_back(stamp_of(*path));
    }
    auto tls = make_tls_context(*config->tls);
    if (tls) {
      state->tls = std::move(*tls);
    } else {
      Diagnostic fault =
          place_of({{file_, *text}}, std::array<std::string_view, 2>{"tls_server_config", tls.error().path});
      fault.message = std::move(tls).error().message;
      state->faults.push_back(std::move(fault));
    }
  }
  if (state->faults.empty()) state->config = std::move(*config);
  const auto settled = std::chrono::nanoseconds((clock_.wall() - kSettled).time_since_epoch()).count();
  state->fresh = std::any_of(state->stamps.begin(), state->stamps.end(),
                             [settled](const FileStamp& stamp) { return stamp.changed_ns > settled; });
  return state;
}

std::shared_ptr<const WebSecurity::State> WebSecurity::current() {
  const std::lock_guard lock(mutex_);
  const bool due = state_->fresh && clock_.mono() >= state_->read_at + kReadAgain;
  if (!due && !state_->is_changed()) return state_;
  auto next = read();
  // Files that were swapped while they were read may not fit each other; once more, then.
  constexpr int kMoreReadings = 2;
  for (int i = 0; i < kMoreReadings && !next->faults.empty() && next->is_changed(); ++i)
    next = read();
  if (report_ && next->faults != state_->faults) report_(next->faults);
  state_ = std::move(next);
  return state_;
}

std::shared_ptr<ssl_ctx_st> WebSecurity::tls_context() {
  return current()->tls;  // null with faults
}

std::optional<ServerResponse> WebSecurity::refuse(const ServerRequest& request) {
  const auto state = current();
  if (!state->faults.empty()) {
    return ServerResponse::text(500, "The web configuration cannot be used; see the log.\n");
  }
  const auto& users = state->config.users;
  if (users.empty()) return refuse_too_fast(request, state->config.rate_limit);
  const auto given = parse_basic_auth(request.header("authorization"));
  if (!given) return unauthorized();
  const auto user = users.find(given->user);
  const auto hash = user == users.end() ? std::nullopt : std::optional(user->second);
  switch (passwords_.check(given->user, given->password, hash, decoy(users), request.lane != Lane::quick)) {
    case PasswordCheck::Verdict::right: return refuse_too_fast(request, state->config.rate_limit);
    case PasswordCheck::Verdict::wrong: return unauthorized();
    case PasswordCheck::Verdict::unknown: break;
  }
  return ServerResponse::in(Lane::password);
}

/// Each request is counted once, in the lane where it is let in. Strangers are not: they would use up what
/// users may ask.
std::optional<ServerResponse> WebSecurity::refuse_too_fast(const ServerRequest& request,
                                                           const RateLimit& limit) {
  const bool is_let_in = request.lane == Lane::quick || request.lane == Lane::password;
  if (!is_let_in || may_pass(limit)) return std::nullopt;
  return ServerResponse::text(429, "Too many requests for the web configuration's rate_limit.\n");
}

/// The burst is used up when that many intervals are spent in advance.
bool WebSecurity::may_pass(const RateLimit& limit) {
  if (limit.interval == Millis{0}) return true;
  const std::lock_guard lock(mutex_);
  const MonoTime now = clock_.mono();
  const MonoTime spent = std::max(spent_until_, now);
  if (spent - now > limit.interval * (limit.burst - 1)) return false;
  spent_until_ = spent + limit.interval;
  return true;
}

std::vector<std::pair<std::string, std::string>> WebSecurity::headers() {
  return current()->config.headers;
}

std::optional<BasicCredentials> parse_basic_auth(std::string_view header) {
  constexpr std::string_view kScheme = "basic ";
  if (!equal_but_for_case(header.substr(0, kScheme.size()), kScheme)) return std::nullopt;
  header.remove_prefix(kScheme.size());
  while (header.starts_with(' '))
    header.remove_prefix(1);
  auto plain = from_base64(header);
  if (!plain) return std::nullopt;
  const std::size_t colon = plain->find(':');
  std::optional<BasicCredentials> out;
  if (colon != std::string::npos) {
    out = BasicCredentials{plain->substr(0, colon), Secret(std::string_view(*plain).substr(colon + 1))};
  }
  wipe(*plain);
  return out;
}

}  // namespace sharedrift
