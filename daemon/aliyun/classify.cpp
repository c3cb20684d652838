#include "aliyun/classify.hpp"

#include "core/text.hpp"

#include <array>

namespace sharedrift {

namespace {

struct Rule {
  /// The whole code; its beginning where it ends in `*`; any part of it where it begins with `*`.
  std::string_view code;
  Reason reason;
  Remedy remedy;
  bool tell = false;  ///< the API's message may be shown
};
constexpr bool kTell = true;

// The first match decides. Sources: the operation's own error list, the product-wide list, and the gateway's
// codes.
constexpr std::array kRules{
    Rule{"*Throttling", Reason::throttled, Remedy::retry, kTell},
    Rule{"*FlowControl", Reason::throttled, Remedy::retry, kTell},
    Rule{"SignatureNonceUsed", Reason::api_other, Remedy::retry_at_once},
    Rule{"InvalidTimeStamp*", Reason::clock_skew, Remedy::new_time},
    Rule{"IllegalTimestamp*", Reason::clock_skew, Remedy::new_time},
    Rule{"InvalidSecurityToken*", Reason::key_rejected, Remedy::new_credentials},
    Rule{"MissingSecurityToken", Reason::key_rejected, Remedy::new_credentials},
    Rule{"InvalidAccessKey*", Reason::key_rejected, Remedy::new_credentials},
    Rule{"SignatureDoesNotMatch", Reason::key_rejected, Remedy::new_credentials},
    Rule{"IncompleteSignature", Reason::key_rejected, Remedy::new_credentials},
    Rule{"NoPermission*", Reason::forbidden, Remedy::none, kTell},
    Rule{"Forbidden*", Reason::forbidden, Remedy::none, kTell},
    Rule{"AccessDenied*", Reason::forbidden, Remedy::none, kTell},
    Rule{"AuthRAMAuthFailed", Reason::forbidden, Remedy::none, kTell},
    Rule{"ServiceUnavailable*", Reason::server_error, Remedy::retry, kTell},
    Rule{"InternalError*", Reason::server_error, Remedy::retry, kTell},
    Rule{"InternalFailure*", Reason::server_error, Remedy::retry, kTell},
    Rule{"UnknownError", Reason::server_error, Remedy::retry, kTell},
    Rule{"ens.interface.error", Reason::server_error, Remedy::retry, kTell},
    Rule{"CallInterface", Reason::server_error, Remedy::retry, kTell},
    Rule{"InvalidParameter.ImageId", Reason::invalid_image, Remedy::none, kTell},
    Rule{"InvalidParameter", Reason::invalid_image, Remedy::none, kTell},
    Rule{"InvalidImage*", Reason::invalid_image, Remedy::none, kTell},
    Rule{"InvalidParameter*", Reason::api_other, Remedy::none, kTell},
    Rule{"MissingParameter*", Reason::api_other, Remedy::none, kTell},
    Rule{"InvalidApi*", Reason::api_other, Remedy::none, kTell},
    Rule{"InvalidAction*", Reason::api_other, Remedy::none, kTell},
    Rule{"InvalidVersion*", Reason::api_other, Remedy::none, kTell},
    Rule{"Unsupported*", Reason::api_other, Remedy::none, kTell},
};

bool matches(std::string_view pattern, std::string_view code) {
  if (pattern.starts_with('*')) return code.find(pattern.substr(1)) != std::string_view::npos;
  if (pattern.ends_with('*')) return code.starts_with(pattern.substr(0, pattern.size() - 1));
  return code == pattern;
}

Rule by_status(int status) {
  if (status == 429) return {"", Reason::throttled, Remedy::retry};
  if (status >= 500) return {"", Reason::server_error, Remedy::retry};
  if (status == 401 || status == 403) return {"", Reason::forbidden, Remedy::none};
  return {"", Reason::api_other, Remedy::none};
}

std::string_view advice(Reason reason) {
  switch (reason) {
    case Reason::throttled: return "too many requests; lower requests_per_second or lengthen the interval";
    case Reason::server_error: return "the API has trouble of its own";
    case Reason::forbidden: return "the key may not do this; grant it ens:DescribeImageSharePermission";
    case Reason::key_rejected:
      return "the access key, its token or its signature was refused; check and rotate it";
    case Reason::clock_skew: return "the time stamp was refused; check this machine's clock";
    case Reason::invalid_image: return "the API refuses this image id";
    default: return "the API refused the request";
  }
}

}  // namespace

ApiError classify_refusal(std::string_view code, int http_status, std::string_view request_id,
                          std::string_view message) {
  code = trim(code);
  Rule rule = by_status(http_status);
  for (const Rule& candidate : kRules) {
    if (!matches(candidate.code, code)) continue;
    rule = candidate;
    break;
  }
  ApiError error;
  error.remedy = rule.remedy;
  error.failure.reason = rule.reason;
  error.failure.code = clean(code, 80);
  error.failure.http_status = http_status;
  error.failure.request_id = clean(trim(request_id), 80);
  error.failure.detail = std::string{advice(rule.reason)};
  message = trim(message);
  if (rule.tell && !message.empty()) error.failure.detail += " (" + clean(message) + ")";
  return error;
}

ApiError classify_transport(Reason reason, std::string detail) {
  ApiError error;
  error.failure.reason = reason;
  error.failure.detail = std::move(detail);
  const bool again = reason == Reason::dns || reason == Reason::connect || reason == Reason::proxy ||
                     reason == Reason::timeout || reason == Reason::reset || reason == Reason::local;
  error.remedy = again ? Remedy::retry : Remedy::none;
  return error;
}

}  // namespace sharedrift
