// What an image file is before anything decodes it: its format by its first bytes, and the limits every decoder keeps.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// What a picture may cost; larger ones are refused from their header, before memory is allocated for them.
struct ImageLimits {
  std::int64_t max_pixels = 64'000'000;         // width * height; three samples each once decoded
  std::uintmax_t max_file_bytes = 256'000'000;  // of the file as it is stored
};

enum class ImageFormat { jpeg, png };

/// The format that a file's name says: .png, .jpg or .jpeg, in whatever case. None for other endings.
inline std::optional<ImageFormat> format_of_name(const std::filesystem::path& file) {
  std::string ending = file.extension().string();
  for (char& letter : ending) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  if (ending == ".png") return ImageFormat::png;
  if (ending == ".jpg" || ending == ".jpeg") return ImageFormat::jpeg;
  return std::nullopt;
}

namespace detail {

/// Names of formats that are recognised in order to be refused by name.
inline std::string_view unsupported_format_name(std::string_view head) {
  const auto at = [head](std::size_t offset, std::string_view magic) {
    return head.size() >= offset + magic.size() && head.substr(offset, magic.size()) == magic;
  };
  using namespace std::string_view_literals;
  if (at(0, "GIF8")) return "a GIF image";
  if (at(0, "BM")) return "a BMP image";
  if (at(0, "RIFF") && at(8, "WEBP")) return "a WebP image";
  if (at(0, "II*\0"sv) || at(0, "MM\0*"sv)) return "a TIFF image";
  if (at(0, "8BPS")) return "a Photoshop image";
  if (at(0, "#?RADIANCE") || at(0, "#?RGBE")) return "a Radiance HDR image";
  if (at(4, "ftypavif") || at(4, "ftypavis")) return "an AVIF image";
  if (at(4, "ftyphei") || at(4, "ftyphev") || at(4, "ftypmif1")) return "a HEIC image";
  if (at(4, "ftyp")) return "a video";
  if (at(0, "\xff\x0a") || at(0, "\0\0\0\x0cJXL "sv)) return "a JPEG XL image";
  if (at(0, "\0\0\0\x0cjP  "sv) || at(0, "\xff\x4f\xff\x51")) return "a JPEG 2000 image";
  if (at(0, "qoif")) return "a QOI image";
  if (at(0, "%PDF")) return "a PDF document";
  if (head.size() >= 2 && head[0] == 'P' && head[1] >= '1' && head[1] <= '7') return "a portable anymap (PNM)";
  if (at(0, "<svg") || at(0, "<?xml")) return "an SVG or XML document";
  return "no image format we know";
}

/// The format by the first bytes. Errors: DataError naming `where` and what the bytes look like.
inline ImageFormat image_format(std::span<const std::byte> bytes, const std::string& where) {
  const std::string_view head(reinterpret_cast<const char*>(bytes.data()), bytes.size() < 16 ? bytes.size() : 16);
  if (head.starts_with("\xff\xd8\xff")) return ImageFormat::jpeg;
  if (head.starts_with("\x89PNG\r\n\x1a\n")) return ImageFormat::png;
  fail<DataError>({.where = where,
                   .expected = "a JPEG or PNG image",
                   .got = bytes.empty() ? "an empty file" : std::string(unsupported_format_name(head)),
                   .remedy = bytes.empty() ? "" : "convert it to JPEG or PNG"});
}

/// Bits and channels of a file's samples.
struct StoredSamples {
  int bit_depth = 8;
  bool grey = false;
};

/// Reads them from the header chunk of a PNG, which comes first. Source: PNG 1.2, 4.1.1.
inline StoredSamples png_samples(std::span<const std::byte> bytes) {
  constexpr std::size_t name_at = 12, depth_at = 24, colour_type_at = 25;
  if (bytes.size() <= colour_type_at || std::memcmp(bytes.data() + name_at, "IHDR", 4) != 0) return {};
  const int depth = std::to_integer<int>(bytes[depth_at]);
  const int colour_type = std::to_integer<int>(bytes[colour_type_at]);  // 0 grey, 4 grey and alpha
  return {depth == 16 ? 16 : 8, colour_type == 0 || colour_type == 4};
}

/// Refuses an empty picture and one above the budget. Errors: DataError.
inline void check_image_size(std::int64_t width, std::int64_t height, const ImageLimits& limits,
                             const std::string& where) {
  // 65535: the most JPEG can say; it also keeps every later product far from overflow.
  const bool sane = width > 0 && height > 0 && width <= 65'535 && height <= 65'535;
  if (sane && width * height <= limits.max_pixels) return;
  fail<DataError>({.where = where,
                   .expected = "between 1 and " + std::to_string(limits.max_pixels) + " pixels, sides up to 65535",
                   .got = std::to_string(width) + " x " + std::to_string(height),
                   .remedy = "shrink the image or raise the pixel limit"});
}

}  // namespace detail
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
