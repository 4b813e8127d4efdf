// From one kind of picture to another: what a network wants, and what people can look at.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/image.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace posemachine::inline POSEMACHINE_BUILD {

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
inline Image rgb_of(const GreyImage& image) {
  Image rgb(image.width, image.height);
  std::uint8_t* pixel = rgb.pixels.data();
  for (const std::uint8_t value : image.pixels) pixel = std::fill_n(pixel, 3, value);
  return rgb;
}

/// 0 to 65535 as 0 to 255, rounded, as libpng makes 8 bits of 16.
inline GreyImage in_8_bits(const DepthImage& image) {
  GreyImage grey(image.width, image.height);
  std::transform(image.pixels.begin(), image.pixels.end(), grey.pixels.begin(),
                 [](std::uint32_t value) { return static_cast<std::uint8_t>((value * 255 + 32'895) >> 16); });
  return grey;
}

/// A picture for people to look at, the larger the lighter. 8-bit pictures as they are. Of 16 bits: 0, where depth
/// sensors saw nothing, is black; from the least to the largest other value of the picture, 32 to 255.
inline Image displayable(ImageView view) {
  return view.visit([]<class Picture>(const Picture& image) -> Image {
    if constexpr (std::is_same_v<Picture, Image>) {
      return image;
    } else if constexpr (std::is_same_v<Picture, GreyImage>) {
      return rgb_of(image);
    } else {
      std::uint32_t least = std::numeric_limits<std::uint16_t>::max(), most = 0;
      for (const std::uint16_t value : image.pixels) {
        if (value == 0) continue;
        least = std::min<std::uint32_t>(least, value);
        most = std::max<std::uint32_t>(most, value);
      }
      GreyImage grey(image.width, image.height);
      for (std::size_t i = 0; i < grey.pixels.size(); ++i) {
        const std::uint32_t value = image.pixels[i];
        const std::uint32_t level = most > least ? 223 * (value - least) / (most - least) : 223;
        if (value != 0) grey.pixels[i] = static_cast<std::uint8_t>(32 + level);
      }
      return rgb_of(grey);
    }
  });
}

/// Samples of fewer bits than a model's input has. The picture is sound: it never counts as damaged.
class BitDepthError : public DataError {
 public:
  using DataError::DataError;
};

/// Errors: BitDepthError where samples have fewer bits than are wanted: what was rounded away does not come back.
inline void require_bit_depth(int got, int wanted, const std::string& where) {
  if (got >= wanted) return;
  fail<BitDepthError>(
      {.where = where,
       .expected = "samples of " + std::to_string(wanted) + " bits, as the model's input has (bit_depth)",
       .got = "samples of " + std::to_string(got),
       .remedy = "give 16-bit PNG files, or train a model of bit_depth 8"});
}

/// The picture as another kind: RGB becomes luma, grey becomes RGB of equal channels, 16 bits are scaled to 8.
/// Errors: BitDepthError where 8 bits were to become 16, see require_bit_depth.
inline AnyImage converted(ImageView view, PixelKind wanted) {
  return view.visit([&]<class Picture>(const Picture& image) -> AnyImage {
    if constexpr (std::is_same_v<Picture, DepthImage>) {
      if (wanted == PixelKind::grey16) return image;
      GreyImage grey = in_8_bits(image);
      if (wanted == PixelKind::rgb8) return rgb_of(grey);
      return grey;
    } else {
      if (wanted == PixelKind::grey16) require_bit_depth(8, 16, "image");
      const bool keeps = (wanted == PixelKind::rgb8) == std::is_same_v<Picture, Image>;
      if (keeps) return image;
      if constexpr (std::is_same_v<Picture, Image>) {
        return luma(image);
      } else {
        return rgb_of(image);
      }
    }
  });
}

/// A picture as a kind that is wanted: seen where it is, or a copy of another kind. Errors: as converted.
class ImageAs {
 public:
  ImageAs(ImageView image, PixelKind wanted) : original_(image) {
    if (image.kind() != wanted) copy_ = converted(image, wanted);
  }
  ImageView view() const { return copy_ ? ImageView(*copy_) : original_; }

 private:
  ImageView original_;
  std::optional<AnyImage> copy_{};
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
