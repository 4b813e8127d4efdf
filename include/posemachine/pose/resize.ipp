// The definitions of pose/resize.hpp.
#pragma once

#include <posemachine/pose/resize.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

POSEMACHINE_INLINE std::vector<ResizeTaps> bilinear_taps(int src, int dst) {
  const double step = double(src) / dst;
  const double radius = std::max(1.0, step);
  std::vector<ResizeTaps> taps(static_cast<std::size_t>(dst));
  for (int i = 0; i < dst; ++i) {
    const double centre = (i + 0.5) * step - 0.5;
    ResizeTaps& tap = taps[std::size_t(i)];
    tap.first = std::max(0, static_cast<int>(std::ceil(centre - radius)));
    const int last = std::min(src - 1, static_cast<int>(std::floor(centre + radius)));
    double sum = 0;
    for (int k = tap.first; k <= last; ++k) sum += std::max(0.0, 1 - std::abs(k - centre) / radius);
    for (int k = tap.first; k <= last; ++k) {
      tap.weights.push_back(static_cast<float>(std::max(0.0, 1 - std::abs(k - centre) / radius) / sum));
    }
  }
  return taps;
}

}  // namespace detail

POSEMACHINE_INLINE Image bilinear_resize(const Image& image, int width, int height) {
  if (image.width < 1 || image.height < 1 || width < 1 || height < 1) {
    fail<UsageError>({.where = "bilinear_resize",
                      .expected = "sizes of at least 1 x 1 pixels",
                      .got = std::to_string(image.width) + " x " + std::to_string(image.height) + " to " +
                             std::to_string(width) + " x " + std::to_string(height)});
  }
  const auto samples = detail::bilinear_samples(image.pixels.data(), image.width, image.height, 3, width, height);
  Image out(width, height);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    out.pixels[i] = static_cast<std::uint8_t>(std::clamp(samples[i] + 0.5f, 0.0f, 255.0f));
  }
  return out;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
