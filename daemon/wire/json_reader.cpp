#include "wire/json_reader.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace sharedrift {

namespace {
constexpr std::size_t kMaxDepth = 32;
/// More than the rows of the largest body the transport lets through; about 15 MB of values.
constexpr std::size_t kMaxValues = 300'000;
/// Names are compared one by one. Answers have about twenty; without a bound an object of many would take
/// hours.
constexpr std::size_t kMaxMembers = 100;
/// What an answer has of text for each of its values, or a little less.
constexpr std::size_t kBytesPerValue = 16;
}  // namespace

/// Lays what the scanner finds in a row and refuses what JSON itself would let pass: depth, duplicates,
/// floods.
class JsonBuilder {
 public:
  using Kind = JsonValue::Kind;

  explicit JsonBuilder(std::size_t text_size) {
    values_.reserve(std::min(text_size / kBytesPerValue, kMaxValues) + 1);
  }

  bool put(Kind kind, std::string_view text = {}, bool flag = false) {
    if (values_.size() >= kMaxValues) return exceed("too many values");
    if (depth_ > 0) ++container().inside_;
    JsonValue& value = values_.emplace_back();
    value.kind = kind;
    value.flag = flag;
    value.text = text;
    value.name = std::exchange(name_, {});
    return true;
  }
  /// The name of the value that comes next.
  bool key(std::string_view name) {
    if (container().inside_ >= kMaxMembers) return exceed("too many names in an object");
    container().span_ = span_of(container());
    if (container().find(name) != nullptr) return refuse("a name occurs twice in an object");
    name_ = name;
    return true;
  }
  bool open(Kind kind) {
    if (depth_ >= kMaxDepth) return exceed("nested too deeply");
    if (!put(kind)) return false;
    path_.at(depth_++) = values_.size() - 1;
    return true;
  }
  void close() {
    container().span_ = span_of(container());
    --depth_;
  }
  bool refuse(std::string what) {
    problem.what = std::move(what);
    return false;
  }
  [[nodiscard]] bool within_container() const { return depth_ > 0; }
  [[nodiscard]] bool within_object() const { return container().is(Kind::object); }
  std::vector<JsonValue> take() { return std::move(values_); }

  JsonProblem problem{"not JSON"};

 private:
  JsonValue& container() { return values_[path_.at(depth_ - 1)]; }
  [[nodiscard]] const JsonValue& container() const { return values_[path_.at(depth_ - 1)]; }
  /// Of a container that is open: it reaches to the end of the row.
  [[nodiscard]] std::uint32_t span_of(const JsonValue& open) const {
    return static_cast<std::uint32_t>(values_.data() + values_.size() - &open);
  }
  bool exceed(std::string what) {
    problem.capped = true;
    return refuse(std::move(what));
  }

  std::vector<JsonValue> values_;
  std::array<std::size_t, kMaxDepth> path_{};  ///< where the open containers are, outermost first
  std::size_t depth_ = 0;
  std::string_view name_;
};

namespace {

/// RFC 8259, from front to back, without recursion. Escapes are undone in place: nothing becomes longer.
class JsonScanner {
 public:
  JsonScanner(std::vector<char>& text, JsonBuilder& builder)
      : text_(text), rest_(text.data(), text.size()), builder_(builder) {}

  bool read() {
    if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);  // a mark of byte order may be ignored
    if (!read_value()) return false;
    while (builder_.within_container()) {
      const bool in_object = builder_.within_object();
      skip_blanks();
      if (take(in_object ? '}' : ']')) {
        just_opened_ = false;
        builder_.close();
        continue;
      }
      if (!just_opened_ && !take(',')) return fail();
      just_opened_ = false;
      if (in_object && !read_name()) return false;
      if (!read_value()) return false;
    }
    skip_blanks();
    return rest_.empty() || fail();
  }

 private:
  using Kind = JsonValue::Kind;

  [[nodiscard]] std::size_t position() const { return text_.size() - rest_.size(); }
  bool fail() { return builder_.refuse("not JSON at byte " + std::to_string(position() + 1)); }

  void skip_blanks() {
    while (!rest_.empty() &&
           (rest_.front() == ' ' || rest_.front() == '\t' || rest_.front() == '\r' || rest_.front() == '\n'))
      rest_.remove_prefix(1);
  }
  [[nodiscard]] char next() const { return rest_.empty() ? '\0' : rest_.front(); }
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool take_word(std::string_view word) {
    if (!rest_.starts_with(word)) return fail();
    rest_.remove_prefix(word.size());
    return true;
  }

  bool read_value() {
    skip_blanks();
    switch (next()) {
      case '{':
      case '[':
        just_opened_ = true;
        if (!builder_.open(next() == '{' ? Kind::object : Kind::array)) return false;
        rest_.remove_prefix(1);
        return true;
      case '"': {
        std::string_view text;
        return read_string(text) && builder_.put(Kind::string, text);
      }
      case 't': return take_word("true") && builder_.put(Kind::boolean, {}, true);
      case 'f': return take_word("false") && builder_.put(Kind::boolean, {}, false);
      case 'n': return take_word("null") && builder_.put(Kind::null);
      default: return read_number();
    }
  }

  bool read_name() {
    skip_blanks();
    std::string_view name;
    if (next() != '"') return fail();
    if (!read_string(name) || !builder_.key(name)) return false;
    skip_blanks();
    return take(':') || fail();
  }

