#pragma once

#include "core/text.hpp"

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sharedrift {

/// Name and value.
using HttpHeader = std::pair<std::string, std::string>;

/// The headers of a request or an answer, in the order in which they were added.
class HttpHeaders {
 public:
  HttpHeaders() = default;
  HttpHeaders(std::initializer_list<HttpHeader> headers) : list_(headers) {}

  void add(std::string_view name, std::string_view value) {
    constexpr std::size_t kUsual = 12;  // a signed request has nine, an answer some eight
    if (list_.empty()) list_.reserve(kUsual);
    list_.emplace_back(name, value);
  }
  void clear() { list_.clear(); }

  [[nodiscard]] std::size_t size() const { return list_.size(); }
  [[nodiscard]] auto begin() const { return list_.begin(); }
  [[nodiscard]] auto end() const { return list_.end(); }
  /// The first value of that name, whatever the case of its letters; good until the next change.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const {
    const auto found = std::find_if(list_.begin(), list_.end(), [name](const HttpHeader& header) {
      return equal_but_for_case(header.first, name);
    });
    return found == list_.end() ? std::nullopt : std::optional<std::string_view>(found->second);
  }

 private:
  std::vector<HttpHeader> list_;
};

}  // namespace sharedrift
