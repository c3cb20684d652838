#include "simulator/simulator.hpp"

#include "core/text.hpp"
#include "simulator/control.hpp"
#include "simulator/load.hpp"
#include "simulator/spoil.hpp"
#include "simulator/xml.hpp"

#include <utility>

namespace sharedrift::simulator {

namespace {

constexpr std::size_t kMaxShown = 100;

/// Milliseconds to wait before the answer.
Millis delay_of(const Effects& effects, IdSource& ids) {
  std::int64_t total = 0;
  for (const auto& fault : effects.all()) {
    if (fault->kind != FaultKind::latency) continue;
    const auto spread = static_cast<std::uint64_t>(fault->number("jitter_ms"));
    total += fault->number("ms") + static_cast<std::int64_t>(spread == 0 ? 0 : ids.next() % (spread + 1));
  }
  return Millis{total};
}

/// The refusal that a fault asks for, if any.
std::optional<ApiError> ordered_refusal(const Effects& effects) {
  if (const Fault* fault = effects.find(FaultKind::throttle)) {
    ApiError error = api_error(fault->text("code"));
    error.status = static_cast<int>(fault->number("status"));
    return error;
  }
  if (const Fault* fault = effects.find(FaultKind::error)) {
    ApiError error = api_error(fault->text("code"));
    if (fault->number("status") != 0) error.status = static_cast<int>(fault->number("status"));
    if (!fault->text("message").empty()) error.message = fault->text("message");
    return error;
  }
  if (const Fault* fault = effects.find(FaultKind::server_error)) {
    const auto status = static_cast<int>(fault->number("status"));
    const std::string& code = fault->text("code");
    ApiError error = api_error(!code.empty() ? code : status == 503 ? "ServiceUnavailable" : "InternalError");
    error.status = status;
    return error;
  }
  return std::nullopt;
}

ErrorForm error_form(const Effects& effects) {
  const Fault* fault = effects.find(FaultKind::error_body);
  if (fault == nullptr) return ErrorForm::usual;
  const std::string& form = fault->text("form");
  if (form == "lower_case") return ErrorForm::lower_case;
  if (form == "xml") return ErrorForm::xml;
  return form == "http_status" ? ErrorForm::http_status : ErrorForm::denied_detail;
}

void add_wait_hint(SimAnswer& answer, const Effects& effects) {
  const Fault* fault = effects.find(FaultKind::throttle);
  const std::int64_t wait = fault == nullptr ? 0 : fault->number("retry_after_ms");
  if (wait == 0) return;
  answer.headers.emplace_back("x-acs-retry-after", std::to_string(wait));
  answer.headers.emplace_back("Retry-After", std::to_string((wait + 999) / 1'000));
}

/// Callers that sign with parameters, or not at all, get XML unless they ask for JSON.
bool wants_xml(const Call& call, const OperationInfo* operation) {
  const bool by_parameters = call.scheme == Scheme::rpc || (operation != nullptr && !operation->is_signed);
  const std::string_view format = call.parameter("Format").value_or("XML");
  return by_parameters && format != "JSON" && format != "json";
}

std::string shown(std::string_view text) {
  return clean(text, kMaxShown);
}

JournalEntry entry_for(const Call& call, std::string_view action, const Effects& effects) {
  JournalEntry entry;
  entry.action = action;
  entry.image = shown(call.parameter("ImageId").value_or(""));
  entry.key = shown(call.key_id);
  entry.page = shown(call.parameter("PageNumber").value_or(""));
  entry.size = shown(call.parameter("PageSize").value_or(""));
  for (const auto& fault : effects.all())
    entry.faults.push_back(name_of(fault->kind));
  return entry;
}

}  // namespace

Simulator::Simulator(nlohmann::json scenario, std::uint64_t seed, FileReader read_file)
    : scenario_(std::move(scenario)), read_file_(std::move(read_file)), ids_(seed) {}

Result<std::unique_ptr<Simulator>, std::string> Simulator::create(nlohmann::json scenario, std::uint64_t seed,
                                                                  FileReader read_file, WallTime now) {
  std::unique_ptr<Simulator> simulator(new Simulator(
      std::move(scenario), seed, std::move(read_file)));  // NOLINT(modernize-make-unique): private
  SD_TRY(loaded, simulator->reset(now));
  static_cast<void>(loaded);
  return simulator;
}

Result<Unit, std::string> Simulator::reset(WallTime now) {
  World world;
  FaultBoard faults;
  SD_TRY(loaded, load_scenario(world, faults, scenario_, now));
  static_cast<void>(loaded);
  world_ = std::move(world);
  faults_ = std::move(faults);
  metadata_ = MetadataService{};
  journal_.clear();
  return Unit{};
}

SimAnswer Simulator::handle(const ServerRequest& request, Instant now) {
  const std::lock_guard lock(mutex_);
  if (request.path.starts_with("/_sim")) return Control(*this).answer(request, now);
  return serve(request, now);
}

SimAnswer Simulator::serve(const ServerRequest& request, Instant now) {
  const Call call = parse_call(request);
  std::string_view action = MetadataService::action_of(request);
  const bool api = action.empty();
  const OperationInfo* operation = api ? find_operation(call.version, call.action) : nullptr;
  if (api) action = operation == nullptr ? "(unknown)" : operation->action;
  const Effects effects =
      faults_.strike(call.parameter("ImageId").value_or(""), action, call.key_id, now.mono);
  if (const Fault* skew = effects.find(FaultKind::clock_skew)) {
    now.wall += std::chrono::seconds{skew->number("seconds")};
  }
  Outcome outcome;
  JournalEntry entry = entry_for(call, action, effects);
  entry.time = now.wall;
  if (answer_early(outcome.answer, effects)) {
    outcome.answer.headers.emplace_back("Date", format_http_date(now.wall));
  } else if (api) {
    entry.request_id = ids_.uuid();
    outcome = call_api(call, effects, now, entry.request_id);
  } else {
    outcome.answer = metadata_.answer(world_, ids_, request, now);
    outcome.answer.headers.emplace_back("Date", format_http_date(now.wall));
  }
  outcome.answer.delay = delay_of(effects, ids_);
  spoil(outcome.answer, effects);
  entry.status = outcome.answer.status;
  entry.code = std::move(outcome.code);
  journal_.add(std::move(entry));
  return std::move(outcome.answer);
}

Simulator::Outcome Simulator::call_api(const Call& call, const Effects& effects, Instant now,
                                       const std::string& request_id) {
  const bool at_root = call.request->path == "/" || call.request->path.empty();
  const OperationInfo* operation = at_root ? find_operation(call.version, call.action) : nullptr;
  const bool xml = wants_xml(call, operation);
  Outcome outcome;
  ApiResult result = run(call, operation, effects, now, request_id);
  if (result) {
    outcome.answer.body = std::move(result).value();
    if (xml) {
      outcome.answer.content_type = kXmlType;
      outcome.answer.body = to_xml(outcome.answer.body, call.action + "Response");
    }
  } else {
    ApiError error = std::move(result).error();
    if (effects.find(FaultKind::trailing_tab) != nullptr) error.code += '\t';
    const std::string host = shown(header_of(*call.request, "host"));
    outcome.answer = error_answer(error, {.request_id = request_id,
                                          .host_id = host,
                                          .product = operation == nullptr ? "Ens" : operation->product,
                                          .action = operation == nullptr ? "" : operation->action,
                                          .form = xml ? ErrorForm::xml : error_form(effects)});
    outcome.code = std::move(error.code);
    add_wait_hint(outcome.answer, effects);
  }
  outcome.answer.headers.emplace_back("Date", format_http_date(now.wall));
  outcome.answer.headers.emplace_back("x-acs-request-id", request_id);
  if (world_.behaviour.rate_limit_headers)
    outcome.answer.headers.emplace_back("x-ratelimit-user-api", "Limit:100,Remain:99,TimeLeft:1000");
  return outcome;
}

ApiResult Simulator::run(const Call& call, const OperationInfo* operation, const Effects& effects,
                         Instant now, const std::string& request_id) {
  const std::string& method = call.request->method;
  if (method != "GET" && method != "POST") return Err(api_error("UnsupportedHTTPMethod"));
  if (operation == nullptr) {
    return Err(api_error(is_known_version(call.version) ? "InvalidAction.NotFound" : "InvalidVersion"));
  }
  const Key* caller = nullptr;
  if (operation->is_signed) {
    SD_TRY(known, authenticate(world_, nonces_, call, now));
    caller = known;
  }
  if (auto refusal = ordered_refusal(effects)) return Err(std::move(*refusal));
  if (caller != nullptr && !operation->right.empty() && !caller->rights.allow(operation->right)) {
    return Err(api_error(caller->denied_with));
  }
  ApiContext context{world_, call, caller, effects, now.wall, ids_, read_file_, request_id};
  return operation->run(context);
}

}  // namespace sharedrift::simulator
