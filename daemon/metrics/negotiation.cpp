#include "metrics/negotiation.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sharedrift {

namespace {

/// A member of a list header: `name;version=1.0.0;q=0.5`, in lower case and without blanks.
struct Preference {
  std::string name;
  std::vector<std::pair<std::string, std::string>> parameters;
  double weight = 1;

  [[nodiscard]] std::string_view parameter(std::string_view wanted) const {
    for (const auto& [key, value] : parameters) {
      if (key == wanted) return value;
    }
    return {};
  }
};

std::string_view next_part(std::string_view& rest, char separator) {
  const std::size_t end = std::min(rest.find(separator), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

/// A weight that cannot be read is no wish at all.
double parse_weight(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && value >= 0 && value <= 1 ? value : 0;
}

std::vector<Preference> parse_preferences(std::string_view header) {
  std::string text;
  for (const char c : header) {
    if (c == ' ' || c == '\t' || c == '"') continue;
    text += to_lower(c);
  }
  std::vector<Preference> out;
  std::string_view rest = text;
  while (!rest.empty()) {
    std::string_view member = next_part(rest, ',');
    Preference preference;
    preference.name = next_part(member, ';');
    while (!member.empty()) {
      std::string_view value = next_part(member, ';');
      const std::string key(next_part(value, '='));
      if (key == "q") preference.weight = parse_weight(value);
      preference.parameters.emplace_back(key, value);
    }
    if (!preference.name.empty()) out.push_back(std::move(preference));
  }
  return out;
}

}  // namespace

TextFormat negotiate_format(std::string_view accept) {
  double openmetrics = 0;
  double text = 0;
  for (const Preference& wanted : parse_preferences(accept)) {
    const std::string_view version = wanted.parameter("version");
    if (wanted.name == "application/openmetrics-text" && (version.empty() || version == "1.0.0")) {
      openmetrics = std::max(openmetrics, wanted.weight);
    } else if (wanted.name == "text/plain" && (version.empty() || version == "0.0.4")) {
      text = std::max(text, wanted.weight);
    }
  }
  return openmetrics > 0 && openmetrics >= text ? TextFormat::openmetrics : TextFormat::prometheus;
}

Encoding negotiate_encoding(std::string_view accept_encoding) {
  std::optional<double> gzip;
  std::optional<double> identity;
  double any = 0;
  for (const Preference& wanted : parse_preferences(accept_encoding)) {
    if (wanted.name == "gzip" || wanted.name == "x-gzip") gzip = wanted.weight;
    if (wanted.name == "identity") identity = wanted.weight;
    if (wanted.name == "*") any = wanted.weight;
  }
  const double weight = gzip.value_or(any);
  return weight > 0 && weight >= identity.value_or(0) ? Encoding::gzip : Encoding::identity;
}

}  // namespace sharedrift
