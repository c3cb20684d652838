#include "metrics/negotiation.hpp"

#include "core/number.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace sharedrift {

namespace {

/// A member of a list header: `name;version=1.0.0;q=0.5`, in lower case and without blanks.
struct Preference {
  std::string name;
  std::string version;
  double weight = 1;
};

/// A weight that cannot be read is no wish at all.
double parse_weight(std::string_view text) {
  const double value = parse_number<double>(text).value_or(0);
  return value >= 0 && value <= 1 ? value : 0;
}

std::string_view next_part(std::string_view& rest, char separator) {
  const std::size_t end = std::min(rest.find(separator), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

std::vector<Preference> parse_preferences(std::string_view header) {
  std::string text = to_lower(header);
  std::erase_if(text, [](char c) { return c == ' ' || c == '\t' || c == '"'; });
  std::vector<Preference> out;
  for (std::string_view rest = text; !rest.empty();) {
    std::string_view member = next_part(rest, ',');
    Preference wanted{std::string(next_part(member, ';')), {}};
    while (!member.empty()) {
      std::string_view value = next_part(member, ';');
      const std::string_view key = next_part(value, '=');
      if (key == "version") wanted.version = value;
      if (key == "q") wanted.weight = parse_weight(value);
    }
    out.push_back(std::move(wanted));
  }
  return out;
}

}  // namespace

TextFormat negotiate_format(std::string_view accept) {
  double openmetrics = 0;
  double text = 0;
  for (const auto& [name, version, weight] : parse_preferences(accept)) {
    if (name == "application/openmetrics-text" && (version.empty() || version == "1.0.0")) {
      openmetrics = std::max(openmetrics, weight);
    } else if (name == "text/plain" && (version.empty() || version == "0.0.4")) {
      text = std::max(text, weight);
    }
  }
  return openmetrics > 0 && openmetrics >= text ? TextFormat::openmetrics : TextFormat::prometheus;
}

Encoding negotiate_encoding(std::string_view accept_encoding) {
  std::optional<double> gzip;
  std::optional<double> identity;
  double any = 0;
  for (const auto& [name, version, weight] : parse_preferences(accept_encoding)) {
    if (name == "gzip" || name == "x-gzip") gzip = weight;
    if (name == "identity") identity = weight;
    if (name == "*") any = weight;
  }
  const double weight = gzip.value_or(any);
  return weight > 0 && weight >= identity.value_or(0) ? Encoding::gzip : Encoding::identity;
}

}  // namespace sharedrift
