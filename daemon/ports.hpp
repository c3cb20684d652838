#pragma once

#include "core/failure.hpp"
#include "core/non_copyable.hpp"
#include "core/result.hpp"
#include "core/secret.hpp"
#include "core/time.hpp"
#include "wire/http_headers.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

/// The narrow seams between the core and the world. Interfaces and plain values only; each real one lives in
/// the room of its subject, in-memory twins in tests/support/fakes.hpp.
namespace sharedrift {

// Half of the program includes this: what only passes through is declared here and known to those at its
// ends.
class ImageId;
struct DiscoveredImage;
struct Event;
struct FleetRecord;
struct ImageRecord;
struct InventoryListing;
struct Observation;
struct SavedState;

/// Thread-safe.
class Clock : NonCopyable {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual MonoTime mono() const = 0;
  [[nodiscard]] virtual WallTime wall() const = 0;
  /// Blocks until `when`; false when stop was requested before.
  virtual bool sleep_until(MonoTime when, std::stop_token stop) = 0;
  [[nodiscard]] Instant now() const { return {mono(), wall()}; }
};

/// Random numbers that nobody can foresee. Thread-safe.
class Random : NonCopyable {
 public:
  virtual ~Random() = default;
  virtual std::uint64_t next() = 0;
  /// Uniform in [0, 1).
  double unit() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }
};

/// How to reach a host. Shared between requests; one per profile.
struct HttpRoute {
  std::string ca_file;                  ///< PEM bundle; empty: the system's
  std::string proxy_url;                ///< may hold a user and password; never printed. Empty: none
  bool proxy_from_environment = false;  ///< look at HTTPS_PROXY, HTTP_PROXY, NO_PROXY
  bool never_proxy = false;             ///< metadata services: no proxy whatever is set
  bool plain_http_anywhere = false;     ///< metadata services: http beyond loopback is allowed, too
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;      ///< absolute; sent as it is, never re-encoded
  HttpHeaders headers;  ///< visible ASCII only; Host and Content-Length are the transport's
  std::string body;
  std::shared_ptr<const HttpRoute> route;
  std::size_t max_body = 4U << 20U;  ///< bytes of answer body; more is Reason::too_large
};

struct HttpResponse {
  int status = 0;
  HttpHeaders headers;  ///< of the final answer only
  std::string body;
  /// Empty if there is none of that name.
  [[nodiscard]] std::string_view header(std::string_view name) const {
    return headers.find(name).value_or(std::string_view{});
  }
};

/// `reason` is one of dns, connect, proxy, tls, timeout, reset, local, protocol, too_large; `detail` is
/// clean.
struct TransportError {
  Reason reason;
  std::string detail;
  /// What it was, where that matters to who might try again.
  enum class Kind {
    fault,    ///< of the network or of who answered
    refused,  ///< the proxy wants other credentials: each further try counts against the login
    stale,    ///< a kept-alive connection had died: no sign that anything is wrong
  } kind = Kind::fault;
};
using HttpResult = Result<HttpResponse, TransportError>;
using HttpDone = std::function<void(HttpResult)>;

/// HTTP exchanges, many at a time, on the one thread that drives them. Redirects are never followed, no
/// coding is asked for or accepted, TLS peers are verified (1.2 at least), plain http goes to loopback only
/// (unless the route says otherwise), and an answer that is framed neither by length nor by chunks is an
/// error. Only wake() may be called from another thread.
class HttpTransport : NonCopyable {
 public:
  virtual ~HttpTransport() = default;
  /// Begins an exchange that ends at `deadline` at the latest. `done` is called exactly once, from within
  /// run_once() and never from within start(); not at all after cancel_all().
  virtual void start(HttpRequest request, MonoTime deadline, HttpDone done) = 0;
  /// Waits until `until` at most for progress, and calls back for an exchange that is over, or for none: call
  /// it again. Returns early after wake().
  virtual void run_once(MonoTime until) = 0;
  /// Ends a wait in run_once(), now or the next one.
  virtual void wake() noexcept = 0;
  /// Drops every exchange under way without calling back.
  virtual void cancel_all() = 0;
};

/// One exchange that blocks for `timeout` at most, or until stop is requested (Reason::timeout then): what
/// credential sources use on threads of their own. Thread-safe.
using HttpFetch = std::function<HttpResult(HttpRequest, Millis timeout, std::stop_token)>;

struct Credentials {
  std::string access_key_id;
  Secret access_key_secret;
  Secret security_token;            ///< empty: a long-lived key
  std::optional<WallTime> expires;  ///< none: does not expire
  std::uint64_t generation = 0;     ///< grows with each change of the source's credentials
  std::string origin;  ///< for people and a label: `environment`, `static_file`, `ecs_ram_role` ...
  std::optional<WallTime>
      obtained{};  ///< when they were fetched; of a file, when it was last written; none: unknown
  std::string
      warning{};  ///< clean; what a person should put right although they work (loose file mode). Empty: none
};

