#include "wire/http_headers.hpp"

#include "core/text.hpp"

namespace sharedrift {

HttpHeaders::HttpHeaders(std::initializer_list<HttpHeader> headers) {
  for (const auto& [name, value] : headers)
    add(name, value);
}

void HttpHeaders::reserve(std::size_t count, std::size_t bytes) {
  places_.reserve(count);
  text_.reserve(bytes);
}

void HttpHeaders::add(std::string_view name, std::string_view value) {
  places_.push_back({static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(name.size()),
                     static_cast<std::uint32_t>(value.size())});
  text_.append(name).append(value.empty() ? ";" : ": ").append(value) += '\0';
}

void HttpHeaders::clear() {
  places_.clear();
  text_.clear();
}

HttpHeader HttpHeaders::operator[](std::size_t index) const {
  const Place& place = places_[index];
  const std::string_view line = std::string_view{text_}.substr(place.begin);
  if (place.value_size == 0) return {line.substr(0, place.name_size), {}};
  return {line.substr(0, place.name_size), line.substr(place.name_size + 2, place.value_size)};
}

std::optional<std::string_view> HttpHeaders::find(std::string_view name) const {
  for (const HttpHeader& header : *this) {
    if (equal_but_for_case(header.name, name)) return header.value;
  }
  return std::nullopt;
}

}  // namespace sharedrift
