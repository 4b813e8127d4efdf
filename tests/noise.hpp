// Pictures of noise, which no two seeds have in common.
#pragma once

#include <posemachine/core/image.hpp>
#include <posemachine/core/random.hpp>

#include <cstdint>

namespace test_environment {

/// Every byte is as likely as any other.
inline posemachine::Image noise(int width, int height, std::uint64_t seed) {
  posemachine::Image image(width, height);
  posemachine::RandomStream stream(seed, posemachine::Purpose::test);
  for (std::uint8_t& value : image.pixels) value = static_cast<std::uint8_t>(stream.below(256));
  return image;
}

}  // namespace test_environment
