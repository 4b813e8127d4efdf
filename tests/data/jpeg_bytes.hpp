// JPEG files of every kind that decoders meet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <jpeglib.h>

namespace test_environment {

struct JpegOptions {
  J_COLOR_SPACE stored = JCS_YCbCr;
  J_COLOR_SPACE given = JCS_RGB;
  bool progressive = false;
  bool adobe = true;
  unsigned restart = 0;  // MCUs between restart markers
  int quality = 98;
};

/// Encodes rows of `components` bytes a pixel.
inline std::string jpeg(int width, int height, int components, std::vector<std::uint8_t> pixels,
                        JpegOptions options = {}) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* data = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &data, &size);
  info.image_width = static_cast<JDIMENSION>(width);
  info.image_height = static_cast<JDIMENSION>(height);
  info.input_components = components;
  info.in_color_space = options.given;
  jpeg_set_defaults(&info);
  jpeg_set_colorspace(&info, options.stored);
  jpeg_set_quality(&info, options.quality, TRUE);
  if (options.progressive) jpeg_simple_progression(&info);
  if (!options.adobe) info.write_Adobe_marker = FALSE;
  info.restart_interval = options.restart;
  jpeg_start_compress(&info, TRUE);
  while (info.next_scanline < info.image_height) {
    auto* row = pixels.data() + std::size_t(info.next_scanline) * std::size_t(width * components);
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  std::string out(reinterpret_cast<char*>(data), size);
  std::free(data);
  return out;
}

}  // namespace test_environment
