// add: n times (C, H, W) -> (C, H, W); the sum, cell by cell.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/gradients.hpp>
#include <posemachine/graph/graph.hpp>

#include <cstdint>
#include <span>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

// The stride as one figure for messages: pixels per cell, 0 for a global value.
constexpr int stride_figure(Stride stride) { return stride.global ? 0 : stride.pixels / stride.cells; }

constexpr void require_equal_strides(Graph& graph, const Node& node) {
  const Stride first = stride_of(graph, input(graph, node, 0));
  for (int i = 1; i < node.inputs.count; ++i) {
    const Stride other = stride_of(graph, input(graph, node, i));
    require(graph, first == other, Rule::branch_strides, stride_figure(first), stride_figure(other));
  }
}

constexpr int infer_add(Graph& graph, const Node& node) {
  require_equal_strides(graph, node);
  const int first = channels(graph, input(graph, node, 0));
  for (int i = 1; i < node.inputs.count; ++i) {
    const int other = channels(graph, input(graph, node, i));
    require(graph, first == other, Rule::branch_channels, first, other);
  }
  return first;
}

void differentiate_add(Gradients& gradients, int node);

}  // namespace detail

inline constexpr OpInfo add_op{
    .name = "add",
    .min_inputs = 1,
    .max_inputs = -1,
    .infer = detail::infer_add,
    .differentiate = detail::differentiate_add,
    .traits = {.kind = OpKind::sum},
};

inline void detail::differentiate_add(Gradients& gradients, int node) {
  const Value diff_dst = gradients.total({gradients.node(node).dst}, add_op);
  for (int i = 0; i < gradients.node(node).inputs.count; ++i) {
    const Value src = input(gradients.graph, gradients.node(node), i);
    if (gradients.wanted(src)) gradients.add(src, diff_dst);  // the same values: no node
  }
}

/// dst = sum of the branches. Errors: ModelError where strides or channels differ.
constexpr Value add(Graph& graph, std::span<const Value> branches) {
  return add_node(graph, {.op = &add_op, .inputs = branches});
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
