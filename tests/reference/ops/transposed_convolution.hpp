// The oracle's transposed convolution: every src cell spreads its kernel; the gradients gather again.
#pragma once

#include "../call.hpp"

#include <posemachine/graph/ops/transposed_convolution.hpp>

#include <array>
#include <cstddef>
#include <vector>

namespace posemachine::reference {

// Calls f(image, c, y, x, o, dst_y, dst_x, weight index) for every product from src to dst.
template <class F>
void for_each_spread(const Options& packed, const Array& src, const Array& dst, F f) {
  const auto options = unpack<TransposedConvolutionOptions>(packed);
  for_each_element(src, [&](int image, int c, int y, int x) {
    for (int o = 0; o < dst.c; ++o) {
      for (int ky = 0; ky < options.kernel; ++ky) {
        for (int kx = 0; kx < options.kernel; ++kx) {
          const int dst_y = y * options.stride + ky - options.padding;
          const int dst_x = x * options.stride + kx - options.padding;
          if (!dst.inside(dst_y, dst_x)) continue;
          const int weight = ((o * src.c + c) * options.kernel + ky) * options.kernel + kx;
          f(image, c, y, x, o, dst_y, dst_x, static_cast<std::size_t>(weight));
        }
      }
    }
  });
}

inline void transposed_convolution(const Call& call) {
  Array& dst = *call.dst;
  if (call.parameters.size() > 1) {
    const std::vector<double>& bias = *call.parameters[1];
    for_each_element(
        dst, [&](int image, int o, int y, int x) { dst.at(image, o, y, x) = bias[static_cast<std::size_t>(o)]; });
  }
  for_each_spread(call.node().options, call.src(0), dst,
                  [&](int image, int c, int y, int x, int o, int dst_y, int dst_x, std::size_t weight) {
                    dst.at(image, o, dst_y, dst_x) += (*call.parameters[0])[weight] * call.src(0).at(image, c, y, x);
                  });
}

inline void transposed_convolution_backward_data(const Call& call) {
  const Array& diff_dst = call.src(0);
  for_each_spread(call.node().options, *call.dst, diff_dst,
                  [&](int image, int c, int y, int x, int o, int dst_y, int dst_x, std::size_t weight) {
                    call.dst->at(image, c, y, x) += (*call.parameters[0])[weight] * diff_dst.at(image, o, dst_y, dst_x);
                  });
}

inline void transposed_convolution_backward_weights(const Call& call) {
  const Array& src = call.src(0);
  const Array& diff_dst = call.src(1);
  for_each_spread(call.node().options, src, diff_dst,
                  [&](int image, int c, int y, int x, int o, int dst_y, int dst_x, std::size_t weight) {
                    (*call.gradients[0])[weight] += src.at(image, c, y, x) * diff_dst.at(image, o, dst_y, dst_x);
                  });
  if (call.gradients.size() < 2) return;
  for_each_element(diff_dst, [&](int image, int o, int y, int x) {
    (*call.gradients[1])[static_cast<std::size_t>(o)] += diff_dst.at(image, o, y, x);
  });
}

inline constexpr std::array transposed_convolution_reference{
    ReferenceOp{&transposed_convolution_op, transposed_convolution},
    ReferenceOp{&transposed_convolution_backward_data_op, transposed_convolution_backward_data},
    ReferenceOp{&transposed_convolution_backward_weights_op, transposed_convolution_backward_weights},
};

}  // namespace posemachine::reference
