// The definitions of engine/activation.hpp.
#pragma once

#include <posemachine/engine/activation.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

namespace detail {

POSEMACHINE_INLINE float leaky_slope(const Options& options) {
  return static_cast<float>(slope(unpack<LeakyReluOptions>(options)));
}

POSEMACHINE_INLINE Activation activation_of(const Node& node) {
  const ActivationRow& row = *activation_row(node.op);
  Activation activation = row.activation;
  if (row.alpha != nullptr) activation.alpha = row.alpha(node.options);
  if (node.op == row.backward) activation.algorithm = row.backward_algorithm;
  return activation;
}

POSEMACHINE_INLINE void append_activation(dnnl::post_ops& ops, const Activation& activation) {
#if DNNL_VERSION_MAJOR >= 3
  ops.append_eltwise(activation.algorithm, activation.alpha, activation.beta);
#else
  ops.append_eltwise(1.0f, activation.algorithm, activation.alpha, activation.beta);
#endif
}

}  // namespace detail

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
