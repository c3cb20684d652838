#pragma once

#include "core/text.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// A parser of metric pages that takes what the formats promise and nothing besides: tests of writers need a
/// reader that forgives nothing.
namespace sharedrift::testing {

struct ParsedSample {
  std::string name;
  std::vector<std::pair<std::string, std::string>> labels;  ///< unescaped, in the order of the page
  std::string number;
  double value = 0;

  [[nodiscard]] std::string label(std::string_view key) const {
    for (const auto& [name_of_label, text] : labels) {
      if (name_of_label == key) return text;
    }
    return {};
  }
  [[nodiscard]] std::string label_names() const {
    std::string out;
    for (const auto& [key, text] : labels)
      out += (out.empty() ? "" : ",") + key;
    return out;
  }
};

struct ParsedFamily {
  std::string name;  ///< as its TYPE line has it
  std::string type;
  std::string help;
  std::vector<ParsedSample> samples;
};

/// Throws std::runtime_error with the line that is wrong.
class ExpositionParser {
 public:
  static std::vector<ParsedFamily> parse(std::string_view page, bool openmetrics) {
    ExpositionParser parser(openmetrics);
    parser.read(page);
    return std::move(parser.families_);
  }

 private:
  explicit ExpositionParser(bool openmetrics) : openmetrics_(openmetrics) {}

  [[noreturn]] void fail(const std::string& why) const {
    throw std::runtime_error("line " + std::to_string(number_) + ": " + why + ": " + std::string(line_));
  }

  void read(std::string_view page) {
    if (!is_valid_utf8(page)) fail("not UTF-8");
    while (!page.empty()) {
      const std::size_t end = page.find('\n');
      if (end == std::string_view::npos) fail("the page does not end with a line end");
      line_ = page.substr(0, end);
      page.remove_prefix(end + 1);
      ++number_;
      if (ended_) fail("text after the end mark");
      read_line();
    }
    finish_family();
    if (openmetrics_ != ended_) fail("the end mark is missing, or there is one in a format without");
  }

  void read_line() {
    if (line_ == "# EOF") {
      ended_ = true;
    } else if (line_.substr(0, 7) == "# HELP ") {
      finish_family();
      const auto [name, help] = split_word(line_.substr(7));
      if (help.empty()) fail("no help");
      if (!names_.insert(name).second) fail("a family twice");
      check_name(name);
      families_.push_back({name, "", help, {}});
    } else if (line_.substr(0, 7) == "# TYPE ") {
      const auto [name, type] = split_word(line_.substr(7));
      if (families_.empty() || families_.back().name != name || !families_.back().type.empty()) {
        fail("a TYPE line out of place");
      }
      if (type != "gauge" && type != "counter" && type != "histogram") fail("unknown type");
      families_.back().type = type;
    } else {
      read_sample();
    }
  }

  void read_sample() {
    if (families_.empty() || families_.back().type.empty()) fail("a sample without a head");
    ParsedSample sample;
    std::size_t at = 0;
    while (at < line_.size() && line_[at] != '{' && line_[at] != ' ')
      ++at;
    sample.name = line_.substr(0, at);
    check_name(sample.name);
    if (at < line_.size() && line_[at] == '{') at = read_labels(at + 1, sample);
    if (at >= line_.size() || line_[at] != ' ') fail("one blank must come before the value");
    sample.number = line_.substr(at + 1);
    sample.value = check_number(sample.number);
    ParsedFamily& family = families_.back();
    check_belongs(family, sample);
    auto identity = sample.labels;
    std::sort(identity.begin(), identity.end());
    identity.emplace_back("", sample.name);
    if (!series_.insert(identity).second) fail("a series twice");
    family.samples.push_back(std::move(sample));
  }

  std::size_t read_labels(std::size_t at, ParsedSample& sample) {
    std::set<std::string> seen;
    while (true) {
      const std::size_t equals = line_.find("=\"", at);
      if (equals == std::string_view::npos) fail("a label without a value");
      std::string name{line_.substr(at, equals - at)};
      if (name.empty() || name.find_first_not_of(kNameCharacters) != std::string::npos ||
          std::isdigit(static_cast<unsigned char>(name[0])) != 0) {
        fail("a bad label name");
      }
      if (!seen.insert(name).second) fail("a label twice");
      std::string value;
      at = equals + 2;
      for (; at < line_.size() && line_[at] != '"'; ++at) {
        if (line_[at] != '\\') {
          value += line_[at];
          continue;
        }
        if (++at >= line_.size()) fail("a cut escape");
        if (line_[at] != 'n' && line_[at] != '\\' && line_[at] != '"') fail("an unknown escape");
        value += line_[at] == 'n' ? '\n' : line_[at];
      }
      if (at >= line_.size()) fail("an open label value");
      sample.labels.emplace_back(std::move(name), std::move(value));
      if (++at >= line_.size()) fail("open labels");
      if (line_[at] == '}') return at + 1;
      if (line_[at] != ',') fail("labels without a comma between them");
      ++at;
    }
  }

