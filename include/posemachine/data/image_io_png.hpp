// PNG through libpng: header first, budget before memory, damaged files refused; and the encoder for pictures we make.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/data/image_io_format.hpp>

#include <bit>
#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <span>
#include <string>

#include <png.h>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace detail {

/// A libpng reader or writer that reports by jumping and keeps the reason.
class PngCodec {
 public:
  enum class Mode { read, write };

  explicit PngCodec(Mode mode) : mode_(mode) {
    const auto on_error = [](png_structp codec, png_const_charp text) {
      auto& self = *static_cast<PngCodec*>(png_get_error_ptr(codec));
      std::snprintf(self.message_, sizeof self.message_, "%s", text);
      std::longjmp(self.escape_, 1);
    };
    const auto on_warning = [](png_structp, png_const_charp) {};  // ancillary chunks: the pixels are right
    png = mode == Mode::read ? png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning)
                             : png_create_write_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
    if (png) info = png_create_info_struct(png);
  }
  PngCodec(const PngCodec&) = delete;
  PngCodec& operator=(const PngCodec&) = delete;
  ~PngCodec() {
    if (mode_ == Mode::read) {
      png_destroy_read_struct(&png, &info, nullptr);
    } else {
      png_destroy_write_struct(&png, &info);
    }
  }

  /// Runs one step of calls into libpng; false if it gives up, and then message() is its reason. Nothing with a
  /// destructor may be made inside `step`: a jump would skip it.
  template <class F>
  bool run(F&& step) {
    if (!png || !info) {
      std::snprintf(message_, sizeof message_, "%s", "out of memory");
      return false;
    }
    if (setjmp(escape_) != 0) return false;
    step();
    return true;
  }
  const char* message() const { return message_; }

  png_structp png = nullptr;
  png_infop info = nullptr;

 private:
  Mode mode_;
  std::jmp_buf escape_{};
  char message_[200]{};
};

/// Ends with DataError and libpng's reason where it gave up.
inline void require_whole_png(bool whole, const PngCodec& codec, const std::string& where) {
  if (!whole) fail<DataError>({.where = where, .expected = "a whole PNG image", .got = codec.message()});
}

/// Reads up to the pixels, `rest` being what follows. Errors: DataError, for a picture above the limits, too.
inline Size read_png_header(PngCodec& codec, std::span<const std::byte>& rest, const std::string& where,
                            const ImageLimits& limits) {
  const bool whole = codec.run([&] {
    png_set_read_fn(codec.png, &rest, [](png_structp png, png_bytep out, std::size_t count) {
      auto& left = *static_cast<std::span<const std::byte>*>(png_get_io_ptr(png));
      if (count > left.size()) png_error(png, "the file ends too early");
      std::memcpy(out, left.data(), count);
      left = left.subspan(count);
    });
    // Text and profile chunks may inflate without bound; libpng's own limits are 1000 chunks of 8 MB.
    png_set_chunk_cache_max(codec.png, 100);
    png_set_chunk_malloc_max(codec.png, 1'000'000);
    png_read_info(codec.png, codec.info);
  });
  require_whole_png(whole, codec, where);
  const std::int64_t width = png_get_image_width(codec.png, codec.info);
  const std::int64_t height = png_get_image_height(codec.png, codec.info);
  check_image_size(width, height, limits, where);
  return {static_cast<int>(height), static_cast<int>(width)};
}

/// Errors: as read_png_header.
inline Size png_size(std::span<const std::byte> bytes, const std::string& where, const ImageLimits& limits) {
  PngCodec codec(PngCodec::Mode::read);
  return read_png_header(codec, bytes, where, limits);
}

/// Decodes a PNG to a picture's channels and bits: any PNG to 8-bit RGB, one of 16 bits to 16-bit RGB, and to 16-bit
/// grey where it is grey. Alpha is dropped, 16 bits are rounded to 8 where 8 are wanted, gamma and colour profiles are
/// not applied. Errors: DataError.
template <class Picture>
Picture decode_png(std::span<const std::byte> bytes, const std::string& where, const ImageLimits& limits) {
  PngCodec codec(PngCodec::Mode::read);
  const auto check = [&](bool whole) { require_whole_png(whole, codec, where); };
  std::span<const std::byte> rest = bytes;
  const Size size = read_png_header(codec, rest, where, limits);
  using Sample = typename Picture::Sample;
  Picture image;
  image.width = size.width;
  image.height = size.height;
  const std::size_t row_samples = std::size_t(image.width) * Picture::channels;
  std::size_t row_bytes = 0;
  int passes = 1;
  check(codec.run([&] {
    png_set_expand(codec.png);  // palette to RGB, grey below 8 bits to 8
    if constexpr (sizeof(Sample) == 1) png_set_scale_16(codec.png);
    if constexpr (sizeof(Sample) == 2 && std::endian::native == std::endian::little) png_set_swap(codec.png);
    if constexpr (Picture::channels == 3) png_set_gray_to_rgb(codec.png);
    png_set_strip_alpha(codec.png);
    passes = png_set_interlace_handling(codec.png);
    png_read_update_info(codec.png, codec.info);
    row_bytes = png_get_rowbytes(codec.png, codec.info);
  }));
  if (row_bytes != row_samples * sizeof(Sample)) {
    fail<DataError>({.where = where,
                     .expected = "a PNG that expands to " + std::to_string(Picture::channels) + " x " +
                                 std::to_string(8 * sizeof(Sample)) + " bits",
                     .got = std::to_string(row_bytes) + " bytes for a row of " + std::to_string(image.width)});
  }
  image.pixels.resize(row_samples * std::size_t(image.height));
  check(codec.run([&] {
    for (int pass = 0; pass < passes; ++pass) {  // 7 where interlaced: each adds its pixels to the rows
      for (int y = 0; y < image.height; ++y) {
        png_read_row(codec.png, reinterpret_cast<png_bytep>(image.at(0, y)), nullptr);
      }
    }
    png_read_end(codec.png, nullptr);
  }));
  return image;
}

/// The picture as the bytes of a PNG file of its channels and bits. Errors: RuntimeFailure if libpng or memory fails.
template <class Picture>
std::string png_bytes(const Picture& image) {
  constexpr int bits = 8 * sizeof(typename Picture::Sample);
  constexpr int colour_type = Picture::channels == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY;
  std::string out;
  PngCodec codec(PngCodec::Mode::write);
  const bool done = codec.run([&] {
    png_set_write_fn(
        codec.png, &out,
        [](png_structp png, png_bytep data, std::size_t count) {
          bool stored = true;
          try {  // an exception must not cross libpng's frames
            static_cast<std::string*>(png_get_io_ptr(png))->append(reinterpret_cast<const char*>(data), count);
          } catch (...) {
            stored = false;
          }
          if (!stored) png_error(png, "out of memory");
        },
        [](png_structp) {});
    png_set_IHDR(codec.png, codec.info, static_cast<png_uint_32>(image.width), static_cast<png_uint_32>(image.height),
                 bits, colour_type, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(codec.png, codec.info);
    if constexpr (bits == 16 && std::endian::native == std::endian::little) png_set_swap(codec.png);
    for (int y = 0; y < image.height; ++y) {
      png_write_row(codec.png, reinterpret_cast<png_const_bytep>(image.at(0, y)));
    }
    png_write_end(codec.png, codec.info);
  });
  if (!done) fail<RuntimeFailure>({.where = "PNG encoder", .got = codec.message()});
  return out;
}

}  // namespace detail
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
