// EXIF orientation: finding it in a JPEG or PNG file and turning the decoded picture upright.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/image.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace detail {

/// The orientation, 1 to 8, in an EXIF block (a TIFF header and its first directory); 1 if absent or not sane.
/// Source: EXIF 2.3, 4.6.2 and tag 0x0112.
inline int exif_block_orientation(std::span<const std::byte> tiff) {
  if (tiff.size() < 8) return 1;
  const auto byte_at = [tiff](std::size_t i) { return std::to_integer<std::uint32_t>(tiff[i]); };
  const bool little = byte_at(0) == 'I' && byte_at(1) == 'I';
  if (!little && !(byte_at(0) == 'M' && byte_at(1) == 'M')) return 1;
  const auto u16 = [&](std::size_t i) { return byte_at(i) << (little ? 0 : 8) | byte_at(i + 1) << (little ? 8 : 0); };
  const auto u32 = [&](std::size_t i) { return u16(i) << (little ? 0 : 16) | u16(i + 2) << (little ? 16 : 0); };
  const std::size_t directory = u32(4);
  if (u16(2) != 42 || directory > tiff.size() - 2) return 1;
  const std::size_t entries = u16(directory);
  for (std::size_t k = 0; k < entries; ++k) {
    const std::size_t entry = directory + 2 + 12 * k;  // tag u16, type u16, count u32, value u32
    if (entry + 12 > tiff.size()) return 1;
    if (u16(entry) != 0x0112) continue;
    const std::size_t type = u16(entry + 2);
    if (type != 3 && type != 4) return 1;  // SHORT, as it should be, and LONG, as some programs write it
    const std::uint32_t value = type == 3 ? u16(entry + 8) : u32(entry + 8);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

/// What the marker segments before the first scan say.
struct JpegHeader {
  int orientation = 1;          // of the first EXIF block, 1 to 8
  int components = 0;           // 1: grey; 0 if no frame header came
  std::size_t scan_offset = 0;  // of the first start-of-scan marker; 0 if there is none
};

/// Walks a JPEG's marker segments up to the first scan. Stops quietly at anything malformed: the decoder reports it.
inline JpegHeader jpeg_header(std::span<const std::byte> bytes) {
  JpegHeader header;
  const auto byte_at = [bytes](std::size_t i) { return std::to_integer<unsigned>(bytes[i]); };
  bool exif = false;   // a block came
  std::size_t at = 2;  // after SOI
  while (at + 4 <= bytes.size() && byte_at(at) == 0xff) {
    const unsigned marker = byte_at(at + 1);
    if (marker == 0xff) {  // fill byte
      ++at;
      continue;
    }
    if (marker == 0xda) {
      header.scan_offset = at;
      break;
    }
    const std::size_t length = byte_at(at + 2) << 8 | byte_at(at + 3);  // counts itself, not the marker
    if (length < 2 || length > bytes.size() - at - 2) break;
    const auto payload = bytes.subspan(at + 4, length - 2);
    if (!exif && marker == 0xe1 && payload.size() > 6 && std::memcmp(payload.data(), "Exif\0", 6) == 0) {
      exif = true;
      header.orientation = exif_block_orientation(payload.subspan(6));
    }
    const bool frame = marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
    if (frame && payload.size() > 5) header.components = std::to_integer<int>(payload[5]);
    at += 2 + length;
  }
  return header;
}

/// The orientation that a PNG's eXIf chunk says, 1 to 8; 1 where there is none. The chunk may follow the pixels, so all
/// are walked, up to a number that no picture has. Shapes: size of the file in bytes; read_at(offset, span of bytes)
/// fills the span and says whether it could. Source: PNG 3rd edition, 11.3.4.5.
template <class ReadAt>
int png_orientation(std::uint64_t size, const ReadAt& read_at) {
  constexpr int most_chunks = 100'000;
  constexpr std::uint64_t most_bytes = 65'536;  // of a block: the directory stands at its beginning
  std::uint64_t at = 8;                         // after the signature
  for (int chunk = 0; chunk < most_chunks && at + 12 <= size; ++chunk) {
    std::array<std::byte, 8> head{};  // length and type; content and checksum follow
    if (!read_at(at, std::span(head))) return 1;
    std::uint64_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) length = length << 8 | std::to_integer<std::uint64_t>(head[i]);
    if (length > size - at - 12) return 1;
    if (std::memcmp(head.data() + 4, "eXIf", 4) == 0) {
      std::vector<std::byte> block(static_cast<std::size_t>(std::min(length, most_bytes)));
      return read_at(at + 8, std::span(block)) ? exif_block_orientation(block) : 1;
    }
    at += 12 + length;
  }
  return 1;
}

/// The same of a whole file in memory.
inline int png_orientation(std::span<const std::byte> bytes) {
  return png_orientation(bytes.size(), [&](std::uint64_t at, std::span<std::byte> out) {
    std::copy_n(bytes.data() + at, out.size(), out.data());  // of a chunk without content, nothing to nowhere
    return true;
  });
}

/// The picture as it should be seen. `orientation` 1: unchanged; 2: mirrored; 3: half turn; 4: upside down;
/// 5 to 8 swap width and height (transposed, quarter turn clockwise, transverse, quarter turn anticlockwise).
template <class Picture>
Picture upright(Picture image, int orientation) {
  if (orientation <= 1 || orientation > 8) return image;
  const bool swapped = orientation >= 5;
  Picture out;
  out.width = swapped ? image.height : image.width;
  out.height = swapped ? image.width : image.height;
  out.pixels.resize(image.pixels.size());
  const int last_x = image.width - 1;
  const int last_y = image.height - 1;
  for (int y = 0; y < out.height; ++y) {
    for (int x = 0; x < out.width; ++x) {
      int from_x = swapped ? y : x;
      int from_y = swapped ? x : y;
      if (orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8) from_x = last_x - from_x;
      if (orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7) from_y = last_y - from_y;
      std::copy_n(image.at(from_x, from_y), Picture::channels, out.at(x, y));
    }
  }
  return out;
}

}  // namespace detail
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
