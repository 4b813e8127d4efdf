// Bilinear resizing of pictures and of maps shown as pictures.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/image.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

namespace detail {

/// The weights of one output sample along an axis: those of `weights` belong to input samples first, first + 1, ...
struct ResizeTaps {
  int first = 0;
  std::vector<float> weights;
};

/// Triangle filter from `src` to `dst` samples, pixel edges on pixel edges. Enlarging it is bilinear interpolation;
/// shrinking, the triangle is as wide as two output pixels, so that nothing is skipped. Edges weigh what is there.
inline std::vector<ResizeTaps> bilinear_taps(int src, int dst) {
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

/// Resizes interleaved rows. Shapes: src (src_height, src_width, channels) -> (height, width, channels).
template <class T>
std::vector<float> bilinear_samples(const T* src, int src_width, int src_height, int channels, int width, int height) {
  const auto columns = bilinear_taps(src_width, width);
  const auto rows = bilinear_taps(src_height, height);
  const std::size_t depth = std::size_t(channels);
  const std::size_t row_length = std::size_t(width) * depth;
  std::vector<float> narrowed(std::size_t(src_height) * row_length);  // (src_height, width, channels)
  for (std::size_t y = 0; y < std::size_t(src_height); ++y) {
    for (std::size_t x = 0; x < std::size_t(width); ++x) {
      const T* from = src + (y * std::size_t(src_width) + std::size_t(columns[x].first)) * depth;
      float* to = narrowed.data() + y * row_length + x * depth;
      for (const float weight : columns[x].weights) {
        for (std::size_t c = 0; c < depth; ++c) to[c] += weight * static_cast<float>(*from++);
      }
    }
  }
  std::vector<float> out(std::size_t(height) * row_length);
  for (std::size_t y = 0; y < std::size_t(height); ++y) {
    const float* from = narrowed.data() + std::size_t(rows[y].first) * row_length;
    for (const float weight : rows[y].weights) {
      for (std::size_t i = 0; i < row_length; ++i) out[y * row_length + i] += weight * *from++;
    }
  }
  return out;
}

}  // namespace detail

/// The picture at another size: bilinear, and with every pixel taking part when it shrinks.
/// Errors: UsageError where either size is empty.
inline Image bilinear_resize(const Image& image, int width, int height) {
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

}  // namespace posemachine::inline POSEMACHINE_BUILD
