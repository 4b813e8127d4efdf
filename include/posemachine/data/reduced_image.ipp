// The definitions of data/reduced_image.hpp.
#pragma once

#include <posemachine/data/reduced_image.hpp>

#include <posemachine/base/files.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/data/image_kinds.hpp>
#include <posemachine/data/warp.hpp>

#include <algorithm>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

POSEMACHINE_INLINE Affine reduced_from_whole(Size whole, int factor, int orientation) {
  // As stored, a cell's centre is at factor * (x + 0.5) - 0.5. Mirrored, the pixels that the last cell lacks come
  // first.
  const auto offset = [&](int side, bool mirrored) {
    const int missing = (factor - side % factor) % factor;
    return (0.5 + (mirrored ? missing : 0)) / factor - 0.5;
  };
  const bool mirrored_x = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
  const bool mirrored_y = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
  return {1.0 / factor, 0, offset(whole.width, mirrored_x), 0, 1.0 / factor, offset(whole.height, mirrored_y)};
}

POSEMACHINE_INLINE int checked_reduction(const ChooseReduction& choose, Size whole) {
  const int factor = choose ? choose(whole) : 1;
  if (std::find(reduction_factors.begin(), reduction_factors.end(), factor) != reduction_factors.end()) return factor;
  fail<UsageError>(
      {.where = "reduction of a picture", .expected = "1, 2, 4 or 8", .got = std::to_string(factor), .remedy = ""});
}

#if !defined(POSEMACHINE_IMAGE_STB)
// Decodes to RGB or grey of 8 bits.
POSEMACHINE_INLINE ReducedImage decode_reduced_jpeg(PixelKind kind, std::span<const std::byte> bytes,
                                                    const std::string& where, const ChooseReduction& choose,
                                                    const ImageLimits& limits) {
  const int orientation = exif_orientation(bytes, ImageFormat::jpeg);
  ReducedImage result;
  Image stored = decode_jpeg(bytes, where, limits, [&](Size size) {
    if (orientation >= 5) std::swap(size.height, size.width);
    result.whole = size;
    return result.factor = checked_reduction(choose, size);
  });
  Image image = upright(std::move(stored), orientation);
  if (kind == PixelKind::grey8) {
    result.picture = luma(image);
  } else {
    result.picture = std::move(image);
  }
  result.reduced_from_whole = reduced_from_whole(result.whole, result.factor, orientation);
  return result;
}
#endif

}  // namespace detail

POSEMACHINE_INLINE ReducedImage decode_reduced(PixelKind kind, std::span<const std::byte> bytes,
                                               const std::string& where, const ChooseReduction& choose,
                                               const ImageLimits& limits) {
#if !defined(POSEMACHINE_IMAGE_STB)
  if (kind != PixelKind::grey16 && detail::image_format(bytes, where) == ImageFormat::jpeg) {
    return detail::decode_reduced_jpeg(kind, bytes, where, choose, limits);
  }
#endif
  ReducedImage result{.picture = decode_image_as(kind, bytes, where, limits), .whole = {}};
  const ImageView view(result.picture);
  result.whole = {view.height(), view.width()};
  result.factor = detail::checked_reduction(choose, result.whole);
  if (result.factor > 1) {
    result.picture =
        view.visit([&](const auto& picture) { return AnyImage(detail::reduce_by(picture, result.factor)); });
  }
  result.reduced_from_whole = detail::reduced_from_whole(result.whole, result.factor);
  return result;
}

POSEMACHINE_INLINE ReducedImage read_reduced(PixelKind kind, const std::filesystem::path& path,
                                             const ChooseReduction& choose, const ImageLimits& limits) {
  const std::string bytes = read_file<DataError>(path, limits.max_file_bytes);
  return decode_reduced(kind, std::as_bytes(std::span(bytes.data(), bytes.size())), path.string(), choose, limits);
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
