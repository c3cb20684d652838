#include "doctor/report.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <map>

namespace sharedrift {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::array kStandings{Standing::blind, Standing::differs, Standing::not_seen, Standing::as_assumed};

std::string_view name_of(Standing standing) {
  switch (standing) {
    case Standing::blind: return "blind";
    case Standing::differs: return "differs";
    case Standing::not_seen: return "not seen";
    case Standing::as_assumed: return "as assumed";
  }
  return "not seen";
}

std::size_t count(const Examination& found, Standing standing) {
  return static_cast<std::size_t>(
      std::count_if(found.diagnoses.begin(), found.diagnoses.end(),
                    [standing](const Diagnosis& d) { return d.answer.standing == standing; }));
}

/// `text` in lines of 80 columns, behind `column` blanks but for the first, which stands behind `head`.
std::string wrapped(std::string head, std::string_view text, std::size_t column) {
  constexpr std::size_t kWidth = 80;
  std::string out;
  std::string line = std::move(head);
  bool fresh = true;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    std::string_view part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!fresh && line.size() + 1 + part.size() > kWidth) {
      out += line + "\n";
      line.assign(column, ' ');
      fresh = true;
    }
    if (!fresh) line += ' ';
    while (line.size() + part.size() > kWidth) {  // a path or an address
      const std::size_t room = kWidth - line.size();
      out += line + std::string{part.substr(0, room)} + "\n";
      part.remove_prefix(room);
      line.assign(column, ' ');
    }
    line += part;
    fresh = false;
  }
  return out + line + "\n";
}

std::string headline(const Examination& found) {
  const std::size_t blind = count(found, Standing::blind);
  if (blind == 1) return "The exporter is blind here: 1 assumption fails.";
  if (blind > 1) return "The exporter is blind here: " + std::to_string(blind) + " assumptions fail.";
  if (count(found, Standing::differs) == 0) return "Everything that was seen is as the exporter assumes.";
  const bool asks = std::any_of(found.diagnoses.begin(), found.diagnoses.end(), [](const Diagnosis& d) {
    return d.answer.standing == Standing::differs && !d.answer.cure.empty();
  });
  return asks ? "The exporter works here, but something should be put right."
              : "The exporter copes with everything that was seen.";
}

/// Names and what was seen; one line for all of which the same was seen.
std::string brief_lines(const Examination& found, Standing standing) {
  std::vector<std::pair<std::string, std::string>> lines;
  for (const Diagnosis& d : found.diagnoses) {
    if (d.answer.standing != standing) continue;
    const auto same = std::find_if(lines.begin(), lines.end(),
                                   [&d](const auto& line) { return line.second == d.answer.seen; });
    if (same == lines.end() || standing == Standing::as_assumed) {
      lines.emplace_back(d.name, d.answer.seen);
    } else {
      same->first.append(", ").append(d.name);
    }
  }
  std::string out;
  for (const auto& [names, seen] : lines)
    out.append(wrapped("  ", std::string{names}.append(": ").append(seen), 4));
  return out;
}

/// Puts stand-ins in the place of ids: account ids are 12 digits or more, image ids begin with `m-`, request
/// ids and keys have forms of their own.
class StandIns {
 public:
  explicit StandIns(const std::set<std::string>& known) : known_(known.begin(), known.end()) {}

  std::string operator()(std::string_view text) {
    std::string out;
    while (!text.empty()) {
      const auto* const end = std::find_if_not(text.begin(), text.end(), in_word);
      const auto length = static_cast<std::size_t>(end - text.begin());
      std::string_view word = text.substr(0, length);
      const std::size_t dots =
          word.size() - word.find_last_not_of('.') - 1;  // the end of a sentence is no part of an id
      if (word.find_last_not_of('.') != word.npos) word.remove_suffix(dots);
      out += replaced(word);
      if (length == 0) out += text.front();
      text.remove_prefix(std::max<std::size_t>(length == 0 ? 1 : word.size(), 1));
    }
    return out;
  }