/// A role to assume. With an OIDC token it is AssumeRoleWithOIDC, which needs no key; else AssumeRole.
struct RoleRequest {
  std::string endpoint;  ///< `https://sts.aliyuncs.com`: scheme and host, no path
  std::string role_arn;
  std::string session_name;
  std::string external_id;  ///< AssumeRole only; empty: none
  std::string policy;       ///< inline session policy (JSON); empty: none
  std::chrono::seconds duration{3600};
  std::string oidc_provider_arn;  ///< AssumeRoleWithOIDC only
  Secret oidc_token;              ///< empty: AssumeRole
};

/// Exchanges a key or an OIDC token for the temporary credentials of a role. Thread-safe; blocks on the
/// network until `stop`.
class RoleExchange : NonCopyable {
 public:
  virtual ~RoleExchange() = default;
  /// `key` signs the request; null with an OIDC token. The result carries no generation and no origin. A
  /// failure has Reason::credentials with the API's code.
  virtual Result<Credentials, Failure> assume(const RoleRequest& request, const Credentials* key,
                                              std::stop_token stop) = 0;
};

/// Where credentials come from. Thread-safe; never blocks on the network (remote sources refresh on a thread
/// of their own and call the listener they were built with when something changed).
class CredentialSource : NonCopyable {
 public:
  virtual ~CredentialSource() = default;
  /// The credentials to sign with now. Files are looked at again when they changed. An error has
  /// Reason::credentials.
  virtual Result<Credentials, Failure> current() = 0;
  /// The API refused the credentials of this generation: get new ones, if there are any. Returns at once.
  virtual void report_rejected(std::uint64_t generation) = 0;
  /// True while a remote source gets the answer that callers cannot do without, the first one or the one
  /// after a rejection: callers wait instead of failing.
  [[nodiscard]] virtual bool pending() const = 0;
};

using FetchDone = std::function<void(Observation)>;
using WalkDone = std::function<void(InventoryListing)>;
/// Whether the account's inventory is known to list the image, as of now.
using IsOurs = std::function<bool()>;

/// Lists images and their shares: one per profile. Driven by the poll loop, of whose timers it sets its own;
/// not thread-safe. Implemented by EnsClient.
class ShareSource : NonCopyable {
 public:
  virtual ~ShareSource() = default;
  /// Starts a poll that ends at `deadline` at the latest. `done` is called with its listing exactly once,
  /// from a timer or the transport's run_once(), never from within fetch(). A list that is empty is complete
  /// only if `is_ours` says yes, which is asked then, or if the image is looked up by its id and is there.
  virtual void fetch(const ImageId& image, IsOurs is_ours, MonoTime deadline, FetchDone done) = 0;
  /// Lists the account's images, behind the polls that wait. `done` as for fetch().
  virtual void walk(MonoTime deadline, WalkDone done) = 0;
  /// Call after each wait of the loop: another thread may have brought what it waits for (credentials).
  virtual void on_wake() = 0;
  /// Ends the polls that have rows already, whose `done` is called with them and `why`: a row that was seen
  /// raises. Before it everything is cancelled that is under way in the transport; after it the source ends.
  virtual void break_off(const Failure& why) = 0;
};

/// Told of every call to the API as it happens: counters, histograms. Called on the poll thread, and by
/// credential sources on theirs: thread-safe. This one does not listen.
class ApiObserver : NonCopyable {
 public:
  virtual ~ApiObserver() = default;
  virtual void on_request(std::string_view /*profile*/) {}
  /// Any answer or failure of a request sent.
  virtual void on_answer(std::string_view /*profile*/, Millis /*took*/) {}
  virtual void on_failure(std::string_view /*profile*/, Reason /*reason*/) {}
  virtual void on_retry(std::string_view /*profile*/) {}
  virtual void on_clock_skew(std::string_view /*profile*/, double /*seconds*/) {}  ///< server minus local
  virtual void on_credentials(std::string_view /*profile*/, const Credentials& /*credentials*/) {}
  virtual void on_credentials_refresh_failed(std::string_view /*profile*/) {}
};

/// Tells events as they happen, one log line each. Thread-safe, never throws, never blocks for long. This one
/// drops them.
class EventSink : NonCopyable {
 public:
  virtual ~EventSink() = default;
  virtual void on_event(const Event& /*event*/) noexcept {}
};

/// Remembers over a restart. load() is called once before anything else; the rest is thread-safe and never
/// blocks on the disk (writes happen on a thread of the store's own).
class StateStore : NonCopyable {
 public:
  virtual ~StateStore() = default;
  /// Never fails: what cannot be read is set aside and reported as a state_rejected event to the sink it was
  /// built with.
  virtual SavedState load() = 0;
  /// Replaces what is remembered of an image, in one transaction with its events.
  virtual void save(ImageRecord record, std::vector<Event> events) = 0;
  virtual void forget(const ImageId& image) = 0;
  virtual void add_event(const Event& event) = 0;
  virtual void set_fleet(const FleetRecord& fleet) = 0;
  /// Replaces what is remembered of all discovered images.
  virtual void set_discovered(std::vector<DiscoveredImage> images) = 0;
};

}  // namespace sharedrift
