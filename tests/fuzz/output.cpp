/// Everything we write that others read again: metric pages, log lines, JSON, the status page. Whatever the
/// strings hold, a strict reader gets the same strings back, and one record is one line.
#include "app/report.hpp"
#include "core/text.hpp"
#include "fuzz.hpp"
#include "log/log_record.hpp"
#include "metrics/exposition.hpp"
#include "support/exposition_parser.hpp"
#include "support/page.hpp"
#include "support/views.hpp"
#include "web/status_page.hpp"
#include "web/web_json.hpp"

#include <exception>

#include <nlohmann/json.hpp>

namespace sharedrift::fuzz {
namespace {

using Json = nlohmann::json;
constexpr WallTime kNow{Millis{1'795'000'000'000}};

Json parse(std::string_view text, std::string_view what) {
  Json made = Json::parse(text, nullptr, false);
  require(!made.is_discarded(), what, text);
  return made;
}

ViewPtr make_view(Fields& fields) {
  ImagePolicy policy{*ImageId::parse("m-1")};
  policy.name = fields.next();
  policy.team = fields.next();
  policy.severity = fields.next();
  policy.profile = fields.next();
  policy.exceptions.push_back(
      {testing::account_number(2), kNow, fields.next(), fields.next(), fields.next()});
  auto view = std::make_shared<ImageView>(*testing::a_view("m-1"));
  view->drifts.push_back(testing::a_drift(1, DriftKind::unexpected, kNow));
  view->policy = std::make_shared<const ImagePolicy>(std::move(policy));
  Failure failure;
  failure.detail = fields.next();
  failure.code = fields.next();
  view->last_failure = std::make_shared<const Failure>(std::move(failure));
  view->state = ImageState::incomplete;
  return view;
}

void check_pages(const Fleet& fleet, const std::string& account_name) {
  ViewStore views;
  for (const ViewPtr& view : fleet.views)
    views.publish(view);
  views.set_account_names(*fleet.account_names);
  Exposition exposition(views);
  for (const TextFormat format : {TextFormat::prometheus, TextFormat::openmetrics}) {
    const std::string page = testing::page_of(exposition, format);
    std::vector<testing::ParsedFamily> families;
    try {
      families = testing::ExpositionParser::parse(page, format == TextFormat::openmetrics);
    } catch (const std::exception& error) {
      require(false, error.what(), page);
    }
    const auto info = testing::samples_of(families, "share_drift_image_info");
    require(info.size() == 1, "an image has one info series", page);
    const std::string& name = fleet.views.front()->policy->name;
    require(!is_valid_utf8(name) || info[0].label("image_name") == name, "a label reads back", page);
    const auto since = testing::samples_of(families, "share_drift_account_since_timestamp_seconds");
    require(since.size() == 1, "a drift has one series", page);
    require(!is_valid_utf8(account_name) || since[0].label("account_name") == account_name,
            "a name reads back", page);
  }
}

/// Reads logfmt as its readers do: words, or strings as in JSON. Returns the values by their keys.
Json read_logfmt(std::string_view line) {
  Json out = Json::object();
  std::string_view rest = line;
  while (!rest.empty()) {
    const std::size_t equals = rest.find('=');
    require(equals != std::string_view::npos && equals > 0, "a key has a value", line);
    const std::string key(rest.substr(0, equals));
    require(key.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string::npos, "keys are ours", line);
    require(!out.contains(key), "a key comes once", line);
    rest.remove_prefix(equals + 1);
    std::size_t end = 0;
    if (rest.starts_with('"')) {
      for (end = 1; end < rest.size() && rest[end] != '"'; ++end)
        end += rest[end] == '\\' ? 1U : 0U;
      require(end < rest.size(), "a string ends", line);
      ++end;
      out[key] = parse(rest.substr(0, end), "a string is one as in JSON");
    } else {
      end = std::min(rest.find(' '), rest.size());
      out[key] = std::string(rest.substr(0, end));
    }
    rest.remove_prefix(end);
    require(rest.empty() || rest[0] == ' ', "a blank is between two fields", line);
    rest.remove_prefix(std::min<std::size_t>(1, rest.size()));
  }
  return out;
}

void check_log(const std::string& name, const std::string& first, const std::string& second) {
  const Event event{EventType::config_rejected,
                    kNow,
                    "",
                    {{"a", first}, {"count", std::int64_t{7}}, {"b", second}, {"file", name}, {"end", true}}};
  for (const LogFormat format : {LogFormat::logfmt, LogFormat::json}) {
    std::string line;
    append_record(line, format, event);
    require_one_line(line, "a record is one line");
    require(is_valid_utf8(line), "a record is UTF-8", line);
    for (const std::string_view turner :
         {"\xe2\x80\xae", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x81\xa6", "\xc2\x9b"})
      require(line.find(turner) == std::string::npos, "nothing in a record moves or turns text", line);
    const Json read = format == LogFormat::json ? parse(line, "a record is JSON") : read_logfmt(line);
    require(read.size() == 9, "a record has its fields and no other", line);
    if (first.size() <= kMaxLoggedBytes && is_valid_utf8(first))
      require(read["a"] == first, "a field reads back", line);
    if (second.size() <= kMaxLoggedBytes && is_valid_utf8(second))
      require(read["b"] == second, "a field reads back", line);
    require(read["end"] == (format == LogFormat::json ? Json(true) : Json("true")), "the end is the end",
            line);
  }
}

std::size_t count(std::string_view text, std::string_view what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1))
    ++found;
  return found;
}

void check_documents(const Fleet& fleet, const std::string& text) {
  const WallTime at = kNow;
  const auto written = [](const auto& write) {
    AnswerWriter out(false);
    write(out);
    std::string whole;
    for (const auto& piece : out.finish().pieces)
      whole += *piece;
    return whole;
  };
  const auto data = [&](const char* what, const auto& write) {
    return parse(written(write), what).at("data");
  };
  require(data("images are JSON", [&](auto& out) { write_images(out, fleet, at); }).size() == 1, "one image",
          text);
  data("an image is JSON",
       [&](auto& out) { write_image(out, *fleet.views.front(), *fleet.account_names, at); });
  require(data("drift is JSON", [&](auto& out) { write_drift(out, fleet); }).size() == 1, "one drift", text);
  data("events are JSON", [&](auto& out) {
    write_events(out, {{EventType::drift_opened, kNow, "m-1", {{"a", text}}}});
  });
  parse(json_error("bad_data", text), "an error is JSON");
  const ReportInput input{fleet.views, *fleet.account_names, "f.yml", at};
  parse(report_json(input), "a report is JSON");
  parse(report_sarif(input), "SARIF is JSON");
  const std::string page = written([&](auto& out) { write_status_page(out, fleet, {at, "/metrics"}); });
  Fleet plain = fleet;
  plain.views = {testing::a_view("m-1")};
  require(is_valid_utf8(page), "a page is UTF-8", page);
  const std::string own = written([&](auto& out) { write_status_page(out, plain, {at, "/metrics"}); });
  for (const std::string_view tag : {"<script", "<img", "<svg", "<iframe", "<a href=\"java"})
    require(count(page, tag) <= count(own, tag), "no tag comes from outside", page);
}

void check(std::string_view bytes) {
  Fields fields(bytes);
  const std::string event = fields.next();
  const std::string first = fields.next();
  const std::string second = fields.next();
  const std::string account_name = fields.next();
  Fleet fleet;
  fleet.views = {make_view(fields)};
  fleet.account_names =
      std::make_shared<const AccountNames>(AccountNames{{testing::account_number(1), account_name}});
  check_log(event, first, second);
  check_pages(fleet, account_name);
  check_documents(fleet, first);
}

}  // namespace
}  // namespace sharedrift::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 65536) return 0;
  sharedrift::fuzz::check(sharedrift::fuzz::as_text(data, size));
  return 0;
}
