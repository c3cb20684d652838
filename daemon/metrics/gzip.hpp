#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sharedrift {

/// A stretch of text as deflate blocks that end on a byte and refer to nothing outside of themselves. Between
/// GzipStream's begin and end such stretches form one ordinary gzip member in any order, so that what did not
/// change is not compressed again.
struct GzipPiece {
  std::shared_ptr<const std::string> bytes;
  std::uint32_t crc = 0;     ///< of the text
  std::uint64_t length = 0;  ///< of the text
};

/// One piece for all the text of `pieces`, in their order.
GzipPiece join(const std::vector<GzipPiece>& pieces);

/// Makes pieces; holds a quarter of a megabyte from the first on. Not thread-safe. Throws std::bad_alloc
/// only.
class GzipPacker {
 public:
  GzipPacker();
  GzipPacker(const GzipPacker&) = delete;
  GzipPacker& operator=(const GzipPacker&) = delete;
  ~GzipPacker();
  GzipPiece pack(std::string_view text);

 private:
  class Deflater;
  std::unique_ptr<Deflater> deflater_;
};

/// Sums up the pieces of one gzip member.
class GzipStream {
 public:
  /// What comes before the first piece.
  static const std::shared_ptr<const std::string>& begin();
  void add(const GzipPiece& piece);
  [[nodiscard]] std::uint32_t crc() const { return crc_; }
  [[nodiscard]] std::uint64_t length() const { return length_; }
  /// What comes after the last piece.
  [[nodiscard]] std::string end() const;

 private:
  std::uint32_t crc_ = 0;
  std::uint64_t length_ = 0;
};

}  // namespace sharedrift
