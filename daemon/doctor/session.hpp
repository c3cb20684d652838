#pragma once

#include "aliyun/classify.hpp"
#include "aliyun/pacing.hpp"
#include "aliyun/profile_access.hpp"
#include "aliyun/signer.hpp"
#include "config/config.hpp"
#include "wire/json_reader.hpp"
#include "wire/url.hpp"

#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace sharedrift {

/// One answer as it came, and what it is.
struct DoctorReply {
  std::optional<TransportError> broken{};  ///< nothing came
  int status = 0;
  std::shared_ptr<const JsonDocument> document{};  ///< a good answer
  std::optional<ApiError> error{};                 ///< a refusal, or no answer of the API

  [[nodiscard]] bool good() const { return document != nullptr; }
  /// Something came, good or not.
  [[nodiscard]] bool came() const { return good() || error.has_value(); }
  [[nodiscard]] const JsonValue& root() const { return document->root(); }
  /// Why it is not good, for people; what would help is cure()'s to say.
  [[nodiscard]] std::string why() const;
  /// The same in a word: the API's code, or the reason.
  [[nodiscard]] std::string brief() const;
  /// What a person should do.
  [[nodiscard]] std::string cure() const;
  [[nodiscard]] Reason reason() const;
};

/// Asks the API of one profile, one call after the other: signed, within the profile's pace and a number of
/// requests. Trouble that passes is tried again, as the exporter does, but not often.
class DoctorSession {
 public:
  static constexpr int kMostRequests = 20;
  using Parameters = std::vector<std::pair<std::string_view, std::string>>;

  /// Everything named outlives the session. `access`: of `profile`; news of its credentials wake `transport`.
  DoctorSession(const ProfileConfig& profile, ProfileAccess access, Clock& clock, Random& random,
                HttpTransport& transport);

  /// The credentials, once they are there.
  Result<Credentials, Failure> wait_for_credentials(const std::stop_token& stop);
  DoctorReply ask_ens(std::string_view action, const Parameters& parameters);
  DoctorReply ask_sts(std::string_view action);
  /// The last request whose answer was good, byte for byte.
  DoctorReply replay();

  [[nodiscard]] int requests() const { return requests_; }
  [[nodiscard]] std::optional<Millis> skew() const { return skew_; }
  /// Headers of answers that speak of limits: name, and a value that came.
  [[nodiscard]] const std::map<std::string, std::string>& limit_headers() const { return limit_headers_; }
  [[nodiscard]] const ProfileConfig& profile() const { return profile_; }

 private:
  DoctorReply ask(const ApiCall& call);
  DoctorReply send(HttpRequest request, std::string_view right);
  void await_turn();

  const ProfileConfig& profile_;
  Clock& clock_;
  Random& random_;
  HttpTransport& transport_;
  ProfileAccess access_;
  TokenBucket bucket_;
  const Url ens_;
  const Url sts_;
  std::optional<HttpRequest> last_;
  std::optional<Millis> skew_;
  std::map<std::string, std::string> limit_headers_;
  int requests_ = 0;
  int repeats_left_;  ///< of all calls together: what stays broken must not use up the requests
};

}  // namespace sharedrift
