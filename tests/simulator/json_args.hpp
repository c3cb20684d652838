#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace sharedrift::simulator {

/// Reads the members of a JSON object strictly: what is wrong, missing or unknown becomes one clear message.
/// Numbers and booleans may also be written as strings, since YAML's scalars arrive that way. Read
/// everything, then ask error().
class JsonArgs {
 public:
  /// `object` must outlive this; `what` names it in messages.
  JsonArgs(const nlohmann::json& object, std::string what);

  std::string text(std::string_view name, const std::optional<std::string>& fallback = std::nullopt);
  std::int64_t number(std::string_view name, std::int64_t min, std::int64_t max,
                      std::optional<std::int64_t> fallback = std::nullopt);
  bool boolean(std::string_view name, bool fallback);
  /// A list of strings (numbers are taken as their digits), or one string.
  std::vector<std::string> texts(std::string_view name);
  /// One of `choices`, which are separated by `|`; the first is the fallback, unless another is given.
  std::string choice(std::string_view name, std::string_view choices,
                     const std::optional<std::string>& fallback = std::nullopt);
  /// The member itself; nullptr if absent.
  const nlohmann::json* raw(std::string_view name);

  [[nodiscard]] bool has(std::string_view name) const;
  /// Says that something is wrong; the first message wins.
  void fail(const std::string& message);
  /// The first thing wrong, unknown members included.
  [[nodiscard]] std::optional<std::string> error() const;

 private:
  const nlohmann::json* find(std::string_view name);

  const nlohmann::json& object_;
  std::string what_;
  std::set<std::string, std::less<>> known_;
  std::optional<std::string> error_;
};

/// Whole text as a decimal integer within the range.
std::optional<std::int64_t> parse_integer(std::string_view text, std::int64_t min, std::int64_t max);

/// The parts of `a|b|c`.
std::vector<std::string_view> split(std::string_view text, char separator);

}  // namespace sharedrift::simulator
