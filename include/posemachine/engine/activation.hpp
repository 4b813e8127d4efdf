// Activations in oneDNN's terms: as primitives and as what follows a convolution.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/dnnl_bridge.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops/activation.hpp>

namespace posemachine::inline POSEMACHINE_BUILD {

/// Whether an operation is an activation that a convolution can end in.
constexpr bool is_activation(const OpInfo* op) {
  return op == &relu_op || op == &leaky_relu_op || op == &sigmoid_op || op == &silu_op || op == &hard_swish_op;
}

namespace detail {

// oneDNN's name of an activation and its constants.
struct Activation {
  dnnl::algorithm algorithm;
  float alpha = 0;
  float beta = 0;
};

inline Activation activation_of(const Node& node) {
  using dnnl::algorithm;
  const auto leaky = static_cast<float>(slope(unpack<LeakyReluOptions>(node.options)));
  if (node.op == &relu_op) return {algorithm::eltwise_relu};
  if (node.op == &relu_backward_op) return {algorithm::eltwise_relu_use_dst_for_bwd};
  if (node.op == &leaky_relu_op) return {algorithm::eltwise_relu, leaky};
  if (node.op == &leaky_relu_backward_op) return {algorithm::eltwise_relu_use_dst_for_bwd, leaky};
  if (node.op == &sigmoid_op) return {algorithm::eltwise_logistic};
  if (node.op == &sigmoid_backward_op) return {algorithm::eltwise_logistic_use_dst_for_bwd};
  if (node.op == &silu_op || node.op == &silu_backward_op) return {algorithm::eltwise_swish, 1};
  return {algorithm::eltwise_hardswish, 1.0f / 6, 0.5f};
}

inline void append_activation(dnnl::post_ops& ops, const Activation& activation) {
#if DNNL_VERSION_MAJOR >= 3
  ops.append_eltwise(activation.algorithm, activation.alpha, activation.beta);
#else
  ops.append_eltwise(1.0f, activation.algorithm, activation.alpha, activation.beta);
#endif
}

}  // namespace detail

}  // namespace posemachine::inline POSEMACHINE_BUILD
