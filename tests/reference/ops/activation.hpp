// The oracle's activations; the gradients read dst or src, as the graph's backward nodes do.
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

inline void leaky_relu(const Call& call) {
  const double below = slope(unpack<LeakyReluOptions>(call.node().options));
  for (std::size_t i = 0; i < call.dst->values.size(); ++i) {
    const double src = call.src(0).values[i];
    call.dst->values[i] = src > 0 ? src : below * src;
  }
}

inline void leaky_relu_backward(const Call& call) {
  const double below = slope(unpack<LeakyReluOptions>(call.node().options));
  for (std::size_t i = 0; i < call.dst->values.size(); ++i) {
    call.dst->values[i] = call.src(1).values[i] * (call.src(0).values[i] > 0 ? 1 : below);
  }
}

inline void silu(const Call& call) {
  for (std::size_t i = 0; i < call.dst->values.size(); ++i) {
    const double src = call.src(0).values[i];
    call.dst->values[i] = src / (1 + std::exp(-src));
  }
}

inline void silu_backward(const Call& call) {
  for (std::size_t i = 0; i < call.dst->values.size(); ++i) {
    const double src = call.src(0).values[i];
    const double gate = 1 / (1 + std::exp(-src));
    call.dst->values[i] = call.src(1).values[i] * gate * (1 + src * (1 - gate));
  }
}

inline void hard_swish(const Call& call) {
  for (std::size_t i = 0; i < call.dst->values.size(); ++i) {
    const double src = call.src(0).values[i];
    call.dst->values[i] = src <= -3 ? 0 : src >= 3 ? src : src * (src + 3) / 6;
  }
}

inline void hard_swish_backward(const Call& call) {
  for (std::size_t i = 0; i < call.dst->values.size(); ++i) {
    const double src = call.src(0).values[i];
    call.dst->values[i] = call.src(1).values[i] * (src <= -3 ? 0 : src >= 3 ? 1 : (2 * src + 3) / 6);
  }
}

inline constexpr std::array at_both_ends{-3.0, 3.0};

inline constexpr std::array activation_reference{
    ReferenceOp{&relu_op, relu, at_zero},
    ReferenceOp{&sigmoid_op, sigmoid},
    ReferenceOp{&relu_backward_op, relu_backward},
    ReferenceOp{&sigmoid_backward_op, sigmoid_backward},
    ReferenceOp{&leaky_relu_op, leaky_relu, at_zero},
    ReferenceOp{&leaky_relu_backward_op, leaky_relu_backward},
    ReferenceOp{&silu_op, silu},
    ReferenceOp{&silu_backward_op, silu_backward},
    ReferenceOp{&hard_swish_op, hard_swish, at_both_ends},
    ReferenceOp{&hard_swish_backward_op, hard_swish_backward},
};

}  // namespace posemachine::reference
