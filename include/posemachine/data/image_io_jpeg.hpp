// JPEG through libjpeg-turbo: header first, budget before memory, damaged files refused; and the encoder for pictures
// we make.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/data/image_io_exif.hpp>
#include <posemachine/data/image_io_format.hpp>

#include <array>
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

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
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

/// Decodes a JPEG as it is stored, EXIF not applied, at 1, 1/2, 1/4 or 1/8 of its sides, rounded up: factor_of(stored
/// size) says by which of 1, 2, 4 and 8 they are divided, before any pixel is decoded. Each pixel is the mean of the
/// factor x factor ones that it covers; what the last cells lack is filled as the encoder filled up its blocks.
/// Errors: DataError, for the same files whatever the factor.
template <class FactorOf>
Image decode_jpeg(std::span<const std::byte> bytes, const std::string& where, const ImageLimits& limits,
                  const FactorOf& factor_of) {
  JpegDecoder decoder;
  jpeg_decompress_struct& info = decoder.info;
  read_jpeg_header(decoder, bytes, where, limits);
  const bool cmyk = info.jpeg_color_space == JCS_CMYK || info.jpeg_color_space == JCS_YCCK;
  const int factor = factor_of(Size{static_cast<int>(info.image_height), static_cast<int>(info.image_width)});
  decoder.run(where, [&] {
    info.out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
    info.scale_num = 1;
    info.scale_denom = static_cast<unsigned>(factor);
    jpeg_calc_output_dimensions(&info);
  });
  Image image;
  image.width = static_cast<int>(info.output_width);
  image.height = static_cast<int>(info.output_height);
  const std::size_t stride = std::size_t(image.width) * 3;
  image.pixels.resize(stride * std::size_t(image.height));
  std::vector<std::uint8_t> cmyk_row(cmyk ? std::size_t(image.width) * 4 : 0);
  decoder.run(where, [&] {
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

/// The same, whole.
inline Image decode_jpeg(std::span<const std::byte> bytes, const std::string& where, const ImageLimits& limits) {
  return decode_jpeg(bytes, where, limits, [](Size) { return 1; });
}

/// A libjpeg compressor into a string that reports by jumping and keeps the reason.
class JpegEncoder {
 public:
  JpegEncoder() {
    info.err = jpeg_std_error(&errors_);
    info.client_data = this;
    errors_.error_exit = [](j_common_ptr common) {
      common->err->format_message(common, self(common).message_);
      std::longjmp(self(common).escape_, 1);
    };
    errors_.output_message = [](j_common_ptr) {};
    // Not jpeg_mem_dest: after a jump its buffer may be one that it has freed.
    destination_.init_destination = [](j_compress_ptr codec) { of(codec).begin_chunk(); };
    destination_.empty_output_buffer = [](j_compress_ptr codec) -> boolean {
      of(codec).store(chunk_bytes);
      of(codec).begin_chunk();
      return TRUE;
    };
    destination_.term_destination = [](j_compress_ptr codec) {
      of(codec).store(chunk_bytes - of(codec).destination_.free_in_buffer);
    };
  }
  JpegEncoder(const JpegEncoder&) = delete;
  JpegEncoder& operator=(const JpegEncoder&) = delete;
  ~JpegEncoder() { jpeg_destroy_compress(&info); }  // which takes one that was not created, too

  /// Runs the calls into libjpeg; false if it gives up, and then message() is its reason.
  template <class F>
  bool run(F&& step) {
    return returns_normally(escape_, [&] {
      jpeg_create_compress(&info);
      info.dest = &destination_;
      step();
    });
  }
  const char* message() const { return message_; }

  jpeg_compress_struct info{};
  std::string bytes;

 private:
  static constexpr std::size_t chunk_bytes = 65536;
  static JpegEncoder& self(j_common_ptr common) { return *static_cast<JpegEncoder*>(common->client_data); }
  static JpegEncoder& of(j_compress_ptr codec) { return *static_cast<JpegEncoder*>(codec->client_data); }

  void begin_chunk() {
    destination_.next_output_byte = chunk_.data();
    destination_.free_in_buffer = chunk_bytes;
  }
  void store(std::size_t count) {
    bool stored = true;
    try {  // an exception must not cross libjpeg's frames
      bytes.append(reinterpret_cast<const char*>(chunk_.data()), count);
    } catch (...) {
      stored = false;
    }
    if (stored) return;
    std::snprintf(message_, sizeof message_, "%s", "out of memory");
    std::longjmp(escape_, 1);
  }

  jpeg_error_mgr errors_{};
  jpeg_destination_mgr destination_{};
  std::array<JOCTET, chunk_bytes> chunk_;
  std::jmp_buf escape_{};
  char message_[JMSG_LENGTH_MAX]{};
};

/// The picture as the bytes of a JPEG file. Shapes: quality 1 to 100. Errors: RuntimeFailure if libjpeg or memory
/// fails.
inline std::string jpeg_bytes(const Image& image, int quality) {
  JpegEncoder encoder;
  jpeg_compress_struct& info = encoder.info;
  const bool done = encoder.run([&] {
    info.image_width = static_cast<JDIMENSION>(image.width);
    info.image_height = static_cast<JDIMENSION>(image.height);
    info.input_components = 3;
    info.in_color_space = JCS_RGB;
    jpeg_set_defaults(&info);
    jpeg_set_quality(&info, quality, TRUE);
    // Colour at full resolution: limbs are thin lines of bright colours, which libjpeg's halves would smear.
    for (int c = 0; c < info.num_components; ++c) info.comp_info[c].h_samp_factor = info.comp_info[c].v_samp_factor = 1;
    jpeg_start_compress(&info, TRUE);
    const std::size_t stride = std::size_t(image.width) * 3;
    while (info.next_scanline < info.image_height) {
      auto* row = const_cast<JSAMPLE*>(image.pixels.data() + info.next_scanline * stride);  // libjpeg only reads it
      jpeg_write_scanlines(&info, &row, 1);
    }
    jpeg_finish_compress(&info);
  });
  if (!done) fail<RuntimeFailure>({.where = "JPEG encoder", .got = encoder.message()});
  return std::move(encoder.bytes);
}

}  // namespace detail
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
