// JPEG through libjpeg-turbo: header first, budget before memory, damaged files refused.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/data/image_io_exif.hpp>
#include <posemachine/data/image_io_format.hpp>

#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <jpeglib.h>
// jerror.h after jpeglib.h
#include <jerror.h>

namespace posemachine::inline POSEMACHINE_BUILD {
namespace detail {

/// Calls `step`; false if it left through longjmp(escape). Everything with a destructor lives in the caller's frame, so
/// that a jump skips none: the frames it crosses are this one, the lambda's and the C library's.
template <class F>
bool returns_normally(std::jmp_buf& escape, F&& step) {
  if (setjmp(escape) != 0) return false;
  step();
  return true;
}

/// A libjpeg decompressor that reports by jumping and keeps the reason.
class JpegDecoder {
 public:
  JpegDecoder() {
    info.err = jpeg_std_error(&errors_);
    info.client_data = this;
    errors_.error_exit = [](j_common_ptr common) {
      self(common).note(common);
      std::longjmp(self(common).escape_, 1);
    };
    // libjpeg fills up with grey and only warns when data are missing or wrong: that picture is not the one that was
    // taken. Extra bytes between markers are common in photos and harmless; a progressive file's odd order is too.
    errors_.emit_message = [](j_common_ptr common, int level) {
      const int code = common->err->msg_code;
      if (level >= 0 || code == JWRN_EXTRANEOUS_DATA || code == JWRN_BOGUS_PROGRESSION || code == JWRN_ADOBE_XFORM ||
          code == JWRN_JFIF_MAJOR) {
        return;
      }
      self(common).note(common);
      std::longjmp(self(common).escape_, 1);
    };
    errors_.output_message = [](j_common_ptr) {};
    progress_.progress_monitor = [](j_common_ptr common) {
      // A progressive file may hold thousands of tiny scans, each a pass over the whole picture; encoders write 10.
      if (reinterpret_cast<j_decompress_ptr>(common)->input_scan_number <= 200) return;
      self(common).reason_ = "more than 200 scans";
      std::longjmp(self(common).escape_, 1);
    };
  }
  JpegDecoder(const JpegDecoder&) = delete;
  JpegDecoder& operator=(const JpegDecoder&) = delete;
  ~JpegDecoder() {
    if (created_) jpeg_destroy_decompress(&info);
  }

  /// Runs one step of calls into libjpeg; DataError with libjpeg's reason if it gives up.
  template <class F>
  void run(const std::string& where, F&& step) {
    if (returns_normally(escape_, step)) return;
    fail<DataError>({.where = where, .expected = "a whole JPEG image", .got = reason_ ? reason_ : message_});
  }

  void create(const std::string& where) {
    run(where, [this] { jpeg_create_decompress(&info); });
    created_ = true;
    info.progress = &progress_;
  }

  jpeg_decompress_struct info{};

 private:
  static JpegDecoder& self(j_common_ptr common) { return *static_cast<JpegDecoder*>(common->client_data); }
  void note(j_common_ptr common) { common->err->format_message(common, message_); }

  jpeg_error_mgr errors_{};
  jpeg_progress_mgr progress_{};
  std::jmp_buf escape_{};
  char message_[JMSG_LENGTH_MAX]{};
  const char* reason_ = nullptr;
  bool created_ = false;
};

/// One row of CMYK to RGB. Adobe's files hold the inks inverted (255: none), as nearly all CMYK JPEGs do.
inline void rgb_from_cmyk(const std::uint8_t* cmyk, int width, bool inverted, std::uint8_t* rgb) {
  const auto light = [inverted](std::uint8_t ink) { return inverted ? ink : 255 - ink; };
  for (int x = 0; x < width; ++x, cmyk += 4, rgb += 3) {
    for (int c = 0; c < 3; ++c) rgb[c] = static_cast<std::uint8_t>((light(cmyk[c]) * light(cmyk[3]) + 127) / 255);
  }
}

/// Reads up to the first scan. Errors: DataError, for a picture above the limits, too.
inline void read_jpeg_header(JpegDecoder& decoder, std::span<const std::byte> bytes, const std::string& where,
                             const ImageLimits& limits) {
  jpeg_decompress_struct& info = decoder.info;
  decoder.create(where);
  decoder.run(where, [&] {
    jpeg_mem_src(&info, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    jpeg_read_header(&info, TRUE);
  });
  check_image_size(info.image_width, info.image_height, limits, where);
  const bool cmyk = info.jpeg_color_space == JCS_CMYK || info.jpeg_color_space == JCS_YCCK;
  if (!cmyk && info.num_components != 1 && info.num_components != 3) {
    fail<DataError>({.where = where,
                     .expected = "a JPEG of 1, 3 or 4 colour components",
                     .got = std::to_string(info.num_components)});
  }
}

/// The size as it is stored. Errors: as read_jpeg_header.
inline Size jpeg_size(std::span<const std::byte> bytes, const std::string& where, const ImageLimits& limits) {
  JpegDecoder decoder;
  read_jpeg_header(decoder, bytes, where, limits);
  return {static_cast<int>(decoder.info.image_height), static_cast<int>(decoder.info.image_width)};
}

/// Decodes a JPEG as it is stored, EXIF not applied. Errors: DataError.
inline Image decode_jpeg(std::span<const std::byte> bytes, const std::string& where, const ImageLimits& limits) {
  JpegDecoder decoder;
  jpeg_decompress_struct& info = decoder.info;
  read_jpeg_header(decoder, bytes, where, limits);
  const bool cmyk = info.jpeg_color_space == JCS_CMYK || info.jpeg_color_space == JCS_YCCK;
  Image image;
  image.width = static_cast<int>(info.image_width);
  image.height = static_cast<int>(info.image_height);
  const std::size_t stride = std::size_t(image.width) * 3;
  image.pixels.resize(stride * std::size_t(image.height));
  std::vector<std::uint8_t> cmyk_row(cmyk ? std::size_t(image.width) * 4 : 0);
  decoder.run(where, [&] {
    info.out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(&info);
    while (info.output_scanline < info.output_height) {
      std::uint8_t* out = image.pixels.data() + info.output_scanline * stride;
      std::uint8_t* row = cmyk ? cmyk_row.data() : out;
      jpeg_read_scanlines(&info, &row, 1);
      if (cmyk) rgb_from_cmyk(row, image.width, info.saw_Adobe_marker != 0, out);
    }
    jpeg_finish_decompress(&info);
  });
  return image;
}

}  // namespace detail
}  // namespace posemachine::inline POSEMACHINE_BUILD
