// ReducedImage: a photograph decoded at 1/2, 1/4 or 1/8 of its sides, for whoever looks at less of it than it has.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/data/image_io_format.hpp>

#include <array>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <variant>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// A picture each of whose pixels is the mean of a cell of factor x factor pixels of its file's. Where a side is no
/// multiple of the factor, one row or column of cells is partial.
struct ReducedImage {
  AnyImage picture;
  Size whole;                   // pixels of the file's picture, upright
  int factor = 1;               // 1: the file's own picture
  Affine reduced_from_whole{};  // pixel centres to pixel centres
};

/// Bytes that its pixels take, those allocated and not used included.
inline std::size_t pixel_bytes(const ReducedImage& image) {
  return std::visit([](const auto& picture) { return picture.pixels.capacity() * sizeof(picture.pixels.front()); },
                    image.picture);
}

/// The factors that there are: those at which libjpeg decodes in less time.
inline constexpr std::array<int, 4> reduction_factors{1, 2, 4, 8};

/// The largest factor after which a view that shows `shrink` pixels of the whole picture per pixel of its own still
/// shrinks by at least 2. That is 1 below a shrinking of 4, from which on warp() averages whole cells itself.
constexpr int reduction_factor(double shrink) {
  int most = 1;
  for (const int factor : reduction_factors) {
    if (shrink >= 2 * factor) most = factor;
  }
  return most;
}

/// Chooses the factor, of reduction_factors, by the size of the whole picture, upright. None: always 1.
using ChooseReduction = std::function<int(Size whole)>;

/// Decodes as decode_image_as does, at a factor that is chosen before any pixel is decoded. A JPEG is decoded at that
/// scale by libjpeg, whose means are those of all pixels but for rounding and colours stored at half resolution; a PNG,
/// and a JPEG through stb_image, whole and then reduced. Of depth, pixels of 0 are left out of means.
/// Errors: as decode_image_as, whatever the factor; UsageError for one that is none of reduction_factors.
ReducedImage decode_reduced(PixelKind kind, std::span<const std::byte> bytes, const std::string& where,
                            const ChooseReduction& choose, const ImageLimits& limits = {});

/// The same of a file. Errors: as read_image_as and decode_reduced.
ReducedImage read_reduced(PixelKind kind, const std::filesystem::path& path, const ChooseReduction& choose,
                          const ImageLimits& limits = {});

namespace detail {

// Map of a picture that was reduced as it is stored, its partial cells last, and then turned by its EXIF orientation:
// these come first along an axis that was mirrored. Shapes: `whole` upright.
Affine reduced_from_whole(Size whole, int factor, int orientation = 1);

}  // namespace detail

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/data/reduced_image.ipp>
#endif
