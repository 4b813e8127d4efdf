// The oracle's channel scale, and the gradient of its gate.
#pragma once

#include "../call.hpp"

#include <posemachine/graph/ops/channel_scale.hpp>

#include <array>

namespace posemachine::reference {

inline void channel_scale(const Call& call) {
  for_each_element(*call.dst, [&](int image, int c, int y, int x) {
    call.dst->at(image, c, y, x) = call.src(0).at(image, c, y, x) * call.src(1).at(image, c, 0, 0);
  });
}

inline void channel_scale_backward_gate(const Call& call) {
  for_each_element(call.src(0), [&](int image, int c, int y, int x) {
    call.dst->at(image, c, 0, 0) += call.src(0).at(image, c, y, x) * call.src(1).at(image, c, y, x);
  });
}

inline constexpr std::array channel_scale_reference{
    ReferenceOp{&channel_scale_op, channel_scale},
    ReferenceOp{&channel_scale_backward_gate_op, channel_scale_backward_gate},
};

}  // namespace posemachine::reference