 private:
  static bool in_word(char c) { return is_alnum(c) || c == '-' || c == '_' || c == '.'; }
  std::string replaced(std::string_view word) {
    const std::string_view kind = kind_of(word);
    if (kind.empty()) return std::string{word};
    const auto [place, fresh] = names_.try_emplace(std::string{word}, "");
    if (fresh) place->second = std::string{kind} + "-" + std::to_string(++counts_[std::string{kind}]);
    return place->second;
  }
  [[nodiscard]] std::string_view kind_of(std::string_view word) const {
    constexpr std::size_t kShortestAccount = 12;
    constexpr std::size_t kUuid = 36;
    constexpr std::size_t kShortestKey = 16;
    const bool digits = !word.empty() && std::all_of(word.begin(), word.end(), is_digit);
    if (digits && word.size() >= kShortestAccount) return "account";
    if (word.starts_with("m-") && word.size() > 2) return "image";
    if (word.size() == kUuid && std::count(word.begin(), word.end(), '-') == 4) return "request";
    if (word.starts_with("STS.") || (word.starts_with("LTAI") && word.size() >= kShortestKey)) return "key";
    return known_.contains(word) ? "id" : "";
  }

  std::set<std::string, std::less<>> known_;
  std::map<std::string, std::string> names_;
  std::map<std::string, int> counts_;
};

}  // namespace

int exit_code(const Examination& found) {
  constexpr int kBlind = 3;
  if (count(found, Standing::blind) > 0) return kBlind;
  return count(found, Standing::differs) > 0 ? 1 : 0;
}

std::string doctor_text(const Examination& found, const std::string& target, const std::string& then) {
  constexpr std::size_t kColumn = 12;
  std::string out = wrapped("", headline(found), 0);
  std::string counts;
  for (const Standing standing :
       {Standing::as_assumed, Standing::differs, Standing::blind, Standing::not_seen}) {
    const std::size_t here = count(found, standing);
    if (here == 0) continue;
    counts += std::to_string(here) + " " +
              std::string{standing == Standing::differs && here > 1 ? "differ" : name_of(standing)} + ", ";
  }
  counts.replace(counts.size() - 2, 2, "; ");
  out += wrapped(
      "", counts + target + ", " + counted(static_cast<std::size_t>(found.requests), "request") + ".", 0);
  std::string next;
  for (const Standing standing : kStandings) {
    const bool brief = standing == Standing::as_assumed || standing == Standing::not_seen;
    if (count(found, standing) > 0) out += "\n" + std::string{name_of(standing)} + "\n";
    if (brief) {
      out += brief_lines(found, standing);
      continue;
    }
    for (const Diagnosis& d : found.diagnoses) {
      if (d.answer.standing != standing) continue;
      out += "  " + d.name + "\n" + wrapped("    assumed ", d.assumed, kColumn);
      out += wrapped("    seen    ", d.answer.seen, kColumn);
      if (!d.answer.consequence.empty()) out += wrapped("    so      ", d.answer.consequence, kColumn);
      if (!d.answer.cure.empty()) out += wrapped("    do      ", d.answer.cure, kColumn);
      if (next.empty()) next = d.answer.cure;
    }
  }
  if (next.empty())
    next = count(found, Standing::blind) > 0 ? "mend what makes it blind, then run doctor again" : then;
  return out + "\n" + wrapped("", "Next: " + next + ".", 0);
}

std::string doctor_json(const Examination& found, const std::set<std::string>& known,
                        std::string_view version, WallTime now) {
  StandIns stand_ins(known);
  Json json{{"tool", "share-drift-exporter doctor"},
            {"version", version},
            {"time", format_rfc3339(now)},
            {"exit_code", exit_code(found)},
            {"requests", found.requests}};
  json["findings"] = Json::array();
  for (const Diagnosis& d : found.diagnoses) {
    json["findings"].push_back({{"name", d.name},
                                {"standing", name_of(d.answer.standing)},
                                {"assumed", d.assumed},
                                {"seen", stand_ins(d.answer.seen)},
                                {"consequence", stand_ins(d.answer.consequence)},
                                {"cure", stand_ins(d.answer.cure)}});
  }
  json["behaviour"] = found.behaviour;
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace sharedrift
