// EXIF orientations in files that have none.
#pragma once

#include <cstddef>
#include <string>

#include <zlib.h>

namespace test_environment {

/// The JPEG or PNG file with an EXIF block, little- or big-endian: in a JPEG right after its first marker, in a PNG
/// before its last chunk.
inline std::string with_orientation(const std::string& file, int orientation, bool little, bool is_long = false) {
  std::string tiff;
  const auto put = [&tiff, little](unsigned value, int count) {
    for (int i = 0; i < count; ++i) tiff += static_cast<char>(value >> 8 * (little ? i : count - 1 - i) & 255u);
  };
  tiff += little ? "II" : "MM";
  put(42, 2), put(8, 4), put(2, 2);                 // header; directory at 8 with two entries
  put(0x010f, 2), put(2, 2), put(4, 4), put(0, 4);  // the maker: text
  put(0x0112, 2), put(is_long ? 4 : 3, 2), put(1, 4), put(static_cast<unsigned>(orientation), is_long ? 4 : 2);
  if (!is_long) put(0, 2);
  put(0, 4);
  if (file[0] == '\x89') {  // PNG: a chunk before the last one, IEND
    std::string chunk;
    for (int i = 3; i >= 0; --i) chunk += static_cast<char>(tiff.size() >> 8 * i & 255u);
    chunk += "eXIf" + tiff;
    const auto crc = crc32(0, reinterpret_cast<const Bytef*>(chunk.data() + 4), static_cast<uInt>(chunk.size() - 4));
    for (int i = 3; i >= 0; --i) chunk += static_cast<char>(crc >> 8 * i & 255u);
    return file.substr(0, file.size() - 12) + chunk + file.substr(file.size() - 12);
  }
  const std::string payload = std::string("Exif\0\0", 6) + tiff;
  const std::size_t length = payload.size() + 2;
  std::string segment = "\xff\xe1";
  segment += static_cast<char>(length >> 8);
  segment += static_cast<char>(length & 255);
  return file.substr(0, 2) + segment + payload + file.substr(2);
}

}  // namespace test_environment
