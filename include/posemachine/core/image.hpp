// Pictures in memory: 8-bit RGB, and one channel of 8 or 16 bits.
#pragma once

#include <posemachine/core/config.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// An owned picture. Shapes: pixels (height, width, Channels), rows without gaps; values 0 to the most that a sample
/// holds, 255 or 65535; three channels in the order red, green, blue.
template <class SampleType, std::size_t Channels>
struct BasicImage {
  using Sample = SampleType;
  using Pixel = std::array<Sample, Channels>;
  static constexpr std::size_t channels = Channels;

  int width = 0;
  int height = 0;
  std::vector<Sample> pixels;

  BasicImage() = default;
  BasicImage(int width_px, int height_px, Pixel colour = {})
      : width(width_px), height(height_px), pixels(std::size_t(width_px) * std::size_t(height_px) * Channels) {
    for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = colour[i % Channels];
  }

  Sample* at(int x, int y) { return pixels.data() + (std::size_t(y) * std::size_t(width) + std::size_t(x)) * Channels; }
  const Sample* at(int x, int y) const {
    return pixels.data() + (std::size_t(y) * std::size_t(width) + std::size_t(x)) * Channels;
  }
};

using Image = BasicImage<std::uint8_t, 3>;        // a photograph, 8-bit RGB
using GreyImage = BasicImage<std::uint8_t, 1>;    // 8-bit grey
using DepthImage = BasicImage<std::uint16_t, 1>;  // 16-bit grey; of depth sensors usually millimetres, 0: nothing seen

using Rgb = Image::Pixel;

/// The kinds of pictures, for when only the program's input tells; in the order of AnyImage.
enum class PixelKind { rgb8, grey8, grey16 };

/// A picture of whichever kind.
using AnyImage = std::variant<Image, GreyImage, DepthImage>;

inline PixelKind kind_of(const AnyImage& image) { return static_cast<PixelKind>(image.index()); }

/// A picture of whichever kind, seen where it is: nothing is copied, so the picture must outlive the view. Functions
/// take it by value; every picture becomes one by itself.
class ImageView {
 public:
  ImageView(const Image& image) : image_(&image) {}
  ImageView(const GreyImage& image) : image_(&image) {}
  ImageView(const DepthImage& image) : image_(&image) {}
  ImageView(const AnyImage& image) : image_(std::visit([](const auto& picture) { return Pointer(&picture); }, image)) {}

  PixelKind kind() const { return static_cast<PixelKind>(image_.index()); }
  /// Calls `visitor` with the picture, by its own type, and returns what it returns.
  template <class Visitor>
  decltype(auto) visit(Visitor&& visitor) const {
    return std::visit([&](const auto* image) -> decltype(auto) { return std::forward<Visitor>(visitor)(*image); },
                      image_);
  }
  int width() const {
    return visit([](const auto& image) { return image.width; });
  }
  int height() const {
    return visit([](const auto& image) { return image.height; });
  }

 private:
  using Pointer = std::variant<const Image*, const GreyImage*, const DepthImage*>;

  Pointer image_;
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
