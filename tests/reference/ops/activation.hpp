// The oracle's relu and sigmoid; the gradients read dst, as the graph's backward nodes do.
#pragma once

#include "../call.hpp"

#include <posemachine/graph/ops/activation.hpp>

#include <array>
#include <cmath>
#include <cstddef>

namespace posemachine::reference {

inline void relu(const Call& call) {
  for (std::size_t i = 0; i < call.dst->values.size(); ++i) {
    const double src = call.src(0).values[i];
    call.dst->values[i] = src > 0 ? src : 0;
  }
}

inline void relu_backward(const Call& call) {
  for (std::size_t i = 0; i < call.dst->values.size(); ++i) {
    call.dst->values[i] = call.src(0).values[i] > 0 ? call.src(1).values[i] : 0;
  }
}

inline void sigmoid(const Call& call) {
  for (std::size_t i = 0; i < call.dst->values.size(); ++i) {
    call.dst->values[i] = 1 / (1 + std::exp(-call.src(0).values[i]));
  }
}

inline void sigmoid_backward(const Call& call) {
  for (std::size_t i = 0; i < call.dst->values.size(); ++i) {
    const double dst = call.src(0).values[i];
    call.dst->values[i] = call.src(1).values[i] * dst * (1 - dst);
  }
}

inline constexpr std::array activation_reference{
    ReferenceOp{&relu_op, relu},
    ReferenceOp{&sigmoid_op, sigmoid},
    ReferenceOp{&relu_backward_op, relu_backward},
    ReferenceOp{&sigmoid_backward_op, sigmoid_backward},
};

}  // namespace posemachine::reference
