// relu, sigmoid: (C, H, W) -> (C, H, W), cell by cell.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/gradients.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops/add.hpp>

namespace posemachine::inline POSEMACHINE_BUILD {

namespace detail {

// The backward nodes read dst, not src: the forward activation may then be fused into its producer or done in place.
template <const OpInfo& Backward>
void differentiate_activation(Gradients& gradients, int node) {
  const Value dst{gradients.node(node).dst};
  const Value diff_dst = gradients.total(dst, add_op);
  gradients.add_backward(node, Backward, input(gradients.graph, gradients.node(node), 0), {dst, diff_dst});
}

}  // namespace detail

/// (dst, diff_dst) -> diff_src = diff_dst where dst > 0, else 0.
inline constexpr OpInfo relu_backward_op{.name = "relu_backward", .min_inputs = 2, .max_inputs = 2};

/// (dst, diff_dst) -> diff_src = diff_dst * dst * (1 - dst).
inline constexpr OpInfo sigmoid_backward_op{.name = "sigmoid_backward", .min_inputs = 2, .max_inputs = 2};

inline constexpr OpInfo relu_op{.name = "relu", .differentiate = detail::differentiate_activation<relu_backward_op>};
inline constexpr OpInfo sigmoid_op{.name = "sigmoid",
                                   .differentiate = detail::differentiate_activation<sigmoid_backward_op>};

/// dst = max(0, src).
constexpr Value relu(Graph& graph, Value src) { return add_node(graph, relu_op, {}, {src}); }

/// dst = 1 / (1 + exp(-src)).
constexpr Value sigmoid(Graph& graph, Value src) { return add_node(graph, sigmoid_op, {}, {src}); }

}  // namespace posemachine::inline POSEMACHINE_BUILD
