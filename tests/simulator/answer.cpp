#include "simulator/answer.hpp"

#include "core/text.hpp"
#include "simulator/xml.hpp"

#include <algorithm>
#include <array>
#include <ctime>

namespace sharedrift::simulator {

namespace {

struct KnownError {
  std::string_view code;
  int status;
  std::string_view message;
};

// Codes of the operation and the gateway with the status most often documented for them.
constexpr std::array kKnownErrors{
    KnownError{"MissingParameter", 400,
               "The input parameter that is mandatory for processing this request is not supplied."},
    KnownError{"NoPermission", 400, "Permission denied."},
    KnownError{"InvalidParameter", 400, "The errorMessage is %s. Please check it again."},
    KnownError{"ens.interface.error", 400, "An error occurred while calling the API."},
    KnownError{"CallInterface", 400, "Call Interface Happen Error."},
    KnownError{"InvalidImageType.NotSupported", 400, "The specified image type does not support sharing."},
    KnownError{"AccessDenied", 403, "The request was denied."},
    KnownError{"AuthRAMAuthFailed", 400, "RAM authentication failed."},
    KnownError{"Forbidden", 403, "User not authorized to operate on the specified resource."},
    KnownError{"Forbidden.RAM", 403,
               "User not authorized to operate on the specified resource, or this API doesn't support RAM."},
    KnownError{"Forbidden.SubUser", 403, "The specified action is not available for you."},
    KnownError{"Forbidden.RiskControl", 403, "This operation is forbidden by the risk control system."},
    KnownError{"Throttling", 400, "Request was denied due to request throttling."},
    KnownError{"Throttling.User", 400, "Request was denied due to user flow control."},
    KnownError{"Throttling.Api", 429, "Request was denied due to api flow control."},
    KnownError{"Throttling.System", 503, "Request was denied due to system flow control."},
    KnownError{"ServiceUnavailable", 503, "The request has failed due to a temporary failure of the server."},
    KnownError{"InternalError", 500, "The request processing has failed due to some unknown error."},
    KnownError{"InternalFailure", 500, "The request processing has failed due to some unknown error."},
    KnownError{"UnknownError", 500, "The request processing has failed due to some unknown error."},
    KnownError{"InvalidAccessKeyId.NotFound", 404, "Specified access key is not found."},
    KnownError{"InvalidAccessKeyId.Inactive", 400, "Specified access key is disabled."},
    KnownError{"SignatureDoesNotMatch", 400,
               "Specified signature is not matched with our calculation. server string to sign is:%s"},
    KnownError{"IncompleteSignature", 400,
               "The request signature does not conform to Alibaba Cloud standards: %s"},
    KnownError{"SignatureNonceUsed", 400, "Specified signature nonce was used already."},
    KnownError{"InvalidTimeStamp.Expired", 400, "Specified time stamp or date value is expired."},
    KnownError{"InvalidTimeStamp.Format", 400, "Specified time stamp or date value is not well formatted."},
    KnownError{"InvalidSecurityToken.Expired", 403, "Specified SecurityToken is expired."},
    KnownError{"InvalidSecurityToken.Malformed", 400, "Specified SecurityToken is malformed."},
    KnownError{"InvalidSecurityToken.MismatchWithAccessKey", 400,
               "Specified SecurityToken mismatch with the AccessKey."},
    KnownError{"MissingSecurityToken", 400, "SecurityToken is mandatory for this action."},
    KnownError{"InvalidAction.NotFound", 404,
               "Specified api is not found, please check your url and method."},
    KnownError{"InvalidApi.NotFound", 404, "Specified api is not found, please check your url and method."},
    KnownError{"InvalidVersion", 400, "Specified parameter Version is not valid."},
    KnownError{"UnsupportedHTTPMethod", 403, "This http method is not supported."},
    KnownError{"EntityNotExist.Role", 404, "The role not exists: %s."},
    KnownError{"AuthenticationFail.OIDCToken.Invalid", 400, "The OIDC token is not valid."},
    KnownError{"AuthenticationFail.NoPermission", 400, "The OIDC provider is not trusted by the role."},
};
constexpr std::string_view kFieldMessage = "The specified field %s invalid. Please check it again.";

std::string fill(std::string_view pattern, std::string_view field) {
  const std::size_t at = pattern.find("%s");
  if (at == std::string_view::npos) return std::string(pattern);
  std::string out(pattern.substr(0, at));
  out += field;
  out += pattern.substr(at + 2);
  return out;
}

void member(std::string& out, std::string_view name, std::string_view value) {
  out += out.size() > 1 ? "," : "";
  append_json_string(out, name);
  out += ':';
  append_json_string(out, value);
}

std::string json_body(const ApiError& error, const ErrorContext& context) {
  const bool lower = context.form == ErrorForm::lower_case;
  std::string out = "{";
  member(out, lower ? "requestId" : "RequestId", context.request_id);
  if (!lower) member(out, "HostId", context.host_id);
  member(out, lower ? "code" : "Code", error.code);
  member(out, lower ? "message" : "Message", error.message);
  if (!lower) {
    std::string recommend = "https://api.aliyun.com/troubleshoot?q=";
    recommend.append(trim(error.code)).append("&product=").append(context.product);
    recommend.append("&requestId=").append(context.request_id);
    member(out, "Recommend", recommend);
  }
  if (context.form == ErrorForm::http_status) out += ",\"HttpStatus\":" + std::to_string(error.status);
  if (context.form == ErrorForm::denied_detail) {
    out +=
        R"(,"AccessDeniedDetail":{"NoPermissionType":"ImplicitDeny","PolicyType":"AccountLevelIdentityBasedPolicy")";
    std::string auth = "ens:";
    auth += context.action;
    member(out, "AuthAction", auth);
    out += '}';
  }
  return out + "}";
}

std::tm utc(WallTime time) {
  const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return parts;
}

}  // namespace

ApiError api_error(std::string_view code, std::string_view field) {
  const auto* known = std::find_if(kKnownErrors.begin(), kKnownErrors.end(),
                                   [code](const KnownError& e) { return e.code == code; });
  if (known != kKnownErrors.end()) return {known->status, std::string(code), fill(known->message, field)};
  if (code.starts_with("InvalidParameter.")) {
    return {400, std::string(code), fill(kFieldMessage, field.empty() ? code.substr(17) : field)};
  }
  return {400, std::string(code), "The request has failed."};
}

Err<ApiError> invalid(std::string_view field) {
  return Err(api_error("InvalidParameter." + std::string(field)));
}

SimAnswer error_answer(const ApiError& error, const ErrorContext& context) {
  SimAnswer answer;
  answer.status = error.status;
  answer.body = json_body(error, context);
  if (context.form == ErrorForm::xml) {
    answer.content_type = kXmlType;
    answer.body = to_xml(answer.body, "Error");
  }
  return answer;
}

std::string format_http_date(WallTime time) {
  // By hand: strftime's names follow the locale.
  constexpr std::array<std::string_view, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::tm t = utc(time);
  const std::string stamp = format_api_time(time);  // 2026-11-24T09:20:44Z
  std::string out(kDays.at(static_cast<std::size_t>(t.tm_wday)));
  out.append(", ").append(stamp, 8, 2).append(" ").append(kMonths.at(static_cast<std::size_t>(t.tm_mon)));
  out.append(" ").append(stamp, 0, 4).append(" ").append(stamp, 11, 8).append(" GMT");
  return out;
}

std::string format_api_time(WallTime time) {
  return format_rfc3339(time).substr(0, 19) + "Z";
}

}  // namespace sharedrift::simulator
