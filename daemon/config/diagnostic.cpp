#include "config/diagnostic.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <tuple>

namespace sharedrift {

namespace {

/// Turns byte columns into columns of characters. `sorted` is in the order of the file.
void count_characters(std::vector<Diagnostic>& sorted, std::string_view text) {
  int line = 1;
  std::size_t start = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  for (Diagnostic& d : sorted) {
    while (line < d.line) {
      const std::size_t end = text.find('\n', start);
      if (end == std::string_view::npos) return;
      start = end + 1;
      ++line;
    }
    if (d.column < 1) continue;
    const std::string_view before = text.substr(start, static_cast<std::size_t>(d.column - 1));
    const auto continued = std::count_if(
        before.begin(), before.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80; });
    d.column -= static_cast<int>(continued);
  }
}

}  // namespace

std::string to_string(const Diagnostic& d) {
  std::string out = d.file;
  if (d.line > 0) out += ':' + std::to_string(d.line) + ':' + std::to_string(d.column);
  out += d.warning ? ": warning: " : ": ";
  if (!d.path.empty()) out += d.path + ": ";
  out += d.message;
  if (!d.hint.empty()) out += " (" + d.hint + ")";
  return out;
}

std::string to_lines(const std::vector<Diagnostic>& diagnostics) {
  std::string out;
  for (const Diagnostic& diagnostic : diagnostics)
    out += to_string(diagnostic) + "\n";
  return out;
}

std::string summary(const std::vector<Diagnostic>& diagnostics) {
  constexpr std::size_t kShown = 5;
  constexpr std::size_t kLongest = 400;
  std::string out;
  for (std::size_t i = 0; i < std::min(kShown, diagnostics.size()); ++i)
    out += (i > 0 ? "; " : "") + clean(to_string(diagnostics[i]), kLongest);
  if (diagnostics.size() > kShown) out += "; and " + std::to_string(diagnostics.size() - kShown) + " more";
  return out;
}

namespace {

/// How many characters are of another kind than the one before: upper case, lower case, digit. In a random
/// text six of ten are, in a name only those where a word or a number begins.
std::size_t changes_of_kind(std::string_view text) {
  const auto kind = [](char c) { return c >= '0' && c <= '9' ? 0 : c >= 'A' && c <= 'Z' ? 1 : 2; };
  std::size_t changes = 0;
  for (std::size_t i = 1; i < text.size(); ++i)
    changes += kind(text[i]) != kind(text[i - 1]) ? 1U : 0U;
  return changes;
}

}  // namespace

std::string without_secrets(std::string_view text) {
  constexpr std::size_t kShortest = 20;
  constexpr std::string_view kUpper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  constexpr std::string_view kLower = "abcdefghijklmnopqrstuvwxyz";
  constexpr std::string_view kDigits = "0123456789";
  constexpr std::string_view kOfKeys = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+=";
  std::string out;
  while (!text.empty()) {
    const std::string_view run = text.substr(0, std::min(text.find_first_not_of(kOfKeys), text.size()));
    const bool secret = run.size() >= kShortest && changes_of_kind(run) * 5 >= run.size() * 2 &&
                        run.find_first_of(kUpper) != run.npos && run.find_first_of(kLower) != run.npos &&
                        run.find_first_of(kDigits) != run.npos;
    out += secret ? "***" : run;
    text.remove_prefix(run.size());
    const std::size_t between = std::min(text.find_first_of(kOfKeys), text.size());
    out += text.substr(0, between);
    text.remove_prefix(between);
  }
  return out;
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kShown = 60;
  return '"' + clean(without_secrets(text), kShown) + '"';
}

Diagnostic& DiagnosticList::add(int line, int column, std::string path, std::string message,
                                std::string hint) {
  return found_.emplace_back(
      Diagnostic{file_, line, column, std::move(path), std::move(message), std::move(hint)});
}

std::vector<Diagnostic> DiagnosticList::take(std::string_view text) {
  std::stable_sort(found_.begin(), found_.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return std::tie(a.line, a.column) < std::tie(b.line, b.column);
  });
  if (found_.size() > kMost) {
    const std::size_t left_out = found_.size() - kMost;
    found_.resize(kMost);
    found_.push_back({file_, 0, 0, "", std::to_string(left_out) + " more are not shown", ""});
  }
  count_characters(found_, text);
  return std::exchange(found_, {});
}

}  // namespace sharedrift
