// The oracle's softmax over the cells of a map.
#pragma once

#include "../call.hpp"

#include <posemachine/graph/ops/spatial_softmax.hpp>

#include <array>
#include <cmath>

namespace posemachine::reference {

inline void spatial_softmax(const Call& call) {
  const Array& src = call.src(0);
  const double total = scale(unpack<SpatialSoftmaxOptions>(call.node().options));
  for_each_element(src, [&](int image, int c, int y, int x) {
    double below = 0;  // exp(src[other] - src[cell]) keeps the sum finite wherever dst is
    for (int v = 0; v < src.h; ++v) {
      for (int u = 0; u < src.w; ++u) below += std::exp(src.at(image, c, v, u) - src.at(image, c, y, x));
    }
    call.dst->at(image, c, y, x) = total / below;
  });
}

// The Jacobian as it is written: d dst[other] / d src[cell] = dst[other] * ((other == cell) - dst[cell] / scale).
inline void spatial_softmax_backward(const Call& call) {
  const Array& dst = call.src(0);
  const Array& diff_dst = call.src(1);
  const double total = scale(unpack<SpatialSoftmaxOptions>(call.node().options));
  for_each_element(dst, [&](int image, int c, int y, int x) {
    double sum = 0;
    for (int v = 0; v < dst.h; ++v) {
      for (int u = 0; u < dst.w; ++u) {
        const double same = v == y && u == x ? 1 : 0;
        sum += diff_dst.at(image, c, v, u) * dst.at(image, c, v, u) * (same - dst.at(image, c, y, x) / total);
      }
    }
    call.dst->at(image, c, y, x) = sum;
  });
}

inline constexpr std::array spatial_softmax_reference{
    ReferenceOp{&spatial_softmax_op, spatial_softmax},
    ReferenceOp{&spatial_softmax_backward_op, spatial_softmax_backward},
};

}  // namespace posemachine::reference
