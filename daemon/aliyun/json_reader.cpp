#include "aliyun/json_reader.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <charconv>

namespace sharedrift {

namespace {

constexpr std::size_t kMaxDepth = 32;
/// More than the rows of the largest body the transport lets through; about 30 MB of values.
constexpr std::size_t kMaxValues = 300'000;
/// Names are compared one by one. Answers have about twenty; without a bound an object of many would take
/// hours.
constexpr std::size_t kMaxMembers = 100;

/// Builds the value from what the reader finds and refuses what JSON itself would let pass: depth,
/// duplicates, floods.
class JsonBuilder {
 public:
  bool put(JsonValue value) {
    if (++values_ > kMaxValues) return exceed("too many values");
    if (path_.empty()) {
      root = std::move(value);
    } else if (path_.back().is(JsonValue::Kind::object)) {
      path_.back().members.back().value = std::move(value);
    } else {
      path_.back().items.push_back(std::move(value));
    }
    return true;
  }
  bool put_text(JsonValue::Kind kind, std::string text) {
    JsonValue made{kind};
    made.text = std::move(text);
    return put(std::move(made));
  }
  bool key(std::string name) {
    auto& members = path_.back().members;
    if (members.size() >= kMaxMembers) return exceed("too many names in an object");
    if (std::any_of(members.begin(), members.end(),
                    [&name](const auto& member) { return member.name == name; })) {
      return refuse("a name occurs twice in an object");
    }
    members.push_back({std::move(name), JsonValue{}});
    return true;
  }
  bool open(JsonValue::Kind kind) {
    if (path_.size() >= kMaxDepth) return exceed("nested too deeply");
    path_.push_back(JsonValue{kind});
    return true;
  }
  bool close() {
    JsonValue done = std::move(path_.back());
    path_.pop_back();
    return put(std::move(done));
  }
  bool refuse(std::string what) {
    problem.what = std::move(what);
    return false;
  }
  [[nodiscard]] bool within_container() const { return !path_.empty(); }
  [[nodiscard]] bool within_object() const { return path_.back().is(JsonValue::Kind::object); }

  JsonValue root;
  JsonProblem problem{"not JSON"};

 private:
  bool exceed(std::string what) {
    problem.capped = true;
    return refuse(std::move(what));
  }

  std::vector<JsonValue> path_;  ///< the containers that are open, outermost first
  std::size_t values_ = 0;
};

/// RFC 8259, from front to back, without recursion.
class JsonScanner {
 public:
  JsonScanner(std::string_view text, JsonBuilder& builder)
      : rest_(text), size_(text.size()), builder_(builder) {}

  bool read() {
    if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);  // a mark of byte order may be ignored
    if (!read_value()) return false;
    while (builder_.within_container()) {
      const bool in_object = builder_.within_object();
      skip_blanks();
      if (take(in_object ? '}' : ']')) {
        just_opened_ = false;
        if (!builder_.close()) return false;
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

  bool fail() { return builder_.refuse("not JSON at byte " + std::to_string(size_ - rest_.size() + 1)); }

  void skip_blanks() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size())); }
  [[nodiscard]] char next() const { return rest_.empty() ? '\0' : rest_.front(); }
  bool take(char c) {
    if (next() != c || rest_.empty()) return false;
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
        std::string text;
        return read_string(text) && builder_.put_text(Kind::string, std::move(text));
      }
      case 't': return take_word("true") && put_flag(true);
      case 'f': return take_word("false") && put_flag(false);
      case 'n': return take_word("null") && builder_.put(JsonValue{});
      default: return read_number();
    }
  }
  bool put_flag(bool flag) {
    JsonValue made{Kind::boolean};
    made.flag = flag;
    return builder_.put(std::move(made));
  }

  bool read_name() {
    skip_blanks();
    std::string name;
    if (next() != '"') return fail();
    if (!read_string(name) || !builder_.key(std::move(name))) return false;
    skip_blanks();
    return take(':') || fail();
  }

  std::size_t take_digits() {
    const std::size_t count = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
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
    return builder_.put_text(Kind::number, std::string(digits));
  }

  bool read_string(std::string& out) {
    rest_.remove_prefix(1);
    while (true) {
      unsigned char all = 0;
      const auto plain = std::find_if(rest_.begin(), rest_.end(), [&all](char c) {
        const auto byte = static_cast<unsigned char>(c);
        all |= byte;
        return byte == '"' || byte == '\\' || byte < 0x20;
      });
      const std::string_view run = rest_.substr(0, static_cast<std::size_t>(plain - rest_.begin()));
      if (all >= 0x80 && !is_valid_utf8(run)) return fail();
      out.append(run);
      rest_.remove_prefix(run.size());
      if (take('"')) return true;
      if (!take('\\') || !read_escape(out)) return fail();
    }
  }

  bool read_escape(std::string& out) {
    constexpr std::string_view kLetters = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const char letter = next();
    if (rest_.empty()) return false;
    rest_.remove_prefix(1);
    if (letter != 'u') {
      const std::size_t at = kLetters.find(letter);
      if (at == std::string_view::npos) return false;
      out += kMeanings[at];
      return true;
    }
    std::uint32_t code = 0;
    if (!read_unit(code) || (code >= 0xDC00 && code < 0xE000)) return false;
    if (code >= 0xD800 && code < 0xDC00) {  // the first half of a pair
      std::uint32_t low = 0;
      if (!take('\\') || !take('u') || !read_unit(low) || low < 0xDC00 || low > 0xDFFF) return false;
      code = 0x10000 + ((code - 0xD800) << 10U) + (low - 0xDC00);
    }
    append_utf8(out, code);
    return true;
  }
  bool read_unit(std::uint32_t& code) {
    if (rest_.size() < 4) return false;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + 4, code, 16);
    if (error != std::errc{} || end != rest_.data() + 4) return false;
    rest_.remove_prefix(4);
    return true;
  }
  static void append_utf8(std::string& out, std::uint32_t code) {
    const auto tail = [&out, code](unsigned shift) {
      out += static_cast<char>(0x80U | ((code >> shift) & 0x3FU));
    };
    if (code < 0x80) {
      out += static_cast<char>(code);
      return;
    }
    if (code < 0x800) {
      out += static_cast<char>(0xC0U | (code >> 6U));
    } else if (code < 0x10000) {
      out += static_cast<char>(0xE0U | (code >> 12U));
      tail(6);
    } else {
      out += static_cast<char>(0xF0U | (code >> 18U));
      tail(12);
      tail(6);
    }
    tail(0);
  }

  std::string_view rest_;
  const std::size_t size_;
  JsonBuilder& builder_;
  bool just_opened_ = false;
};

}  // namespace

const JsonValue* JsonValue::find(std::string_view name) const {
  const auto found = std::find_if(members.begin(), members.end(),
                                  [name](const auto& member) { return member.name == name; });
  return found == members.end() ? nullptr : &found->value;
}

std::optional<std::int64_t> JsonValue::integer() const {
  if (kind != Kind::number && kind != Kind::string) return std::nullopt;
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

Result<JsonValue, JsonProblem> parse_json(std::string_view text) {
  JsonBuilder builder;
  if (!JsonScanner(text, builder).read()) return Err(std::move(builder.problem));
  return std::move(builder.root);
}

}  // namespace sharedrift
