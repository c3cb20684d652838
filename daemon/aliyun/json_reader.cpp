#include "aliyun/json_reader.hpp"

#include <algorithm>
#include <charconv>

#include <nlohmann/json.hpp>

namespace sharedrift {

namespace {

constexpr std::size_t kMaxDepth = 32;
/// More than the rows of the largest body the transport lets through; about 30 MB of values.
constexpr std::size_t kMaxValues = 300'000;
/// Names are compared one by one. Answers have about twenty; without a bound an object of many would take
/// hours.
constexpr std::size_t kMaxMembers = 100;

/// Builds the value from the parser's events and refuses what the parser lets pass: depth, duplicates,
/// floods.
class Builder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return put(JsonValue{}); }
  bool boolean(bool value) override {
    JsonValue made{JsonValue::Kind::boolean};
    made.flag = value;
    return put(std::move(made));
  }
  bool number_integer(number_integer_t value) override {
    return put_text(JsonValue::Kind::number, std::to_string(value));
  }
  bool number_unsigned(number_unsigned_t value) override {
    return put_text(JsonValue::Kind::number, std::to_string(value));
  }
  // Integers beyond 64 bits come here, too, and then with all their digits.
  bool number_float(number_float_t /*value*/, const string_t& digits) override {
    return put_text(JsonValue::Kind::number, digits);
  }
  bool string(string_t& value) override { return put_text(JsonValue::Kind::string, std::move(value)); }
  bool binary(binary_t& /*value*/) override { return refuse("binary data"); }
  bool start_object(std::size_t /*size*/) override { return open(JsonValue::Kind::object); }
  bool start_array(std::size_t /*size*/) override { return open(JsonValue::Kind::array); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    const auto& members = path_.back().members;
    if (members.size() >= kMaxMembers) return exceed("too many names in an object");
    if (std::any_of(members.begin(), members.end(),
                    [&name](const auto& member) { return member.name == name; })) {
      return refuse("a name occurs twice in an object");
    }
    path_.back().members.push_back({std::move(name), JsonValue{}});
    return true;
  }
  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const nlohmann::detail::exception& /*what*/) override {
    return refuse("not JSON at byte " + std::to_string(position));
  }

  JsonValue root;
  JsonProblem problem{"not JSON"};

 private:
  bool refuse(std::string what) {
    problem.what = std::move(what);
    return false;
  }
  bool exceed(std::string what) {
    problem.capped = true;
    return refuse(std::move(what));
  }
  bool put_text(JsonValue::Kind kind, std::string text) {
    JsonValue made{kind};
    made.text = std::move(text);
    return put(std::move(made));
  }
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

  std::vector<JsonValue> path_;  ///< the containers that are open, outermost first
  std::size_t values_ = 0;
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
  Builder builder;
  if (!nlohmann::json::sax_parse(text, &builder)) return Err(std::move(builder.problem));
  return std::move(builder.root);
}

}  // namespace sharedrift
