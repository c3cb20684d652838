#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sharedrift {

struct HttpHeader {
  std::string_view name;
  std::string_view value;
};

/// The headers of a request or an answer, in the order in which they were added. Most of a dozen are only
/// passed on, so all of them lie in one block of text; what is read from it is good until the next change.
class HttpHeaders {
 public:
  class Iterator;

  HttpHeaders() = default;
  HttpHeaders(std::initializer_list<HttpHeader> headers);

  void reserve(std::size_t count, std::size_t bytes);
  void add(std::string_view name, std::string_view value);
  void clear();

  [[nodiscard]] std::size_t size() const { return places_.size(); }
  [[nodiscard]] HttpHeader operator[](std::size_t index) const;
  [[nodiscard]] Iterator begin() const;
  [[nodiscard]] Iterator end() const;
  /// The first value of that name, whatever the case of its letters.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;
  /// `name: value` or, without a value, `name;`: what libcurl takes for a header to send. Ended by a zero.
  [[nodiscard]] const char* line(std::size_t index) const { return text_.data() + places_[index].begin; }

 private:
  struct Place {
    std::uint32_t begin;
    std::uint32_t name_size;
    std::uint32_t value_size;
  };
  std::string text_;
  std::vector<Place> places_;
};

class HttpHeaders::Iterator {
 public:
  Iterator(const HttpHeaders& headers, std::size_t index) : headers_(&headers), index_(index) {}
  HttpHeader operator*() const { return (*headers_)[index_]; }
  Iterator& operator++() {
    ++index_;
    return *this;
  }
  bool operator==(const Iterator& other) const { return index_ == other.index_; }

 private:
  const HttpHeaders* headers_;
  std::size_t index_;
};

inline HttpHeaders::Iterator HttpHeaders::begin() const {
  return {*this, 0};
}
inline HttpHeaders::Iterator HttpHeaders::end() const {
  return {*this, size()};
}

}  // namespace sharedrift
