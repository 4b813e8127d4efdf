// Activations in oneDNN's terms: as primitives and as what follows a convolution.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/dnnl_bridge.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops/activation.hpp>

#include <array>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

namespace detail {

// oneDNN's name of an activation and its constants.
struct Activation {
  dnnl::algorithm algorithm;
  float alpha = 0;
  float beta = 0;
};

// An activation that oneDNN has: as an operation, backward, and as the end of a convolution.
struct ActivationRow {
  const OpInfo* forward = nullptr;
  const OpInfo* backward = nullptr;
  Activation activation;
  dnnl::algorithm backward_algorithm;  // another one where it reads what the forward operation wrote, not what it read
  float (*alpha)(const Options&) = nullptr;

  constexpr bool backward_reads_dst() const { return backward_algorithm != activation.algorithm; }
};

float leaky_slope(const Options& options);

inline constexpr std::array activation_rows{
    ActivationRow{
        &relu_op, &relu_backward_op, {dnnl::algorithm::eltwise_relu}, dnnl::algorithm::eltwise_relu_use_dst_for_bwd},
    ActivationRow{&leaky_relu_op,
                  &leaky_relu_backward_op,
                  {dnnl::algorithm::eltwise_relu},
                  dnnl::algorithm::eltwise_relu_use_dst_for_bwd,
                  leaky_slope},
    ActivationRow{&sigmoid_op,
                  &sigmoid_backward_op,
                  {dnnl::algorithm::eltwise_logistic},
                  dnnl::algorithm::eltwise_logistic_use_dst_for_bwd},
    ActivationRow{&silu_op, &silu_backward_op, {dnnl::algorithm::eltwise_swish, 1}, dnnl::algorithm::eltwise_swish},
    ActivationRow{&hard_swish_op,
                  &hard_swish_backward_op,
                  {dnnl::algorithm::eltwise_hardswish, 1.0f / 6, 0.5f},
                  dnnl::algorithm::eltwise_hardswish},
};

// The row of an activation, forward or backward, or null.
constexpr const ActivationRow* activation_row(const OpInfo* op) {
  for (const ActivationRow& row : activation_rows) {
    if (row.forward == op || row.backward == op) return &row;
  }
  return nullptr;
}

// Of an operation that has a row.
Activation activation_of(const Node& node);

void append_activation(dnnl::post_ops& ops, const Activation& activation);

// Whether an operation is an activation that a convolution can end in.
constexpr bool is_eltwise_post_op(const OpInfo& op) {
  const ActivationRow* row = activation_row(&op);
  return row != nullptr && row->forward == &op;
}

}  // namespace detail

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/engine/activation.ipp>
#endif
