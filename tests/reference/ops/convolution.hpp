// The oracle's convolution, and its gradients as the transposed loops.
#pragma once

#include "../call.hpp"

#include <posemachine/graph/ops/convolution.hpp>

#include <array>
#include <cstddef>

namespace posemachine::reference {

// Calls f(image, o, y, x, c, src_y, src_x, weight index) for every product of a convolution from src to dst.
template <class F>
void for_each_product(const Options& packed, const Array& src, const Array& dst, F f) {
  const auto options = unpack<ConvolutionOptions>(packed);
  for_each_element(dst, [&](int image, int o, int y, int x) {
    const int in = src.c / options.groups;                // channels of a group
    const int begin = o / (dst.c / options.groups) * in;  // of o's
    for (int c = begin; c < begin + in; ++c) {
      for (int ky = 0; ky < options.kernel; ++ky) {
        for (int kx = 0; kx < options.kernel; ++kx) {
          const int src_y = y * options.stride + ky * options.dilation - options.padding;
          const int src_x = x * options.stride + kx * options.dilation - options.padding;
          if (!src.inside(src_y, src_x)) continue;
          const int weight = ((o * in + c - begin) * options.kernel + ky) * options.kernel + kx;
          f(image, o, y, x, c, src_y, src_x, static_cast<std::size_t>(weight));
        }
      }
    }
  });
}

inline void convolution(const Call& call) {
  const Array& src = call.src(0);
  Array& dst = *call.dst;
  const std::vector<double>& weights = *call.parameters[0];
  if (call.parameters.size() > 1) {
    const std::vector<double>& bias = *call.parameters[1];
    for_each_element(
        dst, [&](int image, int o, int y, int x) { dst.at(image, o, y, x) = bias[static_cast<std::size_t>(o)]; });
  }
  for_each_product(call.node().options, src, dst,
                   [&](int image, int o, int y, int x, int c, int src_y, int src_x, std::size_t weight) {
                     dst.at(image, o, y, x) += weights[weight] * src.at(image, c, src_y, src_x);
                   });
}

inline void convolution_backward_data(const Call& call) {
  const Array& diff_dst = call.src(0);
  Array& diff_src = *call.dst;
  const std::vector<double>& weights = *call.parameters[0];
  for_each_product(call.node().options, diff_src, diff_dst,
                   [&](int image, int o, int y, int x, int c, int src_y, int src_x, std::size_t weight) {
                     diff_src.at(image, c, src_y, src_x) += weights[weight] * diff_dst.at(image, o, y, x);
                   });
}

inline void convolution_backward_weights(const Call& call) {
  const Array& src = call.src(0);
  const Array& diff_dst = call.src(1);
  std::vector<double>& diff_weights = *call.gradients[0];
  for_each_product(call.node().options, src, diff_dst,
                   [&](int image, int o, int y, int x, int c, int src_y, int src_x, std::size_t weight) {
                     diff_weights[weight] += src.at(image, c, src_y, src_x) * diff_dst.at(image, o, y, x);
                   });
  if (call.gradients.size() < 2) return;
  std::vector<double>& diff_bias = *call.gradients[1];
  for_each_element(diff_dst, [&](int image, int o, int y, int x) {
    diff_bias[static_cast<std::size_t>(o)] += diff_dst.at(image, o, y, x);
  });
}

inline constexpr std::array convolution_reference{
    ReferenceOp{&convolution_op, convolution},
    ReferenceOp{&convolution_backward_data_op, convolution_backward_data},
    ReferenceOp{&convolution_backward_weights_op, convolution_backward_weights},
};

}  // namespace posemachine::reference
