// An 8-bit RGB picture in memory.
#pragma once

#include <posemachine/core/config.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

using Rgb = std::array<std::uint8_t, 3>;

/// An owned picture. Shapes: pixels (height, width, 3), rows without gaps, values 0 to 255, order red, green, blue.
struct Image {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> pixels;

  Image() = default;
  Image(int width_px, int height_px, Rgb colour = {0, 0, 0})
      : width(width_px), height(height_px), pixels(std::size_t(width_px) * std::size_t(height_px) * 3) {
    for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = colour[i % 3];
  }

  std::uint8_t* at(int x, int y) { return pixels.data() + (std::size_t(y) * std::size_t(width) + std::size_t(x)) * 3; }
  const std::uint8_t* at(int x, int y) const {
    return pixels.data() + (std::size_t(y) * std::size_t(width) + std::size_t(x)) * 3;
  }
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