  [[nodiscard]] double check_number(const std::string& text) const {
    std::size_t at = text.empty() || text[0] != '-' ? 0 : 1;
    const auto digits = [&text, &at] {
      const std::size_t from = at;
      while (at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) != 0)
        ++at;
      return at > from;
    };
    bool good = digits();
    if (good && at < text.size() && text[at] == '.') {
      ++at;
      good = digits();
    }
    if (good && at < text.size() && text[at] == 'e') {
      ++at;
      if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
      good = digits();
    }
    if (!good || at != text.size()) fail("not a finite decimal number, or more than one");
    return std::strtod(text.c_str(), nullptr);
  }

  void check_belongs(const ParsedFamily& family, const ParsedSample& sample) const {
    const std::string suffix =
        sample.name.size() > family.name.size() ? sample.name.substr(family.name.size()) : "";
    if (sample.name.compare(0, family.name.size(), family.name) != 0) fail("a sample of another family");
    if (family.type == "gauge" && !suffix.empty()) fail("a gauge with a suffix");
    if (family.type == "counter") {
      if (openmetrics_ ? suffix != "_total" : !suffix.empty() || !sample.name.ends_with("_total")) {
        fail("a counter without _total");
      }
      if (sample.value < 0) fail("a negative counter");
    }
    if (family.type == "histogram") {
      if (suffix != "_bucket" && suffix != "_sum" && suffix != "_count") fail("a histogram's suffix");
      if (suffix == "_bucket") {
        const std::string bound = sample.label("le");
        if (bound != "+Inf" &&
            (!std::isfinite(check_number(bound)) || bound.find('.') == std::string::npos)) {
          fail("a bound that is not canonical");
        }
      }
    }
  }

  void finish_family() {
    if (families_.empty()) return;
    const ParsedFamily& family = families_.back();
    if (family.type.empty() || family.samples.empty()) fail("the family before has no type or no samples");
    if (family.type == "histogram") check_histogram(family);
  }

  void check_histogram(const ParsedFamily& family) const {
    std::map<std::string, double> last;
    std::map<std::string, bool> closed;
    for (const ParsedSample& sample : family.samples) {
      std::string who;
      for (const auto& [key, value] : sample.labels) {
        if (key != "le") who.append(key).append("=").append(value).append(";");
      }
      if (sample.name.ends_with("_bucket")) {
        if (sample.value < last[who]) fail("buckets that do not add up");
        last[who] = sample.value;
        closed[who] = sample.label("le") == "+Inf";
      } else if (sample.name.ends_with("_count") && (!closed[who] || sample.value != last[who])) {
        fail("a count that is not the last bucket");
      }
    }
  }

  static std::pair<std::string, std::string> split_word(std::string_view text) {
    const std::size_t blank = text.find(' ');
    if (blank == std::string_view::npos) return {std::string(text), ""};
    return {std::string(text.substr(0, blank)), std::string(text.substr(blank + 1))};
  }
  void check_name(const std::string& name) const {
    if (name.empty() || name.find_first_not_of(kNameCharacters) != std::string::npos ||
        std::isdigit(static_cast<unsigned char>(name[0])) != 0) {
      fail("a bad metric name");
    }
  }

  static constexpr std::string_view kNameCharacters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
  bool openmetrics_;
  bool ended_ = false;
  std::size_t number_ = 0;
  std::string_view line_;
  std::set<std::string> names_;
  std::set<std::vector<std::pair<std::string, std::string>>> series_;
  std::vector<ParsedFamily> families_;
};

inline const ParsedFamily* find_family(const std::vector<ParsedFamily>& page, std::string_view name) {
  const auto found =
      std::find_if(page.begin(), page.end(), [name](const ParsedFamily& f) { return f.name == name; });
  return found == page.end() ? nullptr : &*found;
}
/// The samples of a family that has to be there only if there are any.
inline std::vector<ParsedSample> samples_of(const std::vector<ParsedFamily>& page, std::string_view name) {
  const ParsedFamily* family = find_family(page, name);
  return family == nullptr ? std::vector<ParsedSample>{} : family->samples;
}

/// What a text page is in OpenMetrics: heads name counters without their ending, and there is an end mark.
inline std::string as_openmetrics(const std::string& text) {
  std::istringstream lines(text);
  std::string out;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t ending = line.starts_with('#') ? line.find("_total ") : std::string::npos;
    if (ending != std::string::npos) line.erase(ending, 6);
    out += line + "\n";
  }
  return out + "# EOF\n";
}

}  // namespace sharedrift::testing
