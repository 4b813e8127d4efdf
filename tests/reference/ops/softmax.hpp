// The oracle's softmax over channels.
#pragma once

#include "../call.hpp"

#include <posemachine/graph/ops/softmax.hpp>

#include <array>
#include <cmath>

namespace posemachine::reference {

inline void softmax(const Call& call) {
  const Array& src = call.src(0);
  for_each_element(src, [&](int image, int c, int y, int x) {
    double below = 0;  // exp(src[k] - src[c]) keeps the sum finite wherever dst is
    for (int k = 0; k < src.c; ++k) below += std::exp(src.at(image, k, y, x) - src.at(image, c, y, x));
    call.dst->at(image, c, y, x) = 1 / below;
  });
}

// The Jacobian as it is written: d dst[k] / d src[c] = dst[k] * ((k == c) - dst[c]).
inline void softmax_backward(const Call& call) {
  const Array& dst = call.src(0);
  const Array& diff_dst = call.src(1);
  for_each_element(dst, [&](int image, int c, int y, int x) {
    double sum = 0;
    for (int k = 0; k < dst.c; ++k) {
      sum += diff_dst.at(image, k, y, x) * dst.at(image, k, y, x) * ((k == c ? 1 : 0) - dst.at(image, c, y, x));
    }
    call.dst->at(image, c, y, x) = sum;
  });
}

inline constexpr std::array softmax_reference{
    ReferenceOp{&softmax_op, softmax},
    ReferenceOp{&softmax_backward_op, softmax_backward},
};

}  // namespace posemachine::reference
