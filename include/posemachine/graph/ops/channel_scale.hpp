// channel_scale: (C, H, W), (C, 1, 1) -> (C, H, W); every channel times its own factor.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/gradients.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops/add.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

constexpr int infer_channel_scale(Graph& graph, const Node& node) {
  const Value src = input(graph, node, 0);
  const Value gate = input(graph, node, 1);
  require(graph, stride_of(graph, gate).global && channels(graph, gate) == channels(graph, src), Rule::gate_shape,
          channels(graph, src), channels(graph, gate));
  return channels(graph, src);
}

void differentiate_channel_scale(Gradients& gradients, int node);

}  // namespace detail

inline constexpr OpInfo channel_scale_op{
    .name = "channel_scale",
    .min_inputs = 2,
    .max_inputs = 2,
    .infer = detail::infer_channel_scale,
    .differentiate = detail::differentiate_channel_scale,
    .traits = {.kind = OpKind::channel_scale, .overwrites = 0, .onnx = "Mul"},
};

/// (src, diff_dst) -> diff_gate[c] = sum over the map of src * diff_dst.
inline constexpr OpInfo channel_scale_backward_gate_op{
    .name = "channel_scale_backward_gate", .min_inputs = 2, .max_inputs = 2};

inline void detail::differentiate_channel_scale(Gradients& gradients, int node) {
  const Value src = input(gradients.graph, gradients.node(node), 0);
  const Value gate = input(gradients.graph, gradients.node(node), 1);
  const Value diff_dst = gradients.total({gradients.node(node).dst}, add_op);
  gradients.add_backward(node, channel_scale_op, src, {diff_dst, gate});
  gradients.add_backward(node, channel_scale_backward_gate_op, gate, {src, diff_dst});
}

/// dst[c, y, x] = src[c, y, x] * gate[c]. Errors: ModelError where gate is not a global value with src's channels.
constexpr Value channel_scale(Graph& graph, Value src, Value gate) {
  return add_node(graph, channel_scale_op, {}, {src, gate});
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
