// The oracle's prelu.
#pragma once

#include "../call.hpp"

#include <posemachine/graph/ops/prelu.hpp>

#include <array>
#include <cstddef>

namespace posemachine::reference {

inline void prelu(const Call& call) {
  for_each_element(*call.dst, [&](int image, int c, int y, int x) {
    const double src = call.src(0).at(image, c, y, x);
    call.dst->at(image, c, y, x) = src > 0 ? src : (*call.parameters[0])[static_cast<std::size_t>(c)] * src;
  });
}

inline void prelu_backward(const Call& call) {
  for_each_element(*call.dst, [&](int image, int c, int y, int x) {
    const double src = call.src(0).at(image, c, y, x);
    const double diff_dst = call.src(1).at(image, c, y, x);
    const auto i = static_cast<std::size_t>(c);
    call.dst->at(image, c, y, x) = diff_dst * (src > 0 ? 1 : (*call.parameters[0])[i]);
    if (src <= 0) (*call.gradients[0])[i] += diff_dst * src;
  });
}

inline constexpr std::array prelu_reference{
    ReferenceOp{&prelu_op, prelu, at_zero},
    ReferenceOp{&prelu_backward_op, prelu_backward},
};

}  // namespace posemachine::reference
