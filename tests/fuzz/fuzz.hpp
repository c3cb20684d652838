#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

/// What every target defines; libFuzzer and drive.cpp call it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace sharedrift::fuzz {

/// Ends the process with a reason, also where assert() is compiled away.
inline void require(bool holds, std::string_view what, std::string_view shown = {}) {
  if (holds) return;
  std::fprintf(stderr, "broken: %.*s: %.*s\n", static_cast<int>(what.size()), what.data(),
               static_cast<int>(shown.size()), shown.data());
  std::abort();
}

inline std::string_view as_text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// Cuts an input into fields, which end at a byte 0xFF: mutations then move borders as well as contents, and
/// since 0xFF is no UTF-8, a kept input can be read.
class Fields {
 public:
  explicit Fields(std::string_view rest) : rest_(rest) {}
  std::string next() {
    const std::size_t end = rest_.find('\xff');
    const std::string field(rest_.substr(0, end));
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    return field;
  }
  [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

/// One line that cannot move a cursor, whatever went into it.
inline void require_one_line(std::string_view text, std::string_view what) {
  for (const char c : text)
    require((static_cast<unsigned char>(c) >= 0x20) && c != '\x7f', what, text);
}

}  // namespace sharedrift::fuzz
