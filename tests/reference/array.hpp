// The oracle's tensor: plain NCHW in double precision.
#pragma once

#include <cstddef>
#include <vector>

namespace posemachine::reference {

/// Maps of a batch. Shapes: values (n, c, h, w), row-major.
struct Array {
  int n = 0;
  int c = 0;
  int h = 0;
  int w = 0;
  std::vector<double> values;

  std::size_t index(int image, int channel, int y, int x) const {
    return static_cast<std::size_t>(((image * c + channel) * h + y) * w + x);
  }
  double& at(int image, int channel, int y, int x) { return values[index(image, channel, y, x)]; }
  double at(int image, int channel, int y, int x) const { return values[index(image, channel, y, x)]; }
  bool inside(int y, int x) const { return y >= 0 && y < h && x >= 0 && x < w; }
};

inline Array zeros(int n, int c, int h, int w) {
  return {n, c, h, w,
          std::vector<double>(static_cast<std::size_t>(n) * static_cast<std::size_t>(c) * static_cast<std::size_t>(h) *
                              static_cast<std::size_t>(w))};
}

/// Calls f(image, channel, y, x) for every element, in row-major order.
template <class F>
void for_each_element(const Array& shape, F f) {
  for (int image = 0; image < shape.n; ++image) {
    for (int channel = 0; channel < shape.c; ++channel) {
      for (int y = 0; y < shape.h; ++y) {
        for (int x = 0; x < shape.w; ++x) f(image, channel, y, x);
      }
    }
  }
}

}  // namespace posemachine::reference
