#include "simulator/fault.hpp"

#include "simulator/json_args.hpp"

#include <algorithm>
#include <array>
#include <span>

#include <nlohmann/json.hpp>

namespace sharedrift::simulator {

namespace {

using nlohmann::json;

/// A parameter of a kind. With `choices`: a text of those, the first by default. Else with max > min: a
/// number. Else a text with `fallback`.
struct Parameter {
  std::string_view name;
  std::int64_t min = 0;
  std::int64_t max = 0;
  std::int64_t number = 0;
  std::string_view choices{};
  std::string_view fallback{};
  bool required = false;

  [[nodiscard]] bool is_number() const { return max > min; }
};

struct Kind {
  FaultKind kind;
  std::string_view name;
  std::string_view does;
  std::array<Parameter, 4> parameters{};

  [[nodiscard]] std::span<const Parameter> used() const {
    const auto end =
        std::find_if(parameters.begin(), parameters.end(), [](const Parameter& p) { return p.name.empty(); });
    return {parameters.begin(), end};
  }
};

constexpr Parameter number_of(std::string_view name, std::int64_t min, std::int64_t max,
                              std::int64_t fallback) {
  return {.name = name, .min = min, .max = max, .number = fallback};
}
constexpr Parameter choice_of(std::string_view name, std::string_view choices) {
  return {.name = name, .choices = choices};
}
constexpr Parameter text_of(std::string_view name, std::string_view fallback) {
  return {.name = name, .fallback = fallback};
}
constexpr Parameter required_text(std::string_view name) {
  return {.name = name, .required = true};
}

using enum FaultKind;
constexpr std::array kKinds{
    Kind{latency,
         "latency",
         "waits before it answers",
         {number_of("ms", 0, 600'000, 1'000), number_of("jitter_ms", 0, 600'000, 0)}},
    Kind{clock_skew,
         "clock_skew",
         "adds to the server's clock and the Date header",
         {number_of("seconds", -3'000'000'000, 3'000'000'000, 1'200)}},
    Kind{html, "html", "a gateway's HTML page", {number_of("status", 200, 599, 502)}},
    Kind{empty_body, "empty_body", "no body at all", {number_of("status", 200, 599, 200)}},
    Kind{redirect,
         "redirect",
         "sends the client elsewhere",
         {number_of("status", 300, 399, 302), text_of("location", "http://127.0.0.1:9/")}},
    Kind{reset,
         "reset",
         "resets the connection after some bytes of the answer",
         {number_of("bytes", 0, 1'000'000, 0)}},
    Kind{throttle,
         "throttle",
         "refuses for flow control; with per_second only what exceeds it",
         {text_of("code", "Throttling.User"), number_of("status", 400, 599, 400),
          number_of("retry_after_ms", 0, 86'400'000, 0), number_of("per_second", 0, 1'000'000, 0)}},
    Kind{error,
         "error",
         "refuses with a code; status 0 and an empty message mean the documented ones",
         {required_text("code"), number_of("status", 0, 599, 0), text_of("message", "")}},
    Kind{server_error,
         "server_error",
         "the service fails",
         {number_of("status", 500, 599, 500), text_of("code", "")}},
    Kind{total_count,
         "total_count",
         "TotalCount lies",
         {number_of("delta", -1'000'000'000, 1'000'000'000, 1)}},
    Kind{total_form,
         "total_form",
         "writes TotalCount another way, or not at all",
         {choice_of("form", "string|omit|null|float")}},
    Kind{shift,
         "shift",
         "changes the image's share list after each page that is not the last",
         {choice_of("change", "delete|insert|swap")}},
    Kind{repeat_page,
         "repeat_page",
         "answers each later page with the rows of this one",
         {number_of("page", 1, 1'000'000, 1)}},
    Kind{echo,
         "echo",
         "echoes something else than was asked; empty and 0 mean as asked",
         {text_of("image_id", ""), number_of("page_number", 0, 1'000'000, 0),
          number_of("page_size", 0, 1'000'000, 0)}},
    Kind{small_pages,
         "small_pages",
         "uses smaller pages than asked",
         {number_of("size", 1, 100, 10), choice_of("echo", "used|asked")}},
    Kind{
        accounts,
        "accounts",
        "gives Accounts another shape",
        {choice_of("shape", "missing|null|array|empty_array|empty_object|account_null|account_object|text")}},
    Kind{rows,
         "rows",
         "writes rows another way",
         {choice_of("form", "strings|numbers|numeric_uid|aliyun_id|numeric_aliyun_id|pseudo_json")}},
    Kind{garbage_rows,
         "garbage_rows",
         "adds rows that mean nothing, or puts them in place of the real ones",
         {choice_of("form", "null|empty_object|letters|negative|float|list|long_id|blank"),
          number_of("rows", 1, 1'000, 1), choice_of("mode", "add|replace")}},
    Kind{duplicate_keys,
         "duplicate_keys",
         "writes a key twice with different values",
         {choice_of("name", "TotalCount|Accounts|ImageId|AliyunUid")}},
    Kind{bad_text,
         "bad_text",
         "puts unsafe bytes into a string of the listing",
         {choice_of("form", "invalid_utf8|nul|bidi|newline|escape"),
          choice_of("where", "request_id|image|account")}},
    Kind{deep, "deep", "nests JSON without measure", {number_of("depth", 1, 10'000'000, 100'000)}},
    Kind{lying_empty, "lying_empty", "says that an image is shared with nobody", {}},
    Kind{hide,
         "hide",
         "leaves one account out",
         {required_text("account"), choice_of("total", "adjusted|kept")}},
    Kind{code_on_success,
         "code_on_success",
         "adds a Code to an answer with status 200; digits become a number",
         {text_of("code", "NoPermission")}},
    Kind{inventory_shift,
         "inventory_shift",
         "changes the caller's images after each page of DescribeSelfImages that is not the last",
         {choice_of("change", "delete|insert|swap")}},
    Kind{trailing_tab, "trailing_tab", "ends codes with a TAB", {}},
    Kind{error_body,
         "error_body",
         "writes error bodies another way",
         {choice_of("form", "lower_case|xml|http_status|denied_detail")}},
    Kind{gzip, "gzip", "compresses, or only says so", {choice_of("form", "real|header_only")}},
    Kind{huge, "huge", "appends blanks to the body", {number_of("mb", 1, 1'024, 64)}},
    Kind{cut,
         "cut",
         "ends the body early",
         {number_of("percent", 0, 99, 50), choice_of("framing", "length|chunked|none")}},
    Kind{drip,
         "drip",
         "writes the answer bit by bit",
         {number_of("interval_ms", 1, 60'000, 500), number_of("bytes", 1, 1'000'000, 1)}},
    Kind{endless, "endless", "writes until the client leaves", {choice_of("framing", "chunked|none")}},
};

constexpr std::uint64_t kMaxFaults = 1'000;

const Kind& row_of(FaultKind kind) {
  return *std::find_if(kKinds.begin(), kKinds.end(), [kind](const Kind& k) { return k.kind == kind; });
}

bool is_listing_fault(FaultKind kind) {
  return kind >= total_count && kind <= code_on_success;
}

void read_parameter(JsonArgs& args, const Parameter& p, Fault& fault) {
  if (!p.choices.empty()) {
    fault.texts.emplace(p.name, args.choice(p.name, p.choices));
  } else if (p.is_number()) {
    fault.numbers.emplace(p.name, args.number(p.name, p.min, p.max, p.number));
  } else if (p.required) {
    fault.texts.emplace(p.name, args.text(p.name));
  } else {
    fault.texts.emplace(p.name, args.text(p.name, std::string(p.fallback)));
  }
}

/// Counts the request; true while a throttle with a rate lets it through.
bool within_rate(Fault& fault, MonoTime now) {
  if (fault.kind != throttle || fault.number("per_second") == 0) return false;
  if (now - fault.window >= std::chrono::seconds{1}) {
    fault.window = now;
    fault.in_window = 0;
  }
  return ++fault.in_window <= fault.number("per_second");
}

json description_of(const Parameter& p) {
  if (!p.choices.empty()) return p.choices;
  if (p.is_number()) return {{"min", p.min}, {"max", p.max}, {"default", p.number}};
  if (p.required) return "required";
  return {{"default", p.fallback}};
}

bool covers(const std::string& scope, std::string_view value) {
  return scope.empty() || scope == value;
}

}  // namespace

std::string_view name_of(FaultKind kind) {
  return row_of(kind).name;
}

std::optional<FaultKind> parse_fault_kind(std::string_view name) {
  const auto* row =
      std::find_if(kKinds.begin(), kKinds.end(), [name](const Kind& k) { return k.name == name; });
  if (row == kKinds.end()) return std::nullopt;
  return row->kind;
}

const Fault* Effects::find(FaultKind kind) const {
  const auto it = std::find_if(faults_.rbegin(), faults_.rend(),
                               [kind](const auto& fault) { return fault->kind == kind; });
  return it == faults_.rend() ? nullptr : it->get();
}

Result<std::uint64_t, std::string> FaultBoard::add(const json& spec) {
  JsonArgs args(spec, "fault");
  const std::string name = args.text("kind");
  const std::optional<FaultKind> kind = parse_fault_kind(name);
  if (!kind) {
    std::string known;
    for (const Kind& k : kKinds)
      known.append(known.empty() ? "" : ", ").append(k.name);
    args.fail("unknown kind '" + name + "'; known are: " + known);
    return Err(args.error().value_or(""));
  }
  auto fault = std::make_shared<Fault>();
  fault->kind = *kind;
  fault->scope = {args.text("image", ""), args.text("action", ""), args.text("key", "")};
  if (const std::int64_t count = args.number("count", 0, 1'000'000'000, 0); count > 0) {
    fault->remaining = static_cast<std::uint64_t>(count);
  }
  for (const Parameter& p : row_of(*kind).used())
    read_parameter(args, p, *fault);
  if (faults_.size() >= kMaxFaults) args.fail("too many faults; clear some");
  if (const std::optional<std::string> problem = args.error()) return Err(*problem);
  fault->id = next_id_++;
  faults_.push_back(std::move(fault));
  return faults_.back()->id;
}

std::size_t FaultBoard::clear(std::optional<std::uint64_t> id, std::optional<FaultKind> kind) {
  return std::erase_if(faults_, [&](const std::shared_ptr<Fault>& fault) {
    return (!id || fault->id == *id) && (!kind || fault->kind == *kind);
  });
}

Effects FaultBoard::strike(std::string_view image, std::string_view action, std::string_view key,
                           MonoTime now) {
  Effects effects;
  bool used_up = false;
  for (const std::shared_ptr<Fault>& fault : faults_) {
    const FaultScope& scope = fault->scope;
    if (!covers(scope.image, image) || !covers(scope.action, action) || !covers(scope.key, key)) continue;
    if (is_listing_fault(fault->kind) && action != "DescribeImageSharePermission") continue;
    if (fault->kind == inventory_shift && action != "DescribeSelfImages") continue;
    if (within_rate(*fault, now)) continue;
    ++fault->hits;
    if (fault->remaining && --*fault->remaining == 0) used_up = true;
    effects.add(fault);
  }
  if (used_up) {
    std::erase_if(faults_, [](const auto& fault) { return fault->remaining && *fault->remaining == 0; });
  }
  return effects;
}

json FaultBoard::dump() const {
  json out = json::array();
  for (const std::shared_ptr<Fault>& fault : faults_) {
    json one = {{"id", fault->id}, {"kind", name_of(fault->kind)}, {"hits", fault->hits}};
    if (!fault->scope.image.empty()) one["image"] = fault->scope.image;
    if (!fault->scope.action.empty()) one["action"] = fault->scope.action;
    if (!fault->scope.key.empty()) one["key"] = fault->scope.key;
    if (fault->remaining) one["count"] = *fault->remaining;
    for (const auto& [name, value] : fault->numbers)
      one[name] = value;
    for (const auto& [name, value] : fault->texts)
      one[name] = value;
    out.push_back(std::move(one));
  }
  return out;
}

json FaultBoard::kinds() {
  json out = json::array();
  for (const Kind& kind : kKinds) {
    json parameters = json::object();
    for (const Parameter& p : kind.used()) {
      parameters[std::string(p.name)] = description_of(p);
    }
    out.push_back({{"kind", kind.name}, {"does", kind.does}, {"parameters", std::move(parameters)}});
  }
  return out;
}

}  // namespace sharedrift::simulator
