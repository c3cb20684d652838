#include "config/yaml_text_check.hpp"

#include "config/yaml_tree.hpp"
#include "core/text.hpp"

namespace sharedrift {

namespace {

// yaml-cpp 0.7.0 queues every token of a flow collection until it is closed or its line ends, 230 bytes each,
// before its own guard of the depth sees the first: 16 MB of `[` would cost 3.8 GB.
constexpr std::size_t kMaxFlowPerLine = 500'000;
constexpr std::size_t kMaxFlowOpen = 100'000;

class TextCheck {
 public:
  TextCheck(std::string_view text, DiagnosticList& problems) : text_(text), problems_(problems) {}

  bool run() {
    bool ok = text_.size() <= kMaxYamlBytes;
    if (!ok) problems_.add(0, 0, "", "is larger than 32 MiB");
    for (int line = 1; ok && !text_.empty(); ++line) {
      const std::size_t end = text_.find('\n');
      std::string_view content = text_.substr(0, end);
      text_.remove_prefix(end == std::string_view::npos ? text_.size() : end + 1);
      if (content.ends_with('\r')) content.remove_suffix(1);
      ok = is_fit(content, line) && is_bounded(content, line);
    }
    return ok;
  }

 private:
  bool is_fit(std::string_view content, int line) {
    if (is_printable_or_tab(content)) return true;
    const auto at = find_unsafe(content);
    if (!at) return true;
    problems_.add(line, static_cast<int>(*at) + 1, "",
                  is_valid_utf8(content) ? "holds a control character or one that turns the reading direction"
                                         : "is not valid UTF-8");
    return false;
  }

  bool is_bounded(std::string_view content, int line) {
    std::size_t in_line = 0;
    for (const char c : content) {
      if (c == '[' || c == '{') {
        ++open_;
      } else if (c == ']' || c == '}') {
        if (open_ > 0) --open_;
      } else if (c != ',') {
        continue;
      }
      ++in_line;
    }
    if (in_line <= kMaxFlowPerLine && open_ <= kMaxFlowOpen) return true;
    problems_.add(line, 1, "", "too many brackets and commas", "write lists and maps over several lines");
    return false;
  }

  std::string_view text_;
  DiagnosticList& problems_;
  std::size_t open_ = 0;
};

}  // namespace

bool is_fit_for_yaml(std::string_view text, DiagnosticList& problems) {
  return TextCheck(text, problems).run();
}

}  // namespace sharedrift
