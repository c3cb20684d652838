#include "wire/json_reader.hpp"

#include "core/number.hpp"
#include "core/secret.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace sharedrift {

namespace {

constexpr std::size_t kMaxDepth = 32;
/// More than the rows of the largest body the transport lets through.
constexpr std::size_t kMaxValues = 300'000;
/// Names are compared one by one. Answers have about twenty; without a bound an object of many would take
/// hours.
constexpr std::size_t kMaxMembers = 100;

/// Builds the tree from what the library reads, and refuses what the library lets pass: depth, duplicates,
/// floods. The library's own tree would lose the digits of large numbers, and its parser callback takes
/// quadratic time.
class TreeBuilder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  using Kind = JsonValue::Kind;

  bool null() override { return put(Kind::null); }
  bool boolean(bool value) override { return put(Kind::boolean, {}, value); }
  bool number_integer(number_integer_t value) override { return put(Kind::number, std::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) override { return put(Kind::number, std::to_string(value)); }
  /// Integers beyond 64 bits, too.
  bool number_float(number_float_t /*value*/, const string_t& digits) override {
    return put(Kind::number, digits);
  }
  bool string(string_t& value) override { return put(Kind::string, std::move(value)); }
  bool binary(binary_t& /*value*/) override { return refuse("binary"); }
  bool start_object(std::size_t /*size*/) override { return open(Kind::object); }
  bool start_array(std::size_t /*size*/) override { return open(Kind::array); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    if (path_.back()->items.size() >= kMaxMembers) return exceed("too many names in an object");
    if (path_.back()->find(name) != nullptr) return refuse("a name occurs twice in an object");
    name_ = std::move(name);
    return true;
  }
  /// What the library says of it is not shown: it quotes the text.
  bool parse_error(std::size_t at, const std::string& /*token*/,
                   const nlohmann::json::exception& /*what*/) override {
    return refuse("not JSON at byte " + std::to_string(at));
  }

  JsonValue root;
  JsonProblem problem{"not JSON"};

 private:
  bool put(Kind kind, std::string text = {}, bool flag = false) {
    if (++values_ > kMaxValues) return exceed("too many values");
    last_ = path_.empty() ? &root : &path_.back()->items.emplace_back();
    last_->kind = kind;
    last_->flag = flag;
    last_->name = std::exchange(name_, {});
    last_->text = std::move(text);
    return true;
  }
  bool open(Kind kind) {
    if (path_.size() >= kMaxDepth) return exceed("nested too deeply");
    if (!put(kind)) return false;
    constexpr std::size_t kUsualMembers = 8;  // of an answer of the API
    if (path_.empty()) root.items.reserve(kUsualMembers);
    path_.push_back(last_);
    return true;
  }
  bool close() {
    path_.pop_back();
    return true;
  }
  bool refuse(std::string what) {
    problem.what = std::move(what);
    return false;
  }
  bool exceed(std::string what) {
    problem.capped = true;
    return refuse(std::move(what));
  }

  std::vector<JsonValue*> path_;  ///< the open containers; only the innermost grows, so all stay in place
  JsonValue* last_ = nullptr;
  std::string name_;  ///< of the value that comes next
  std::size_t values_ = 0;
};

void wipe_strings(JsonValue& value) noexcept {
  wipe(value.name);
  wipe(value.text);
  for (JsonValue& item : value.items)
    wipe_strings(item);
}

}  // namespace

const JsonValue* JsonValue::find(std::string_view wanted) const {
  if (kind != Kind::object) return nullptr;
  const auto found = std::find_if(items.begin(), items.end(),
                                  [wanted](const JsonValue& value) { return value.name == wanted; });
  return found == items.end() ? nullptr : &*found;
}

std::string_view JsonValue::string(std::string_view wanted) const {
  const JsonValue* value = find(wanted);
  return value != nullptr && value->is(Kind::string) ? std::string_view{value->text} : std::string_view{};
}

std::optional<std::int64_t> JsonValue::integer() const {
  if (kind != Kind::number && kind != Kind::string) return std::nullopt;
  return parse_number<std::int64_t>(text);
}

void JsonDocument::wipe() noexcept {
  wipe_strings(root_);
}

Result<JsonDocument, JsonProblem> parse_json(std::string_view text) {
  // To the library a zero byte is the end of the text.
  if (const std::size_t zero = text.find('\0'); zero != std::string_view::npos)
    return Err(JsonProblem{"not JSON at byte " + std::to_string(zero + 1)});
  TreeBuilder builder;
  const bool read = nlohmann::json::sax_parse(text, &builder);
  JsonDocument document(std::move(builder.root));  // wiped even if it is only half read
  if (!read) return Err(std::move(builder.problem));
  return document;
}

}  // namespace sharedrift
