#pragma once

#include <ostream>
#include <string>
#include <string_view>

namespace sharedrift {

/// A string that must not be seen: it prints as a mask, is compared in constant time and is wiped when it
/// ends. The one way to its text is reveal(), so that every use can be found by searching for that
/// word. The text lives on the heap (never in a small-string buffer that moves leave behind).
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view text);
  Secret(const Secret& other);
  Secret& operator=(const Secret& other);
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  ~Secret();

  [[nodiscard]] std::string_view reveal() const { return {data_, size_}; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  friend bool operator==(const Secret& a, const Secret& b);
  friend std::ostream& operator<<(std::ostream& out, const Secret& secret);

 private:
  void wipe() noexcept;
  char* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Overwrites the characters of `text` in a way the compiler may not leave out, and empties it.
void wipe(std::string& text) noexcept;

}  // namespace sharedrift
