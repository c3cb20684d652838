#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sharedrift {

/// One thing wrong in a file. Printed as `file:line:column: warning: path: message (hint)`.
struct Diagnostic {
  std::string file;
  int line = 0;      ///< from 1; 0: the file as a whole
  int column = 0;    ///< from 1, in characters
  std::string path;  ///< e.g. `images[2].allowed[0]`; may be empty
  std::string message;
  std::string hint;      ///< e.g. `did you mean "required"?`; may be empty
  bool warning = false;  ///< legal, but hardly meant
  friend bool operator==(const Diagnostic&, const Diagnostic&) = default;
};
std::string to_string(const Diagnostic& diagnostic);
/// Each on a line of its own.
std::string to_lines(const std::vector<Diagnostic>& diagnostics);
/// All of them in one clean line: the first five, and how many more there are.
std::string summary(const std::vector<Diagnostic>& diagnostics);

/// May begin a file; is no part of its first line.
inline constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

/// `text` with *** in place of what looks like a key, a secret or a token: twenty letters and digits or more
/// in a row, upper case, lower case and digits in no order, as no name has them. Somebody may have put one
/// where it does not belong. Shorter ones are shown, and what has no digit or is cut by other characters.
std::string without_secrets(std::string_view text);
/// A piece of the file as a message may show it: in double quotes, without secrets, cleaned and cut.
std::string in_quotes(std::string_view text);

/// Collects what is wrong in one file while it is being read in any order.
class DiagnosticList {
 public:
  /// More than anybody reads; the rest is counted. Keeps a broken template of 50,000 images from flooding.
  static constexpr std::size_t kMost = 1000;

  explicit DiagnosticList(std::string file) : file_(std::move(file)) {}

  /// `column` from 1, in bytes of the line.
  Diagnostic& add(int line, int column, std::string path, std::string message, std::string hint = {});
  [[nodiscard]] bool empty() const { return found_.empty(); }
  [[nodiscard]] const std::string& file() const { return file_; }
  /// Hands over what was found, in the order of the file. `text` is the file: columns become characters.
  std::vector<Diagnostic> take(std::string_view text);

 private:
  std::string file_;
  std::vector<Diagnostic> found_;
};

}  // namespace sharedrift
