// From one kind of picture to another: what a network wants, and what people can look at.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/image.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Luma of Rec. 601, 0.299 R + 0.587 G + 0.114 B, rounded; the weights that JPEG uses. Grey stays what it is: the
/// weights, in units of 1/65536, sum to 1.
template <class Sample>
BasicImage<Sample, 1> luma(const BasicImage<Sample, 3>& image) {
  BasicImage<Sample, 1> grey(image.width, image.height);
  const Sample* rgb = image.pixels.data();
  for (Sample& value : grey.pixels) {
    // At most 65535 * 65536 + 32768 < 2^32.
    const std::uint32_t sum = 19'595u * rgb[0] + 38'470u * rgb[1] + 7'471u * rgb[2];
    value = static_cast<Sample>((sum + 32'768u) >> 16);
    rgb += 3;
  }
  return grey;
}

/// The same grey in three channels.
Image rgb_of(const GreyImage& image);

/// 0 to 65535 as 0 to 255, rounded, as libpng makes 8 bits of 16.
GreyImage in_8_bits(const DepthImage& image);

/// A picture for people to look at, the larger the lighter. 8-bit pictures as they are. Of 16 bits: 0, where depth
/// sensors saw nothing, is black; from the least to the largest other value of the picture, 32 to 255.
Image displayable(ImageView view);

/// Samples of fewer bits than a model's input has. The picture is sound: it never counts as damaged.
class BitDepthError : public DataError {
 public:
  using DataError::DataError;
};

/// Errors: BitDepthError where samples have fewer bits than are wanted: what was rounded away does not come back.
void require_bit_depth(int got, int wanted, const std::string& where);

/// The picture as another kind: RGB becomes luma, grey becomes RGB of equal channels, 16 bits are scaled to 8.
/// Errors: BitDepthError where 8 bits were to become 16, see require_bit_depth.
AnyImage converted(ImageView view, PixelKind wanted);

/// A picture as a kind that is wanted: seen where it is, or a copy of another kind. Errors: as converted.
class ImageAs {
 public:
  ImageAs(ImageView image, PixelKind wanted);
  ImageView view() const { return copy_ ? ImageView(*copy_) : original_; }

 private:
  ImageView original_;
  std::optional<AnyImage> copy_{};
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/data/image_kinds.ipp>
#endif
