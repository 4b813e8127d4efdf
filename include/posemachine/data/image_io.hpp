// The image door: pictures in, upright, as 8-bit RGB or the kind that is asked for; PNG and JPEG pictures out.
#pragma once

#include <posemachine/base/files.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/data/image_io_exif.hpp>
#include <posemachine/data/image_io_format.hpp>
#include <posemachine/data/image_kinds.hpp>
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
#include <type_traits>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// An image file's header: all that it says before its pixels.
struct ImageHeader {
  ImageFormat format = ImageFormat::jpeg;
  Size size;          // as decode_image() returns the picture: turned upright
  int bit_depth = 8;  // of a sample; 16 for PNG files that say so
  bool grey = false;  // one channel of colour, perhaps beside alpha
};

namespace detail {

inline int exif_orientation(std::span<const std::byte> bytes, ImageFormat format) {
  return format == ImageFormat::jpeg ? jpeg_header(bytes).orientation : png_orientation(bytes);
}

// As image_header(), of the picture as it is stored, from the beginning of the file alone.
inline ImageHeader stored_header(std::span<const std::byte> beginning, const std::string& where,
                                 const ImageLimits& limits) {
  ImageHeader header{.format = image_format(beginning, where), .size = {}};
#if defined(POSEMACHINE_IMAGE_STB)
  header.size = stb_size(beginning, where, limits);
#else
  header.size =
      header.format == ImageFormat::jpeg ? jpeg_size(beginning, where, limits) : png_size(beginning, where, limits);
#endif
  if (header.format == ImageFormat::png) {
    const StoredSamples samples = png_samples(beginning);
    header.bit_depth = samples.bit_depth;
    header.grey = samples.grey;
  } else {
    header.grey = jpeg_header(beginning).components == 1;
  }
  return header;
}

inline ImageHeader upright(ImageHeader header, int orientation) {
  if (orientation >= 5) std::swap(header.size.height, header.size.width);
  return header;
}

}  // namespace detail

/// The header of a JPEG or PNG file held in memory.
/// Errors: DataError for another format, a picture above the limits, or a header that is damaged or not whole: nothing
/// that decode_image would take.
inline ImageHeader image_header(std::span<const std::byte> bytes, const std::string& where,
                                const ImageLimits& limits = {}) {
  const ImageHeader stored = detail::stored_header(bytes, where, limits);
  return detail::upright(stored, detail::exif_orientation(bytes, stored.format));
}

namespace detail {

// To 8-bit RGB, whatever the file holds.
inline Image decode_rgb(std::span<const std::byte> bytes, const std::string& where, const ImageLimits& limits) {
  const ImageFormat format = image_format(bytes, where);
#if defined(POSEMACHINE_IMAGE_STB)
  Image image = decode_stb<Image>(bytes, format, where, limits);
#else
  Image image =
      format == ImageFormat::jpeg ? decode_jpeg(bytes, where, limits) : decode_png<Image>(bytes, where, limits);
#endif
  return upright(std::move(image), exif_orientation(bytes, format));
}

// To 16-bit samples of one channel or three, of a PNG that has them.
template <class Picture>
Picture decode_16_bits(std::span<const std::byte> bytes, const std::string& where, const ImageLimits& limits) {
#if defined(POSEMACHINE_IMAGE_STB)
  Picture image = decode_stb<Picture>(bytes, ImageFormat::png, where, limits);
#else
  Picture image = decode_png<Picture>(bytes, where, limits);
#endif
  return upright(std::move(image), png_orientation(bytes));
}

}  // namespace detail

