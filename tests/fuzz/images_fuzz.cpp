// JPEG and PNG files; a PNG also with the checksums that its chunks would have, which damage alone never gets past.
#include "data/jpeg_bytes.hpp"
#include "fuzz/harness.hpp"

#include <posemachine/core/image.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/data/reduced_image.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <jpeglib.h>
#include <zlib.h>

namespace images_fuzz {

using namespace posemachine;

namespace {

// 64 kpx: a picture of a few bytes is decoded in little time whatever its header says.
constexpr ImageLimits limits{.max_pixels = 65'536, .max_file_bytes = 1'000'000};

void put_u32(std::string& to, std::size_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) to += static_cast<char>(value >> shift & 255U);
}

void put_chunk(std::string& png, const std::string& type, const std::string& data) {
  put_u32(png, data.size());
  const std::string summed = type + data;
  png += summed;
  put_u32(png, crc32(0, reinterpret_cast<const Bytef*>(summed.data()), static_cast<uInt>(summed.size())));
}

constexpr std::size_t magic_bytes = 8, around_chunk = 12;  // length and type before its data, checksum behind it

// A picture of noughts, as libpng reads every kind of them. Shapes: 5 x 5.
std::string png(int depth, int colour, bool interlaced) {
  std::string file("\x89PNG\r\n\x1a\n", magic_bytes), header;
  put_u32(header, 5), put_u32(header, 5);
  for (const int byte : {depth, colour, 0, 0, interlaced ? 1 : 0}) header += static_cast<char>(byte);
  put_chunk(file, "IHDR", header);
  if (colour == 3) put_chunk(file, "PLTE", std::string("\1\2\3\4\5\6", 6));
  if (colour == 3) put_chunk(file, "tRNS", "\x80");
  const std::string rows(512, '\0');  // more than any of them needs
  uLongf size = compressBound(rows.size());
  std::string packed(size, '\0');
  compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(rows.data()), rows.size());
  packed.resize(size);
  put_chunk(file, "IDAT", packed);
  put_chunk(file, "IEND", "");
  return file;
}

std::string with_right_checksums(const std::string& file) {
  std::string mended = file.substr(0, magic_bytes);
  std::size_t at = magic_bytes;
  while (at + around_chunk <= file.size()) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) length = length << 8 | static_cast<unsigned char>(file[at + i]);
    if (length > file.size() - at - around_chunk) break;
    put_chunk(mended, file.substr(at + 4, 4), file.substr(at + 8, length));
    at += around_chunk + length;
  }
  return mended + file.substr(at);
}

std::string jpeg(J_COLOR_SPACE colours, int components, bool progressive, unsigned restart) {
  constexpr int side = 20;
  std::vector<std::uint8_t> pixels(std::size_t{side} * side * static_cast<std::size_t>(components));
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(7 * i + i / 60 * 13);
  const J_COLOR_SPACE stored = colours == JCS_RGB ? JCS_YCbCr : colours;
  return test_environment::jpeg(side, side, components, std::move(pixels),
                                {.stored = stored, .given = colours, .progressive = progressive, .restart = restart});
}

std::vector<std::string> seeds() {
  std::vector<std::string> files{jpeg(JCS_RGB, 3, false, 0), jpeg(JCS_RGB, 3, true, 0),
                                 jpeg(JCS_GRAYSCALE, 1, false, 2), jpeg(JCS_CMYK, 4, false, 0),
                                 encode_png(Image(3, 2))};
  const std::string exif(
      "\xff\xe1\0\x22"
      "Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0",
      36);
  files.push_back(files[0].substr(0, 2) + exif + files[0].substr(2));  // orientation 6
  std::string empty_block;
  put_chunk(empty_block, "eXIf", "");
  files.push_back(png(8, 2, false) + empty_block);
  for (const auto& [depth, colour] :
       std::vector<std::array<int, 2>>{{1, 0}, {16, 0}, {8, 2}, {16, 2}, {2, 3}, {8, 4}, {16, 6}}) {
    files.push_back(png(depth, colour, false));
    files.push_back(png(depth, colour, true));
  }
  return files;
}

// Every factor refuses what the whole picture is refused for, and nothing else.
void decode_reduced_too(std::span<const std::byte> bytes, const Size* whole) {
  for (const int factor : {2, 4, 8}) {
    std::optional<ReducedImage> reduced;
    try {
      reduced = decode_reduced(PixelKind::rgb8, bytes, "picture", [factor](Size) { return factor; }, limits);
    } catch (const DataError&) {
    }
    fuzz::require(reduced.has_value() == (whole != nullptr), "a picture is decoded at all factors or at none");
    if (!reduced) continue;
    const ImageView view(reduced->picture);
    fuzz::require(reduced->whole == *whole, "a reduced picture knows the size of the whole one");
    fuzz::require(view.width() == (whole->width + factor - 1) / factor, "its width is rounded up");
    fuzz::require(view.height() == (whole->height + factor - 1) / factor, "its height is rounded up");
    const std::size_t pixels = static_cast<std::size_t>(view.width()) * static_cast<std::size_t>(view.height());
    fuzz::require(std::get<Image>(reduced->picture).pixels.size() == 3 * pixels, "whole pixels of reduced pictures");
  }
}

// Decodes whole, and reduced as well.
Image decode_at_all_factors(std::span<const std::byte> bytes) {
  std::optional<Image> image;
  try {
    image = decode_image(bytes, "picture", limits);
  } catch (const DataError&) {
    decode_reduced_too(bytes, nullptr);
    throw;
  }
  const Size whole{image->height, image->width};
  decode_reduced_too(bytes, &whole);
  return std::move(*image);
}

void decode(const std::string& input) {
  const std::span<const std::byte> bytes = std::as_bytes(std::span(input.data(), input.size()));
  std::optional<ImageHeader> header;
  try {
    header = image_header(bytes, "picture", limits);
  } catch (const DataError&) {  // then the picture is refused, too
  }
  const Image image = decode_at_all_factors(bytes);
  fuzz::require(header && header->size == Size{image.height, image.width}, "the header says the picture's size");
  const std::size_t pixels = static_cast<std::size_t>(image.height) * static_cast<std::size_t>(image.width);
  fuzz::require(image.pixels.size() == 3 * pixels, "whole pixels");
  std::size_t samples = 0;
  try {
    samples = decode_image<DepthImage>(bytes, "picture", limits).pixels.size();
  } catch (const DataError&) {
    fuzz::require(header->bit_depth == 8, "a picture of 16 bits that becomes 8 is read in 16, too");
    return;
  }
  fuzz::require(header->bit_depth == 16 && samples == pixels, "whole samples of 16 bits, where the header says so");
}

void read(const std::string& input) {
  if (input.starts_with("\x89PNG\r\n\x1a\n")) {
    try {
      decode(with_right_checksums(input));
    } catch (const DataError&) {  // the file itself may be read all the same
    }
  }
  decode(input);
}

const bool added = fuzz::add({"images", seeds, read, fuzz::refuses_with<DataError>});

}  // namespace

}  // namespace images_fuzz
