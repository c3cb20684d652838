#pragma once

#include <stdexcept>
#include <string>

#include <zlib.h>

namespace sharedrift::testing {

/// Reads exactly one gzip member and nothing after it, checksum and length included, as strict clients do.
inline std::string gunzip(const std::string& zipped) {
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) throw std::runtime_error("inflateInit2");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(zipped.data()));
  stream.avail_in = static_cast<uInt>(zipped.size());
  std::string out;
  char buffer[65536];
  int result = Z_OK;
  while (result == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(buffer);
    stream.avail_out = sizeof buffer;
    result = inflate(&stream, Z_NO_FLUSH);
    out.append(buffer, sizeof buffer - stream.avail_out);
  }
  const bool all_read = stream.avail_in == 0;
  inflateEnd(&stream);
  if (result != Z_STREAM_END || !all_read) throw std::runtime_error("not one whole gzip member");
  return out;
}

}  // namespace sharedrift::testing
