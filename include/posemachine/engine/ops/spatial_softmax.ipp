// The definitions of engine/ops/spatial_softmax.hpp.
#pragma once

#include <posemachine/engine/ops/spatial_softmax.hpp>

#include <posemachine/core/random.hpp>
#include <posemachine/engine/ops/map_kernel.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

namespace detail {

// src and dst may be the same map.
POSEMACHINE_INLINE void spatial_softmax(const MapView<float>& src, const MapView<float>& dst, double scale) {
  const std::size_t cells = src.cells();
  const std::size_t step = src.cell_step();
  for (int image = 0; image < src.n; ++image) {
    for (int c = 0; c < src.c; ++c) {
      const float* in = src.channel(image, c);
      float* out = dst.channel(image, c);
      float highest = in[0];
      for (std::size_t cell = 1; cell < cells; ++cell) highest = std::max(highest, in[cell * step]);
      double sum = 0;
      for (std::size_t cell = 0; cell < cells; ++cell) {
        const float power = std::exp(in[cell * step] - highest);
        out[cell * dst.cell_step()] = power;
        sum += double{power};
      }
      const auto factor = static_cast<float>(scale / sum);
      for (std::size_t cell = 0; cell < cells; ++cell) out[cell * dst.cell_step()] *= factor;
    }
  }
  zero_padding(dst);
}

// diff_dst and diff_src may be the same map.
POSEMACHINE_INLINE void spatial_softmax_backward(const MapView<float>& dst, const MapView<float>& diff_dst,
                                                 const MapView<float>& diff_src, double scale) {
  const std::size_t cells = dst.cells();
  for (int image = 0; image < dst.n; ++image) {
    for (int c = 0; c < dst.c; ++c) {
      const float* share = dst.channel(image, c);
      const float* in = diff_dst.channel(image, c);
      float* out = diff_src.channel(image, c);
      double sum = 0;
      for (std::size_t cell = 0; cell < cells; ++cell) {
        sum += double{share[cell * dst.cell_step()]} * double{in[cell * diff_dst.cell_step()]};
      }
      const auto mean = static_cast<float>(sum / scale);
      for (std::size_t cell = 0; cell < cells; ++cell) {
        out[cell * diff_src.cell_step()] = share[cell * dst.cell_step()] * (in[cell * diff_dst.cell_step()] - mean);
      }
    }
  }
  zero_padding(diff_src);
}

POSEMACHINE_INLINE std::unique_ptr<Kernel> make_spatial_softmax(const BuildContext& context) {
  const double factor = scale(unpack<SpatialSoftmaxOptions>(context.node().options));
  return map_kernel<1>(
      context, "posemachine:spatial_softmax",
      [=](const auto& srcs, const MapView<float>& to, const RandomKey&) { spatial_softmax(srcs[0], to, factor); });
}

POSEMACHINE_INLINE std::unique_ptr<Kernel> make_spatial_softmax_backward(const BuildContext& context) {
  const double factor = scale(unpack<SpatialSoftmaxOptions>(context.node().options));
  return map_kernel<2>(context, "posemachine:spatial_softmax",
                       [=](const auto& srcs, const MapView<float>& to, const RandomKey&) {
                         spatial_softmax_backward(srcs[0], srcs[1], to, factor);
                       });
}

}  // namespace detail

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
