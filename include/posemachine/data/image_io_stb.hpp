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
#include <cstring>
#include <memory>
#include <span>
#include <string>

#include <stb/stb_image.h>
#include <stb/stb_image_write.h>

namespace posemachine::inline POSEMACHINE_BUILD {
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

/// Decodes a picture that image_format() has accepted, EXIF not applied. Errors: DataError.
inline Image decode_stb(std::span<const std::byte> bytes, ImageFormat format, const std::string& where,
                        const ImageLimits& limits) {
  auto [height, width] = stb_size(bytes, where, limits);
  int channels = 0;
  const auto* data = reinterpret_cast<const stbi_uc*>(bytes.data());
  const int count = static_cast<int>(bytes.size());
  const bool has_end = format == ImageFormat::jpeg ? jpeg_has_end(bytes) : png_has_end(bytes);
  if (!has_end) refuse_stb(where, "a file without its end marker");
  const std::unique_ptr<stbi_uc, void (*)(void*)> pixels(
      stbi_load_from_memory(data, count, &width, &height, &channels, 3), stbi_image_free);
  if (!pixels) refuse_stb(where, "data that stb_image refuses");
  Image image(width, height);
  std::memcpy(image.pixels.data(), pixels.get(), image.pixels.size());
  return image;
}

/// The picture as the bytes of a PNG file, 8-bit RGB. Errors: RuntimeFailure if memory fails.
inline std::string stb_png_bytes(const Image& image) {
  std::string out;
  const auto append = [](void* context, void* data, int count) {
    static_cast<std::string*>(context)->append(static_cast<const char*>(data), static_cast<std::size_t>(count));
  };
  if (!stbi_write_png_to_func(append, &out, image.width, image.height, 3, image.pixels.data(), image.width * 3)) {
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
}  // namespace posemachine::inline POSEMACHINE_BUILD
