#pragma once

#include "http_server/http_server.hpp"
#include "ports.hpp"
#include "web/password_check.hpp"
#include "web/web_config.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sharedrift {

/// The door of the web server: TLS, client certificates, users and answer headers of one web config file. The
/// file and what it names are looked at for every connection and read again when they changed, so that
/// certificates and passwords rotate in place. A file that cannot be used closes the door (no handshake; 500)
/// until it can be used again. Whether there is TLS at all is decided at the start: a file that changes its
/// mind closes, too. Thread-safe.
class WebSecurity {
 public:
  /// Called when a file that was changed is refused, with the reasons, and with none when it is good again.
  /// On the thread that noticed; must not call back.
  using Report = std::function<void(const std::vector<Diagnostic>&)>;

  /// Reads `file`. Its faults are errors here, at the start. `clock` must outlive the object.
  static Result<std::unique_ptr<WebSecurity>, std::vector<Diagnostic>> open(std::string file,
                                                                            const Clock& clock,
                                                                            Report report);
  WebSecurity(const WebSecurity&) = delete;
  WebSecurity& operator=(const WebSecurity&) = delete;
  ~WebSecurity();

  [[nodiscard]] bool has_tls() const { return has_tls_ == true; }
  /// For ServerOptions::tls_context. Null: nobody gets in.
  [[nodiscard]] std::shared_ptr<ssl_ctx_st> tls_context();
  /// The answer to a request that may not pass: 401, 429, 500, or that the lane of passwords must check it.
  [[nodiscard]] std::optional<ServerResponse> refuse(const ServerRequest& request);
  /// For every answer; they replace those of the same name.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> headers();

 private:
  struct State;  ///< one reading of the files; immutable

  WebSecurity(std::string file, const Clock& clock, Report report);
  [[nodiscard]] std::shared_ptr<const State> current();
  [[nodiscard]] std::shared_ptr<const State> read() const;
  [[nodiscard]] std::optional<ServerResponse> refuse_too_fast(const ServerRequest& request,
                                                              const RateLimit& limit);
  [[nodiscard]] bool may_pass(const RateLimit& limit);

  const std::string file_;
  const Clock& clock_;
  const Report report_;
  std::optional<bool> has_tls_;  ///< as the first reading had it
  PasswordCheck passwords_;
  std::mutex mutex_;
  std::shared_ptr<const State> state_;  ///< guarded by mutex_; never null after open()
  MonoTime spent_until_{};              ///< the time that the requests so far are paid for; the same
};

/// User and password of an Authorization header of the Basic scheme; none if it is not one.
struct BasicCredentials {
  std::string user;
  Secret password;
};
std::optional<BasicCredentials> parse_basic_auth(std::string_view header);

}  // namespace sharedrift
