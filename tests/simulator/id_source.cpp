#include "simulator/id_source.hpp"

#include <string_view>

namespace sharedrift::simulator {

std::uint64_t IdSource::next() {  // splitmix64
  std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31U);
}

std::string IdSource::uuid() {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out = "xxxxxxxx-xxxx-5xxx-yxxx-xxxxxxxxxxxx";
  std::uint64_t bits = next();
  int left = 16;
  for (char& c : out) {
    if (c != 'x' && c != 'y') continue;
    if (left-- == 0) {
      bits = next();
      left = 15;
    }
    const std::uint64_t digit = c == 'y' ? 8U | (bits & 3U) : bits & 0xFU;
    c = kHex[digit];
    bits >>= 4U;
  }
  return out;
}

std::string IdSource::letters(std::size_t length) {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  std::string out;
  out.reserve(length);
  while (out.size() < length)
    out += kLetters[next() % kLetters.size()];
  return out;
}

}  // namespace sharedrift::simulator
