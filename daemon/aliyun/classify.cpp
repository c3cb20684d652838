#include "aliyun/classify.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>

namespace sharedrift {

namespace {

constexpr std::string_view kUnpaid =
    "the account has unpaid bills or no balance, and the API refuses it for that";
constexpr std::string_view kPay = "pay what is due in the console, Expenses and Costs";
constexpr std::string_view kBlocked = "Alibaba Cloud's risk control has blocked the account";
constexpr std::string_view kAskWhy =
    "look for a notice in the console, and ask Alibaba Cloud's support with the request id";
constexpr std::string_view kNoRight = "the key has no right to do this";
constexpr std::string_view kGrant = "grant {right} to its user or role, see ram-policy.json";
constexpr std::string_view kBadClock = "the time stamp is too far from the API's time";
constexpr std::string_view kSetClock = "set this machine's clock";
constexpr std::string_view kServer = "the API has trouble of its own";
constexpr std::string_view kLater = "if it stays so, ask Alibaba Cloud's support";
constexpr std::string_view kSlower =
    "if it stays so, limit requests_per_second, and look who else calls the API with this account";
constexpr std::string_view kCompareSecret = "compare the secret with the one that belongs to the key id";
constexpr std::string_view kNoEns =
    "what answers does not know this call, so it is no endpoint of the service";
constexpr std::string_view kEndpoint = "check the endpoint";

// Sources: the operation's own error list, the product-wide list, the gateway's and STS's codes, reports of
// users.
constexpr std::array kCodes{
    ApiCode{"*Throttling", Reason::throttled, Remedy::retry, "too many requests", kSlower},
    ApiCode{"*FlowControl", Reason::throttled, Remedy::retry, "too many requests", kSlower},
    ApiCode{"*Arrear", Reason::forbidden, Remedy::none, kUnpaid, kPay},
    ApiCode{"*Overdue", Reason::forbidden, Remedy::none, kUnpaid, kPay},
    ApiCode{"*InDebt", Reason::forbidden, Remedy::none, kUnpaid, kPay},
    ApiCode{"*NotEnoughBalance", Reason::forbidden, Remedy::none, kUnpaid, kPay},
    ApiCode{"*InsufficientBalance", Reason::forbidden, Remedy::none, kUnpaid, kPay},
    ApiCode{"*RiskControl", Reason::forbidden, Remedy::none, kBlocked, kAskWhy},
    ApiCode{"InvalidAccountStatus*", Reason::forbidden, Remedy::none, "the account's state forbids the call",
            ""},
    ApiCode{"SignatureNonceUsed", Reason::api_other, Remedy::retry_at_once,
            "the API has seen this request's nonce before",
            "if it stays so, look for what sends requests twice on the way"},
    ApiCode{"InvalidTimeStamp*", Reason::clock_skew, Remedy::new_time, kBadClock, kSetClock},
    ApiCode{"IllegalTimestamp*", Reason::clock_skew, Remedy::new_time, kBadClock, kSetClock},
    ApiCode{"InvalidSecurityToken.Expired", Reason::key_rejected, Remedy::new_credentials,
            "the temporary key's token has expired", "renew it where it comes from"},
    ApiCode{"InvalidSecurityToken.MismatchWithAccessKey", Reason::key_rejected, Remedy::new_credentials,
            "the token belongs to another key", "take id, secret and token from the same answer of STS"},
    ApiCode{"InvalidSecurityToken*", Reason::key_rejected, Remedy::new_credentials,
            "the API cannot use the temporary key's token", "copy the token again, whole"},
    ApiCode{"MissingSecurityToken", Reason::key_rejected, Remedy::new_credentials,
            "the key is temporary, and no token came with it", "give its security token as well"},
    ApiCode{"InvalidAccessKeyId.Inactive", Reason::key_rejected, Remedy::new_credentials,
            "the access key is disabled", "enable it in RAM, or use another key"},
    ApiCode{
        "InvalidAccessKeyId*", Reason::key_rejected, Remedy::new_credentials,
        "the API does not know the access key id",
        "compare the id with RAM's list: it is mistyped, deleted, or a key of another Alibaba Cloud site"},
    ApiCode{"InvalidAccessKey*", Reason::key_rejected, Remedy::new_credentials,
            "the API does not take the access key", ""},
    ApiCode{"SignatureDoesNotMatch", Reason::key_rejected, Remedy::new_credentials,
            "the API computes another signature, so the secret is wrong", kCompareSecret},
    ApiCode{"IncompleteSignature", Reason::key_rejected, Remedy::new_credentials,
            "the API computes another signature, so the secret is wrong", kCompareSecret},
    ApiCode{"NoPermission*", Reason::forbidden, Remedy::none, kNoRight, kGrant},
    ApiCode{"Forbidden.RAM", Reason::forbidden, Remedy::none, kNoRight, kGrant},
    ApiCode{"Forbidden.SubUser", Reason::forbidden, Remedy::none, kNoRight, kGrant},
    ApiCode{"AuthRAMAuthFailed", Reason::forbidden, Remedy::none, kNoRight, kGrant},
    ApiCode{"Forbidden*", Reason::forbidden, Remedy::none, "the API forbids this call", ""},
    ApiCode{"AccessDenied*", Reason::forbidden, Remedy::none, "the API forbids this call", ""},
    ApiCode{"EntityNotExist.Role", Reason::api_other, Remedy::none, "there is no such role",
            "check role_arn"},
    ApiCode{"AuthenticationFail*", Reason::api_other, Remedy::none, "the role does not trust the OIDC token",
            "check oidc_provider_arn, the token's audience and the role's trust policy"},
    ApiCode{"ServiceUnavailable*", Reason::server_error, Remedy::retry, kServer, kLater},
    ApiCode{"InternalError*", Reason::server_error, Remedy::retry, kServer, kLater},
    ApiCode{"InternalFailure*", Reason::server_error, Remedy::retry, kServer, kLater},
    ApiCode{"UnknownError", Reason::server_error, Remedy::retry, kServer, kLater},
    ApiCode{"ens.interface.error", Reason::server_error, Remedy::retry, kServer, kLater},
    ApiCode{"CallInterface", Reason::server_error, Remedy::retry, kServer, kLater},
    ApiCode{"InvalidParameter.ImageId", Reason::invalid_image, Remedy::none, "the API refuses this image id",
            "check the id, and that the endpoint is the one of its site"},
    ApiCode{"InvalidImage*", Reason::invalid_image, Remedy::none, "the API refuses this image id",
            "check the id, and that the endpoint is the one of its site"},
    ApiCode{"InvalidParameter", Reason::invalid_image, Remedy::none, "the API refuses a parameter", ""},
    ApiCode{"InvalidParameter*", Reason::api_other, Remedy::none, "the API refuses a parameter", ""},
    ApiCode{"MissingParameter*", Reason::api_other, Remedy::none, "the API misses a parameter", ""},
    ApiCode{"InvalidApi*", Reason::api_other, Remedy::none, kNoEns, kEndpoint},
    ApiCode{"InvalidAction*", Reason::api_other, Remedy::none, kNoEns, kEndpoint},
    ApiCode{"InvalidVersion*", Reason::api_other, Remedy::none, kNoEns, kEndpoint},
    ApiCode{"Unsupported*", Reason::api_other, Remedy::none, "the API does not take the request's form", ""},
};

bool matches(std::string_view pattern, std::string_view code) {
  if (pattern.starts_with('*')) return code.find(pattern.substr(1)) != std::string_view::npos;
  if (pattern.ends_with('*')) return code.starts_with(pattern.substr(0, pattern.size() - 1));
  return code == pattern;
}

/// A code, or the id of a request. What is longer is neither: it may echo a token.
std::string short_name(std::string_view text) {
  constexpr std::size_t kLongest = 80;
  return text.size() > kLongest ? "..." : clean(text);
}

/// Of a code that nobody knows: what it means and what would help are not guessed. Of no code at all the
/// reason tells what helps.
ApiCode by_status(std::string_view code, int status) {
  ApiCode row{"", Reason::api_other, Remedy::none, "", ""};
  if (status == 429) {
    row = {"", Reason::throttled, Remedy::retry, "", ""};
  } else if (status >= 500) {
    row = {"", Reason::server_error, Remedy::retry, "", ""};
  } else if (status == 401 || status == 403) {
    row.reason = Reason::forbidden;
  }
  if (code.empty()) row.cure = usual_cure(row.reason);
  return row;
}

std::string cure_of(const ApiCode& known, std::string_view right) {
  constexpr std::string_view kRight = "{right}";
  std::string cure{known.cure};
  if (const std::size_t at = cure.find(kRight); at != std::string::npos)
    cure.replace(at, kRight.size(), right.empty() ? "the right" : right);
  return cure;
}

/// "meaning; cure (the API's words)"; `cure` may be empty.
std::string detail_of(const ApiCode& known, int http_status, std::string_view message,
                      const std::string& cure) {
  const std::string words = harmless(message);
  const std::string remedy = cure.empty() ? "" : "; " + cure;
  if (known.meaning.empty()) {
    return (words.empty() ? "the API says no more than HTTP " + std::to_string(http_status)
                          : "the API says: " + words) +
           remedy;
  }
  const std::string detail = std::string{known.meaning} + remedy;
  return words.empty() ? detail : detail + " (" + words + ")";
}

}  // namespace

std::span<const ApiCode> api_codes() {
  return kCodes;
}

std::string_view usual_cure(Reason reason) {
  switch (reason) {
    case Reason::throttled: return kSlower;
    case Reason::server_error: return kLater;
    case Reason::protocol: return "compare the endpoint and the proxy: what answers there is not the API";
    case Reason::dns: return "check the endpoint and this machine's resolver, or set a proxy";
    case Reason::tls: return "trust its authority with ca_file, or correct the endpoint";
    case Reason::proxy: return "check proxy_url, and its user and password";
    case Reason::connect:
    case Reason::timeout:
    case Reason::reset: return "check the endpoint, the firewalls on the way, and whether a proxy is needed";
    default: return "";
  }
}

std::string harmless(std::string_view message) {
  constexpr std::size_t kLongestWord = 48;
  message = trim(message);
  const std::string lower = to_lower(message);
  if (const std::size_t echo = std::min(lower.find("string to sign"), lower.find("stringtosign"));
      echo != lower.npos) {
    message = message.substr(0, echo);
    message = message.substr(0, message.find_last_of(".;") + 1);  // the sentence that it is in goes whole
  }
  std::string out;
  while (!message.empty()) {
    const std::size_t end = std::min(message.find(' '), message.size());
    const std::string_view word = message.substr(0, end);
    message.remove_prefix(std::min(end + 1, message.size()));
    const bool echo = word.size() > kLongestWord || word.find_first_of("%&=") != std::string_view::npos;
    out.append(out.empty() ? "" : " ").append(echo ? "..." : word);
  }
  return clean(out, 160);
}

ApiError classify_refusal(std::string_view code, int http_status, std::string_view request_id,
                          std::string_view message, std::string_view right) {
  code = trim(code);
  const auto* const found = std::find_if(kCodes.begin(), kCodes.end(),
                                         [code](const ApiCode& row) { return matches(row.code, code); });
  const ApiCode known = found != kCodes.end() ? *found : by_status(code, http_status);
  ApiError error;
  error.remedy = known.remedy;
  error.failure.reason = known.reason;
  error.failure.code = short_name(code);
  error.failure.http_status = http_status;
  error.failure.request_id = short_name(trim(request_id));
  error.cure = cure_of(known, right);
  error.failure.detail = detail_of(known, http_status, message, error.cure);
  error.what = detail_of(known, http_status, message, "");
  return error;
}

ApiError classify_transport(Reason reason, std::string detail, bool refused) {
  ApiError error;
  error.failure.reason = reason;
  error.cure = usual_cure(reason);
  error.what = std::move(detail);
  error.failure.detail = error.what + (error.cure.empty() ? "" : "; " + error.cure);
  const bool again = reason == Reason::dns || reason == Reason::connect || reason == Reason::proxy ||
                     reason == Reason::timeout || reason == Reason::reset || reason == Reason::local;
  error.remedy = again && !refused ? Remedy::retry : Remedy::none;
  return error;
}

}  // namespace sharedrift
