// The image door: photographs in, as upright 8-bit RGB; PNG and JPEG pictures out.
#pragma once

#include <posemachine/base/files.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/data/image_io_exif.hpp>
#include <posemachine/data/image_io_format.hpp>
#if defined(POSEMACHINE_IMAGE_STB)
#include <posemachine/data/image_io_stb.hpp>
#else
#include <posemachine/data/image_io_jpeg.hpp>
#include <posemachine/data/image_io_png.hpp>
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace posemachine::inline POSEMACHINE_BUILD {

/// Decodes a JPEG or PNG file held in memory, turned upright by a JPEG's EXIF orientation. Grey, palette, CMYK and
/// 16-bit pictures become 8-bit RGB; alpha is dropped. `where` names the file in messages.
/// Errors: DataError for another format, a picture above the limits (read from the header, before any allocation), or a
/// damaged or truncated file.
inline Image decode_image(std::span<const std::byte> bytes, const std::string& where, const ImageLimits& limits = {}) {
  const ImageFormat format = detail::image_format(bytes, where);
#if defined(POSEMACHINE_IMAGE_STB)
  Image image = detail::decode_stb(bytes, format, where, limits);
#else
  Image image = format == ImageFormat::jpeg ? detail::decode_jpeg(bytes, where, limits)
                                            : detail::decode_png(bytes, where, limits);
#endif
  if (format == ImageFormat::png) return image;
  return detail::upright(std::move(image), detail::jpeg_header(bytes).orientation);
}

/// Reads and decodes an image file. Errors: DataError if it is missing, no regular file, unreadable or too large, and
/// for everything decode_image refuses.
inline Image read_image(const std::filesystem::path& path, const ImageLimits& limits = {}) {
  const std::string bytes = read_file<DataError>(path, limits.max_file_bytes);
  return decode_image(std::as_bytes(std::span(bytes.data(), bytes.size())), path.string(), limits);
}

/// An image file's header: all that it says before its pixels.
struct ImageHeader {
  ImageFormat format = ImageFormat::jpeg;
  Size size;  // as decode_image() returns the picture: turned upright
};

/// The header of a JPEG or PNG file held in memory, or of its beginning.
/// Errors: DataError for another format, a picture above the limits, or a header that is damaged or not whole: nothing
/// that decode_image would take.
inline ImageHeader image_header(std::span<const std::byte> bytes, const std::string& where,
                                const ImageLimits& limits = {}) {
  ImageHeader header{.format = detail::image_format(bytes, where), .size = {}};
#if defined(POSEMACHINE_IMAGE_STB)
  header.size = detail::stb_size(bytes, where, limits);
#else
  header.size = header.format == ImageFormat::jpeg ? detail::jpeg_size(bytes, where, limits)
                                                   : detail::png_size(bytes, where, limits);
#endif
  const bool turned = header.format == ImageFormat::jpeg && detail::jpeg_header(bytes).orientation >= 5;
  if (turned) std::swap(header.size.height, header.size.width);
  return header;
}

/// Reads the header of an image file, and no more of the file than it takes: 30 us where it is in memory.
/// Errors: DataError if the file is missing, no regular file, unreadable or too large, and for everything image_header
/// refuses.
inline ImageHeader read_image_header(const std::filesystem::path& path, const ImageLimits& limits = {}) {
  InputFile<DataError> file(path);
  file.require_at_most(limits.max_file_bytes);
  std::string bytes;
  // Profiles and previews stand before the size in some files: then 16 times as much is read.
  for (std::uint64_t wanted = 16'384;; wanted *= 16) {
    const std::size_t before = bytes.size();
    bytes.resize(static_cast<std::size_t>(std::min(wanted, file.size())));
    bytes.resize(before + file.read(bytes.data() + before, bytes.size() - before));
    const std::span<const std::byte> beginning = std::as_bytes(std::span(bytes.data(), bytes.size()));
    detail::image_format(beginning, path.string());  // another format stays one however much is read
    try {
      return image_header(beginning, path.string(), limits);
    } catch (const DataError&) {
      if (bytes.size() < wanted) throw;  // the whole file
    }
  }
}

namespace detail {

inline void check_encodable(const Image& image, const std::string& where, int most) {
  if (image.width >= 1 && image.height >= 1 && image.width <= most && image.height <= most) return;
  fail<UsageError>({.where = where,
                    .expected = "a picture of at least 1 x 1 pixels, sides up to " + std::to_string(most),
                    .got = std::to_string(image.width) + " x " + std::to_string(image.height)});
}

}  // namespace detail

/// The picture as the bytes of a PNG file, 8-bit RGB. Errors: UsageError for an empty picture, or sides above a
/// million.
inline std::string encode_png(const Image& image) {
  detail::check_encodable(image, "encode_png", 1'000'000);  // libpng's own limit
#if defined(POSEMACHINE_IMAGE_STB)
  return detail::stb_png_bytes(image);
#else
  return detail::png_bytes(image);
#endif
}

/// The picture as the bytes of a baseline JPEG file. Shapes: quality 1 to 100. Errors: UsageError for an empty picture,
/// sides above 65500 (libjpeg's limit), or another quality.
inline std::string encode_jpeg(const Image& image, int quality = 90) {
  detail::check_encodable(image, "encode_jpeg", 65'500);
  if (quality < 1 || quality > 100) {
    fail<UsageError>({.where = "encode_jpeg: quality", .expected = "1 to 100", .got = std::to_string(quality)});
  }
#if defined(POSEMACHINE_IMAGE_STB)
  return detail::stb_jpeg_bytes(image, quality);
#else
  return detail::jpeg_bytes(image, quality);
#endif
}

/// The format that a file's name asks for. Errors: UsageError where format_of_name has none.
inline ImageFormat format_by_name(const std::filesystem::path& file) {
  if (const std::optional<ImageFormat> format = format_of_name(file)) return *format;
  const std::string ending = file.extension().string();
  fail<UsageError>({.where = file.string(),
                    .expected = "a picture's name that ends in .png, .jpg or .jpeg",
                    .got = ending.empty() ? "no ending" : "\"" + ending + "\""});
}

/// Errors: as encode_png and encode_jpeg.
inline std::string encode_image(const Image& image, ImageFormat format) {
  return format == ImageFormat::png ? encode_png(image) : encode_jpeg(image);
}

/// Writes the picture in the format of the file's ending: whole or not at all. Errors: UsageError for an ending that
/// format_by_name refuses; RuntimeFailure if the file cannot be written.
inline void write_image(const std::filesystem::path& path, const Image& image) {
  write_file_atomically(path, encode_image(image, format_by_name(path)));
}

/// Writes the picture as a PNG file: whole or not at all. Errors: RuntimeFailure if the file cannot be written.
inline void write_png(const std::filesystem::path& path, const Image& image) {
  write_file_atomically(path, encode_png(image));
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
