// The definitions of data/image_kinds.hpp.
#pragma once

#include <posemachine/data/image_kinds.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <type_traits>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE Image rgb_of(const GreyImage& image) {
  Image rgb(image.width, image.height);
  std::uint8_t* pixel = rgb.pixels.data();
  for (const std::uint8_t value : image.pixels) pixel = std::fill_n(pixel, 3, value);
  return rgb;
}

POSEMACHINE_INLINE GreyImage in_8_bits(const DepthImage& image) {
  GreyImage grey(image.width, image.height);
  std::transform(image.pixels.begin(), image.pixels.end(), grey.pixels.begin(),
                 [](std::uint32_t value) { return static_cast<std::uint8_t>((value * 255 + 32'895) >> 16); });
  return grey;
}

POSEMACHINE_INLINE Image displayable(ImageView view) {
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

POSEMACHINE_INLINE void require_bit_depth(int got, int wanted, const std::string& where) {
  if (got >= wanted) return;
  fail<BitDepthError>(
      {.where = where,
       .expected = "samples of " + std::to_string(wanted) + " bits, as the model's input has (bit_depth)",
       .got = "samples of " + std::to_string(got),
       .remedy = "give 16-bit PNG files, or train a model of bit_depth 8"});
}

POSEMACHINE_INLINE AnyImage converted(ImageView view, PixelKind wanted) {
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

POSEMACHINE_INLINE ImageAs::ImageAs(ImageView image, PixelKind wanted) : original_(image) {
  if (image.kind() != wanted) copy_ = converted(image, wanted);
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
