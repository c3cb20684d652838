#include "web/runbook_html.hpp"

#include "web/html.hpp"
#include "web/status_assets.hpp"

#include <algorithm>
#include <utility>

namespace sharedrift {

namespace {

constexpr std::size_t kLongestParagraph = 4'096;  // bytes

/// With `words` in backticks as code.
std::string with_code(std::string_view text) {
  std::string out;
  for (bool code = false; !text.empty(); code = !code) {
    const std::size_t end = std::min(text.find('`'), text.size());
    const std::string part = html(text.substr(0, end), kLongestParagraph);
    out += code ? "<code>" + part + "</code>" : part;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

/// The few forms that runbooks have.
class Blocks {
 public:
  void take(std::string_view line) {
    constexpr std::string_view kIndent = "    ";
    if (line.starts_with("## ")) return whole("h4", line.substr(3));
    if (line.starts_with(kIndent)) {
      if (tag_ != "pre") close();
      tag_ = "pre";
      text_ += html(line.substr(kIndent.size()), kLongestParagraph) + "\n";
    } else if (line.empty()) {
      close();
    } else if (line.starts_with("* ")) {
      close();
      tag_ = "li";
      text_ = line.substr(2);
    } else {
      line.remove_prefix(line.find_first_not_of(' '));
      text_.append(text_.empty() ? "" : " ").append(line);
    }
  }
  std::string finish() {
    close();
    if (in_list_) out_ += "</ul>\n";
    return std::move(out_);
  }

 private:
  void whole(std::string_view tag, std::string_view text) {
    close();
    tag_ = tag;
    text_ = text;
    close();
  }
  void close() {
    const std::string tag = std::exchange(tag_, "p");
    if (text_.empty()) return;
    const bool item = tag == "li";
    if (item != in_list_) out_ += item ? "<ul>\n" : "</ul>\n";
    in_list_ = item;
    out_ += "<" + tag + ">" + (tag == "pre" ? text_ : with_code(text_)) + "</" + tag + ">\n";
    text_.clear();
  }

  std::string out_;
  std::string tag_ = "p";
  std::string text_;  ///< of the block that is open
  bool in_list_ = false;
};

}  // namespace

std::string runbook_html(std::string_view alert, const ImageId& image) {
  std::string text{runbook(alert)};
  text.erase(0, text.find("\n## ") + 1);
  for (const std::string_view before : {"--image ID", "history ID"}) {
    for (std::size_t at = 0; (at = text.find(before, at)) != std::string::npos;)
      text.replace(at + before.size() - 2, 2, image.str());
  }
  for (std::size_t at = 0; (at = text.find("](", at)) != std::string::npos;) {
    text.erase(at, text.find(')', at) - at + 1);
    text.erase(text.rfind('[', at), 1);
  }
  Blocks blocks;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    blocks.take(std::string_view{text}.substr(begin, end - begin));
    begin = end + 1;
  }
  return blocks.finish();
}

}  // namespace sharedrift
