#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace sharedrift {

/// An enumerator as the source spells it: g++ and clang++ say so in the name of a function that it belongs
/// to.
template <auto value>
constexpr std::string_view spelling() {
  constexpr std::string_view kBefore = "value = ";
  std::string_view name = __PRETTY_FUNCTION__;
  name.remove_prefix(name.find(kBefore) + kBefore.size());
  name = name.substr(0, name.find_first_of(";]"));
  return name.substr(name.rfind(':') + 1);
}

/// The enumerators of an enumeration that counts from 0 to `last`, and their names, both in its order.
template <auto last, std::size_t... i>
constexpr auto enumerators_of(std::index_sequence<i...> /*all*/) {
  using Enum = decltype(last);
  return std::pair{std::array{static_cast<Enum>(i)...}, std::array{spelling<static_cast<Enum>(i)>()...}};
}
template <auto last>
inline constexpr auto kEnumerators =
    enumerators_of<last>(std::make_index_sequence<static_cast<std::size_t>(last) + 1>());

template <auto last>
std::string_view enumerator_name(decltype(last) value) {
  return kEnumerators<last>.second.at(static_cast<std::size_t>(value));
}

template <auto last>
std::optional<decltype(last)> parse_enumerator(std::string_view name) {
  const auto& [values, names] = kEnumerators<last>;
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return values.at(static_cast<std::size_t>(found - names.begin()));
}

}  // namespace sharedrift
