// Bilinear resizing of pictures and of maps shown as pictures.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/image.hpp>

#include <cstddef>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

/// The weights of one output sample along an axis: those of `weights` belong to input samples first, first + 1, ...
struct ResizeTaps {
  int first = 0;
  std::vector<float> weights;
};

/// Triangle filter from `src` to `dst` samples, pixel edges on pixel edges. Enlarging it is bilinear interpolation;
/// shrinking, the triangle is as wide as two output pixels, so that nothing is skipped. Edges weigh what is there.
std::vector<ResizeTaps> bilinear_taps(int src, int dst);

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
Image bilinear_resize(const Image& image, int width, int height);

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/pose/resize.ipp>
#endif
