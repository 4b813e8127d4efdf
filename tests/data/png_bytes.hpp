// PNG files of every kind that decoders meet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <png.h>

namespace test_environment {

struct PngOptions {
  int type = PNG_COLOR_TYPE_RGB;
  int depth = 8;
  bool interlaced = false;
};

/// Encodes rows of equal length, as PNG has them: the high byte of 16 first.
inline std::string png(int width, int height, PngOptions options, std::vector<std::uint8_t> rows) {
  std::string out;
  png_structp codec = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(codec);
  png_set_write_fn(
      codec, &out,
      [](png_structp p, png_bytep data, std::size_t n) {
        static_cast<std::string*>(png_get_io_ptr(p))->append(reinterpret_cast<const char*>(data), n);
      },
      [](png_structp) {});
  png_set_IHDR(codec, info, static_cast<png_uint_32>(width), static_cast<png_uint_32>(height), options.depth,
               options.type, options.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  const png_color palette[]{{10, 20, 30}, {200, 100, 50}, {0, 255, 0}, {1, 2, 3}};
  if (options.type == PNG_COLOR_TYPE_PALETTE) {
    png_set_PLTE(codec, info, palette, 4);
    const png_byte transparent[]{0, 128};
    png_set_tRNS(codec, info, transparent, 2, nullptr);
  }
  png_write_info(codec, info);
  std::vector<png_bytep> pointers;
  const std::size_t row = rows.size() / std::size_t(height);
  for (int y = 0; y < height; ++y) pointers.push_back(rows.data() + std::size_t(y) * row);
  png_write_image(codec, pointers.data());
  png_write_end(codec, info);
  png_destroy_write_struct(&codec, &info);
  return out;
}

}  // namespace test_environment
