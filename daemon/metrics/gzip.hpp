#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sharedrift {

/// A stretch of text as deflate blocks that end on a byte and refer to nothing outside of themselves. In any
/// order such pieces form one gzip member, so that what did not change is not compressed again.
struct GzipPiece {
  std::shared_ptr<const std::string> bytes;
  std::uint32_t crc = 0;     ///< of the text
  std::uint64_t length = 0;  ///< of the text
};

/// Compresses less than 4 GiB. Throws std::bad_alloc only.
GzipPiece gzip_piece(std::string_view text);

/// The bytes of one ordinary gzip member: its head, the pieces, its end.
std::vector<std::shared_ptr<const std::string>> gzip_member(const std::vector<GzipPiece>& pieces);

}  // namespace sharedrift
