#include "log/log_record.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <cmath>
#include <variant>

namespace sharedrift {

namespace {

/// A word that logfmt readers take without quotes.
bool is_bare(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c < '\x7f' && c != '"' && c != '=' && c != '\\';
  });
}

void append_text(std::string& out, LogFormat format, std::string_view text) {
  std::string cut;
  if (text.size() > kMaxLoggedBytes) {
    cut = clean(text, kMaxLoggedBytes);
    text = cut;
  }
  if (format == LogFormat::logfmt && is_bare(text)) {
    out += text;
  } else {
    append_json_string(out, text);
  }
}

void append_value(std::string& out, LogFormat format, const FieldValue& value) {
  if (std::holds_alternative<std::string>(value)) {
    append_text(out, format, std::get<std::string>(value));
  } else if (std::holds_alternative<WallTime>(value)) {
    append_text(out, format, to_text(value));
  } else if (const double* number = std::get_if<double>(&value);
             number != nullptr && !std::isfinite(*number)) {
    out += "null";
  } else {
    out += to_text(value);
  }
}

void append_field(std::string& out, LogFormat format, std::string_view key, const FieldValue& value) {
  if (format == LogFormat::json) {
    out += out.back() == '{' ? "" : ",";
    append_json_string(out, key);
    out += ':';
  } else {
    out.append(key).append("=");
  }
  append_value(out, format, value);
  if (format == LogFormat::logfmt) out += ' ';
}

}  // namespace

void append_record(std::string& out, LogFormat format, const Event& event) {
  if (format == LogFormat::json) out += '{';
  for (const Field& field : record_of(event))
    append_field(out, format, field.key, field.value);
  if (format == LogFormat::json) {
    out += '}';
  } else {
    out.pop_back();
  }
}

}  // namespace sharedrift
