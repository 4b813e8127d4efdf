// JPEG and PNG through stb_image: the door without libjpeg and libpng, for trusted files only.
// stb_image 2.27, as Debian ships it, writes outside its arrays on crafted files; take the default door for strangers'.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/data/image_io_exif.hpp>
#include <posemachine/data/image_io_format.hpp>

#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <stb/stb_image.h>
#include <stb/stb_image_write.h>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace detail {

/// Whether the entropy-coded data end in an end-of-image marker; stb_image fills the rest with grey and says nothing.
/// Within a scan 0xff is always followed by 0 or a restart marker, so the pair can be searched for.
inline bool jpeg_has_end(std::span<const std::byte> bytes) {
  const std::size_t scan = jpeg_header(bytes).scan_offset;
  for (std::size_t i = bytes.size(); scan != 0 && i >= scan + 2; --i) {
    if (bytes[i - 2] == std::byte{0xff} && bytes[i - 1] == std::byte{0xd9}) return true;
  }
  return false;
}

/// Whether the chunks lead to an end chunk within the file; stb_image takes a file without one for whole.
inline bool png_has_end(std::span<const std::byte> bytes) {
  for (std::size_t at = 8; bytes.size() - at >= 12;) {  // 8 B signature; a chunk: length, name, data, checksum
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) length = length << 8 | std::to_integer<std::size_t>(bytes[at + i]);
    if (length > bytes.size() - at - 12) return false;
    if (std::memcmp(bytes.data() + at + 4, "IEND", 4) == 0) return true;
    at += 12 + length;
  }
  return false;
}

[[noreturn]] inline void refuse_stb(const std::string& where, const std::string& reason) {
  fail<DataError>({.where = where, .expected = "a whole JPEG or PNG image", .got = reason});
}

/// The size as it is stored. Errors: DataError, for a picture above the limits, too.
inline Size stb_size(std::span<const std::byte> bytes, const std::string& where, const ImageLimits& limits) {
  if (bytes.size() > INT_MAX) refuse_stb(where, std::to_string(bytes.size()) + " bytes");
  Size size;
  int channels = 0;
  const auto* data = reinterpret_cast<const stbi_uc*>(bytes.data());
  if (!stbi_info_from_memory(data, static_cast<int>(bytes.size()), &size.width, &size.height, &channels)) {
    refuse_stb(where, "a header that stb_image refuses");
  }
  check_image_size(size.width, size.height, limits, where);
  return size;
}

/// Decodes a file that image_format() has accepted to a picture's channels and bits, EXIF not applied; to one channel
/// where the file is grey. Errors: DataError.
template <class Picture>
Picture decode_stb(std::span<const std::byte> bytes, ImageFormat format, const std::string& where,
                   const ImageLimits& limits) {
  auto [height, width] = stb_size(bytes, where, limits);
  int channels = 0;
  const auto* data = reinterpret_cast<const stbi_uc*>(bytes.data());
  const int count = static_cast<int>(bytes.size());
  const bool has_end = format == ImageFormat::jpeg ? jpeg_has_end(bytes) : png_has_end(bytes);
  if (!has_end) refuse_stb(where, "a file without its end marker");
  using Sample = typename Picture::Sample;
  constexpr int wanted = Picture::channels;
  const auto load = [&]() -> void* {
    if constexpr (sizeof(Sample) == 1) return stbi_load_from_memory(data, count, &width, &height, &channels, wanted);
    return stbi_load_16_from_memory(data, count, &width, &height, &channels, wanted);
  };
  const std::unique_ptr<void, void (*)(void*)> pixels(load(), stbi_image_free);
  if (!pixels) refuse_stb(where, "data that stb_image refuses");
  Picture image(width, height);
  std::memcpy(image.pixels.data(), pixels.get(), image.pixels.size() * sizeof(Sample));
  return image;
}

