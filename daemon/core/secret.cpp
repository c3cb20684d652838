#include "core/secret.hpp"

#include <algorithm>
#include <utility>

#include <string.h>  // NOLINT(modernize-deprecated-headers): explicit_bzero is not of the C++ library

namespace sharedrift {

Secret::Secret(std::string_view text)
    : data_(text.empty() ? nullptr : new char[text.size()]), size_(text.size()) {
  std::copy(text.begin(), text.end(), data_);
}
Secret::Secret(const Secret& other) : Secret(other.reveal()) {}
Secret& Secret::operator=(const Secret& other) {
  if (this != &other) *this = Secret(other);
  return *this;
}
Secret::Secret(Secret&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    wipe();
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}
Secret::~Secret() {
  wipe();
}

/// Of what ends, or is replaced at once.
void Secret::wipe() noexcept {
  if (data_ != nullptr) ::explicit_bzero(data_, size_);
  delete[] data_;
}

bool operator==(const Secret& a, const Secret& b) {
  if (a.size_ != b.size_) return false;
  unsigned difference = 0;  // no early exit: the time taken must not tell where they differ
  for (std::size_t i = 0; i < a.size_; ++i) {
    difference |= static_cast<unsigned>(static_cast<unsigned char>(a.data_[i]) ^
                                        static_cast<unsigned char>(b.data_[i]));
  }
  return difference == 0;
}

std::ostream& operator<<(std::ostream& out, const Secret& secret) {
  return out << (secret.empty() ? "<empty>" : "<secret>");
}

void wipe(std::string& text) noexcept {
  ::explicit_bzero(text.data(), text.size());
  text.clear();
}

}  // namespace sharedrift
