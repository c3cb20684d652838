#include "log/log_record.hpp"

#include "core/text.hpp"
#include "wire/field_json.hpp"

#include <algorithm>
#include <cmath>
#include <variant>
#include <vector>

namespace sharedrift {

namespace {

/// A word that logfmt readers take without quotes.
bool is_bare(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c < '\x7f' && c != '"' && c != '=' && c != '\\';
  });
}

void append_logfmt(std::string& out, const FieldValue& value) {
  const double* number = std::get_if<double>(&value);
  const std::string text = number != nullptr && !std::isfinite(*number) ? "null" : to_text(value);
  if (is_bare(text)) {
    out += text;
  } else {
    append_json_string(out, text);
  }
}

}  // namespace

void append_record(std::string& out, LogFormat format, const Event& event) {
  std::vector<Field> record = record_of(event);
  for (Field& field : record) {
    auto* text = std::get_if<std::string>(&field.value);
    if (text != nullptr && text->size() > kMaxLoggedBytes) *text = clean(*text, kMaxLoggedBytes);
  }
  if (format == LogFormat::json) {
    out += fields_to_json(record, true);
    return;
  }
  for (const Field& field : record) {
    out.append(field.key).append("=");
    append_logfmt(out, field.value);
    out += ' ';
  }
  out.pop_back();
}

}  // namespace sharedrift