/// Builds a PNG file chunk by chunk. Source: PNG 1.2, 3.2.
class PngChunks {
 public:
  void add(std::string_view name, const std::string& data) {
    add_number(static_cast<std::uint32_t>(data.size()));
    const std::string checked = std::string(name) + data;
    bytes += checked;
    add_number(crc(checked));
  }
  static std::string number(std::uint32_t value) {
    std::string text;
    for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(value >> shift & 255);
    return text;
  }

  std::string bytes{"\x89PNG\r\n\x1a\n"};

 private:
  void add_number(std::uint32_t value) { bytes += number(value); }
  static std::uint32_t crc(std::string_view data) {  // CRC-32 of IEEE 802.3, bit by bit
    std::uint32_t crc = ~std::uint32_t{0};
    for (const char each : data) {
      crc ^= static_cast<unsigned char>(each);
      for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0u);
    }
    return ~crc;
  }
};

/// A zlib stream that holds the data as they are: stored blocks of at most 65535 bytes. Source: RFC 1950, 1951.
inline std::string stored_zlib(std::string_view data) {
  std::string out{"\x78\x01"};
  std::uint32_t low = 1, high = 0;  // Adler-32
  for (const char each : data) {
    low = (low + static_cast<unsigned char>(each)) % 65'521;
    high = (high + low) % 65'521;
  }
  do {
    const std::string_view block = data.substr(0, 65'535);
    data.remove_prefix(block.size());
    const auto size = static_cast<unsigned>(block.size());
    for (const unsigned byte : {data.empty() ? 1u : 0u, size & 255, size >> 8, ~size & 255, ~size >> 8 & 255}) {
      out += static_cast<char>(byte);
    }
    out += block;
  } while (!data.empty());
  return out + PngChunks::number(high << 16 | low);
}

/// The picture as the bytes of a PNG file, 16-bit grey, which stb_image_write does not write; not compressed.
inline std::string stb_png_bytes(const DepthImage& image) {
  std::string rows;
  rows.reserve(image.pixels.size() * 2 + std::size_t(image.height));
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    if (i % std::size_t(image.width) == 0) rows += '\0';  // no filter
    rows += static_cast<char>(image.pixels[i] >> 8);
    rows += static_cast<char>(image.pixels[i] & 255);
  }
  PngChunks png;
  png.add("IHDR", PngChunks::number(static_cast<std::uint32_t>(image.width)) +
                      PngChunks::number(static_cast<std::uint32_t>(image.height)) + std::string("\x10\0\0\0\0", 5));
  png.add("IDAT", stored_zlib(rows));
  png.add("IEND", "");
  return std::move(png.bytes);
}

/// The picture as the bytes of a PNG file of its channels, 8 bits each. Errors: RuntimeFailure if memory fails.
template <std::size_t Channels>
std::string stb_png_bytes(const BasicImage<std::uint8_t, Channels>& image) {
  std::string out;
  const auto append = [](void* context, void* data, int count) {
    static_cast<std::string*>(context)->append(static_cast<const char*>(data), static_cast<std::size_t>(count));
  };
  constexpr int channels = Channels;
  if (!stbi_write_png_to_func(append, &out, image.width, image.height, channels, image.pixels.data(),
                              image.width * channels)) {
    fail<RuntimeFailure>({.where = "PNG encoder", .got = "out of memory"});
  }
  return out;
}

/// The picture as the bytes of a JPEG file. Shapes: quality 1 to 100. Errors: RuntimeFailure if memory fails.
inline std::string stb_jpeg_bytes(const Image& image, int quality) {
  std::string out;
  const auto append = [](void* context, void* data, int count) {
    static_cast<std::string*>(context)->append(static_cast<const char*>(data), static_cast<std::size_t>(count));
  };
  if (!stbi_write_jpg_to_func(append, &out, image.width, image.height, 3, image.pixels.data(), quality)) {
    fail<RuntimeFailure>({.where = "JPEG encoder", .got = "out of memory"});
  }
  return out;
}

}  // namespace detail
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