/// Decodes a JPEG or PNG file held in memory, turned upright by its EXIF orientation: into 8-bit RGB, or into the
/// kind of picture that is named. `where` names the file in messages.
/// Image: grey, palette, CMYK and 16-bit pictures become 8-bit RGB. GreyImage: the luma of that. DepthImage: a PNG of
/// 16 bits keeps them, one of three channels becomes luma. Alpha is dropped.
/// Errors: DataError for another format, a picture above the limits (read from the header, before any allocation), a
/// damaged or truncated file, or a DepthImage from samples of fewer bits.
template <class Picture = Image>
Picture decode_image(std::span<const std::byte> bytes, const std::string& where, const ImageLimits& limits = {}) {
  if constexpr (std::is_same_v<Picture, Image>) {
    return detail::decode_rgb(bytes, where, limits);
  } else if constexpr (std::is_same_v<Picture, GreyImage>) {
    return luma(detail::decode_rgb(bytes, where, limits));
  } else {
    static_assert(std::is_same_v<Picture, DepthImage>, "decode_image: Image, GreyImage or DepthImage");
    const ImageHeader header = image_header(bytes, where, limits);
    require_bit_depth(header.bit_depth, 16, where);
    if (header.grey) return detail::decode_16_bits<DepthImage>(bytes, where, limits);
    return luma(detail::decode_16_bits<BasicImage<std::uint16_t, 3>>(bytes, where, limits));
  }
}

/// The same, where only the program's input tells the kind. Errors: as decode_image.
inline AnyImage decode_image_as(PixelKind kind, std::span<const std::byte> bytes, const std::string& where,
                                const ImageLimits& limits = {}) {
  if (kind == PixelKind::grey8) return decode_image<GreyImage>(bytes, where, limits);
  if (kind == PixelKind::grey16) return decode_image<DepthImage>(bytes, where, limits);
  return decode_image(bytes, where, limits);
}

/// Reads and decodes an image file. Errors: DataError if it is missing, no regular file, unreadable or too large, and
/// for everything decode_image refuses.
template <class Picture = Image>
Picture read_image(const std::filesystem::path& path, const ImageLimits& limits = {}) {
  const std::string bytes = read_file<DataError>(path, limits.max_file_bytes);
  return decode_image<Picture>(std::as_bytes(std::span(bytes.data(), bytes.size())), path.string(), limits);
}

/// The same, where only the program's input tells the kind. Errors: as read_image.
inline AnyImage read_image_as(PixelKind kind, const std::filesystem::path& path, const ImageLimits& limits = {}) {
  const std::string bytes = read_file<DataError>(path, limits.max_file_bytes);
  return decode_image_as(kind, std::as_bytes(std::span(bytes.data(), bytes.size())), path.string(), limits);
}

/// Reads the header of an image file, and no more of the file than it takes: 30 us where a JPEG is in memory.
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
    std::optional<ImageHeader> stored;
    try {
      stored = detail::stored_header(beginning, path.string(), limits);
    } catch (const DataError&) {
      if (bytes.size() < wanted) throw;  // the whole file
      continue;
    }
    if (stored->format == ImageFormat::jpeg)
      return detail::upright(*stored, detail::jpeg_header(beginning).orientation);
    const auto read_at = [&](std::uint64_t at, std::span<std::byte> out) { return file.read_at(at, out); };
    return detail::upright(*stored, detail::png_orientation(file.size(), read_at));  // it may stand behind the pixels
  }
}

/// Reads an image file for people to look at: 16-bit grey as displayable() spreads it, all else as read_image does.
/// Errors: as read_image.
inline Image read_displayable(const std::filesystem::path& path, const ImageLimits& limits = {}) {
  const ImageHeader header = read_image_header(path, limits);
  if (header.grey && header.bit_depth == 16) return displayable(read_image<DepthImage>(path, limits));
  return read_image(path, limits);
}

namespace detail {

inline void check_encodable(ImageView image, const std::string& where, int most) {
  const int width = image.width(), height = image.height();
  if (width >= 1 && height >= 1 && width <= most && height <= most) return;
  fail<UsageError>({.where = where,
                    .expected = "a picture of at least 1 x 1 pixels, sides up to " + std::to_string(most),
                    .got = std::to_string(width) + " x " + std::to_string(height)});
}

}  // namespace detail

/// The picture as the bytes of a PNG file of its channels and bits. Errors: UsageError for an empty picture, or sides
/// above a million.
inline std::string encode_png(ImageView view) {
  detail::check_encodable(view, "encode_png", 1'000'000);  // libpng's own limit
#if defined(POSEMACHINE_IMAGE_STB)
  return view.visit([](const auto& image) { return detail::stb_png_bytes(image); });
#else
  return view.visit([](const auto& image) { return detail::png_bytes(image); });
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
inline void write_png(const std::filesystem::path& path, ImageView image) {
  write_file_atomically(path, encode_png(image));
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