  std::size_t take_digits() {
    std::size_t count = 0;
    while (count < rest_.size() && is_digit(rest_[count]))
      ++count;
    rest_.remove_prefix(count);
    return count;
  }
  /// Kept as it is written: whoever wants a number of it may see whether it is one that fits. What does not
  /// even fit a double is none.
  bool read_number() {
    const std::string_view start = rest_;
    take('-');
    if (!take('0') && take_digits() == 0) return fail();
    if (take('.') && take_digits() == 0) return fail();
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      if (take_digits() == 0) return fail();
    }
    const std::string_view digits = start.substr(0, start.size() - rest_.size());
    double value = 0;
    constexpr std::size_t kAlwaysFits = 20;
    if (digits.size() > kAlwaysFits || digits.find_first_of(".eE") != std::string_view::npos) {
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
      if (error != std::errc{}) return fail();
    }
    return builder_.put(Kind::number, digits);
  }

  bool read_string(std::string_view& out) {
    rest_.remove_prefix(1);
    const std::size_t start = position();
    std::size_t end = start;  // of what is read so far, behind rest_ once an escape was undone
    while (true) {
      const std::string_view run = plain_run();
      if (position() != end)
        std::copy(run.begin(), run.end(), text_.begin() + static_cast<std::ptrdiff_t>(end));
      end += run.size();
      rest_.remove_prefix(run.size());
      if (take('"')) break;
      if (!take('\\') || !read_escape(end)) return fail();
    }
    out = {text_.data() + start, end - start};
    return true;
  }
  /// Up to a quote, an escape, or what must not be in a string; empty also if it is not UTF-8.
  [[nodiscard]] std::string_view plain_run() const {
    std::size_t size = 0;
    while (size + 8 <= rest_.size() && are_plain_ascii(rest_.data() + size))
      size += 8;
    bool ascii = true;
    for (; size < rest_.size(); ++size) {
      const auto byte = static_cast<unsigned char>(rest_[size]);
      if (byte == '"' || byte == '\\' || byte < 0x20) break;
      ascii = ascii && byte < 0x80;
    }
    const std::string_view run = rest_.substr(0, size);
    return ascii || is_valid_utf8(run) ? run : std::string_view{};
  }
  /// Eight bytes at once, by which strings are read in half the time: each byte's top bit ends up set if the
  /// byte is a quote, a backslash, a control character or beyond ASCII.
  static bool are_plain_ascii(const char* eight) {
    constexpr std::uint64_t kOnes = 0x0101010101010101;
    std::uint64_t word = 0;
    std::memcpy(&word, eight, sizeof word);
    const auto zero_where = [word](char c) {
      return (word ^ (kOnes * static_cast<unsigned char>(c))) - kOnes;
    };
    const std::uint64_t special = (word - kOnes * 0x20) | zero_where('"') | zero_where('\\') | word;
    return (special & (kOnes * 0x80)) == 0;
  }

  bool read_escape(std::size_t& end) {
    constexpr std::string_view kLetters = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const char letter = next();
    if (rest_.empty()) return false;
    rest_.remove_prefix(1);
    if (letter != 'u') {
      const std::size_t at = kLetters.find(letter);
      if (at == std::string_view::npos) return false;
      text_[end++] = kMeanings[at];
      return true;
    }
    std::uint32_t code = 0;
    if (!read_unit(code) || (code >= 0xDC00 && code < 0xE000)) return false;
    if (code >= 0xD800 && code < 0xDC00) {  // the first half of a pair
      std::uint32_t low = 0;
      if (!take('\\') || !take('u') || !read_unit(low) || low < 0xDC00 || low > 0xDFFF) return false;
      code = 0x10000 + ((code - 0xD800) << 10U) + (low - 0xDC00);
    }
    write_utf8(end, code);
    return true;
  }
  bool read_unit(std::uint32_t& code) {
    if (rest_.size() < 4) return false;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + 4, code, 16);
    if (error != std::errc{} || end != rest_.data() + 4) return false;
    rest_.remove_prefix(4);
    return true;
  }
  void write_utf8(std::size_t& end, std::uint32_t code) {
    const auto write = [this, &end](std::uint32_t byte) { text_[end++] = static_cast<char>(byte); };
    const auto tail = [&write, code](unsigned shift) { write(0x80U | ((code >> shift) & 0x3FU)); };
    if (code < 0x80) return write(code);
    if (code < 0x800) {
      write(0xC0U | (code >> 6U));
    } else if (code < 0x10000) {
      write(0xE0U | (code >> 12U));
      tail(6);
    } else {
      write(0xF0U | (code >> 18U));
      tail(12);
      tail(6);
    }
    tail(0);
  }

  std::vector<char>& text_;
  std::string_view rest_;
  JsonBuilder& builder_;
  bool just_opened_ = false;
};

}  // namespace

const JsonValue* JsonValue::find(std::string_view wanted) const {
  if (kind != Kind::object) return nullptr;
  for (const JsonValue& value : inside()) {
    if (value.name == wanted) return &value;
  }
  return nullptr;
}

std::optional<std::int64_t> JsonValue::integer() const {
  if (kind != Kind::number && kind != Kind::string) return std::nullopt;
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

Result<JsonDocument, JsonProblem> parse_json(std::string_view text) {
  std::vector<char> own(text.begin(), text.end());
  JsonBuilder builder(own.size());
  if (!JsonScanner(own, builder).read()) return Err(std::move(builder.problem));
  return JsonDocument(std::move(own), builder.take());
}

}  // namespace sharedrift
