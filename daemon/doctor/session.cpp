#include "doctor/session.hpp"

#include "aliyun/answer.hpp"
#include "core/text.hpp"
#include "http_client/curl_transport.hpp"
#include "wire/encoding.hpp"
#include "wire/url.hpp"

#include <algorithm>

namespace sharedrift {

namespace {

constexpr std::string_view kEns = "2017-11-10";
constexpr std::string_view kSts = "2015-04-01";
constexpr Millis kPause{500};  // before a call is sent again

DoctorReply not_sent(const Failure& why) {
  return {.error = ApiError{why, Remedy::none, "", why.detail}};
}

}  // namespace

std::string DoctorReply::why() const {
  if (broken) return std::string{to_string(broken->reason)} + ": " + broken->detail;
  if (!error) return {};
  return brief() + (status == 0 ? "" : " (HTTP " + std::to_string(status) + ")") + ": " + error->what;
}

std::string DoctorReply::brief() const {
  const bool coded = error && !error->failure.code.empty();
  return coded ? error->failure.code : std::string{to_string(reason())};
}

std::string DoctorReply::cure() const {
  std::string usual{usual_cure(reason())};
  if (reason() == Reason::throttled || reason() == Reason::server_error)
    return "run doctor again later; " + usual;
  if (!usual.empty()) return usual;
  return error && !error->cure.empty() ? error->cure : "report it with doctor --report";
}

Reason DoctorReply::reason() const {
  return broken ? broken->reason : error ? error->failure.reason : Reason::internal;
}

DoctorSession::DoctorSession(const ProfileConfig& profile, ProfileAccess access, Clock& clock, Random& random,
                             HttpTransport& transport)
    : profile_(profile),
      clock_(clock),
      random_(random),
      transport_(transport),
      access_(std::move(access)),
      bucket_(profile.requests_per_second, clock.mono()),
      ens_(parse_url(profile.endpoint).value()),  // both were checked when the config was read
      sts_(parse_url(profile.sts_endpoint).value()),
      repeats_left_(std::min(3, profile.max_attempts - 1)) {}

Result<Credentials, Failure> DoctorSession::wait_for_credentials(const std::stop_token& stop) {
  constexpr Millis kPatience{30'000};
  const MonoTime limit = clock_.mono() + kPatience;
  const std::stop_callback wake_up(stop, [this] { transport_.wake(); });
  auto found = access_.credentials->current();
  while (!found && access_.credentials->pending() && clock_.mono() < limit && !stop.stop_requested()) {
    transport_.run_once(limit);  // the source wakes it
    found = access_.credentials->current();
  }
  return found;
}

DoctorReply DoctorSession::ask_ens(std::string_view action, const Parameters& parameters) {
  std::string query;
  for (const auto& [name, value] : parameters)
    append_parameter(query, name, value);
  return ask({ens_.scheme(), ens_.authority(), action, kEns, std::move(query)});
}

DoctorReply DoctorSession::ask_sts(std::string_view action) {
  return ask({sts_.scheme(), sts_.authority(), action, kSts, ""});
}

DoctorReply DoctorSession::ask(const ApiCall& call) {
  const std::string right = (call.version == kSts ? "sts:" : "ens:") + std::string{call.action};
  for (bool again = false;;) {
    const auto credentials = access_.credentials->current();
    if (!credentials) return not_sent(credentials.error());
    const Millis correction = (*access_.correction)();
    auto request = signed_request(call, *credentials, make_nonce(random_), clock_.wall() + correction);
    if (!request) return not_sent(make_failure(Reason::credentials, "no key id or no secret"));
    request->route = access_.route;
    DoctorReply reply = send(std::move(*request), right);
    const Remedy remedy = reply.error ? reply.error->remedy : Remedy::none;
    const bool passes = remedy == Remedy::retry || (reply.broken && reply.broken->reason == Reason::reset);
    if (passes && repeats_left_ > 0) {
      --repeats_left_;
      clock_.sleep_until(clock_.mono() + kPause, {});
      continue;
    }
    const bool retime = remedy == Remedy::new_time;
    if (again || !retime || !access_.correction->differs_from(correction)) return reply;
    again = true;
  }
}

DoctorReply DoctorSession::replay() {
  if (!last_)
    return {.broken = TransportError{Reason::internal, "nothing was answered that could be sent again"}};
  return send(*last_, "");
}

DoctorReply DoctorSession::send(HttpRequest request, std::string_view right) {
  if (requests_ >= kMostRequests) return {.broken = TransportError{Reason::internal, "no requests are left"}};
  await_turn();
  ++requests_;
  const MonoTime sent = clock_.mono();
  HttpResult result = perform(transport_, request, sent + profile_.timeout, {});
  if (!result) return {.broken = std::move(result).error()};
  if (access_.correction->learn(*result, sent, clock_.now())) skew_ = access_.correction->skew();
  for (const auto& [name, value] : result->headers) {
    const std::string lower = to_lower(name);
    const bool speaks = lower.find("ratelimit") != lower.npos || lower.find("rate-limit") != lower.npos ||
                        lower.find("retry-after") != lower.npos || lower.find("quota") != lower.npos;
    if (speaks) limit_headers_[lower] = clean(value, 100);
  }
  auto opened = open_answer(*result, right);
  if (opened) last_ = std::move(request);
  if (!opened) return {.status = result->status, .error = std::move(opened).error()};
  return {.status = result->status, .document = std::make_shared<const JsonDocument>(std::move(*opened))};
}

void DoctorSession::await_turn() {
  const MonoTime now = clock_.mono();
  clock_.sleep_until(bucket_.ready_at(now), {});
  (void)bucket_.take(clock_.mono());
}

}  // namespace sharedrift
