// Facts that follow from a graph: parameters, stride, receptive field, multiply-adds.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/sizes.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// How many numbers a network learns; buffers are not counted.
constexpr std::int64_t count_parameters(const Graph& graph) {
  std::int64_t count = 0;
  for (const Parameter& parameter : graph.parameters) count += parameter.trainable ? parameter.size() : 0;
  return count;
}

/// The answer of a network: its last output.
constexpr Value answer(const Graph& graph) {
  return graph.outputs.empty() ? Value{} : Value{graph.outputs.back().value};
}

/// Receptive fields of all values in input pixels: how wide a square of the image a cell can depend on along the maps.
/// Factors that see the whole image through a global value (gates) are not counted; a global value has 0. Fields of
/// more than 2^31 - 1 pixels, which no image fills, are given as that.
constexpr std::vector<int> receptive_fields(const Graph& graph) {
  std::vector<int> fields(graph.values.size(), 0);
  for (const Node& node : graph.nodes) {
    if (node.dst < 0) continue;
    if (node.inputs.count == 0) {
      fields[static_cast<std::size_t>(node.dst)] = 1;
      continue;
    }
    const Window window = node.op->geometry(node.options);
    if (window.global) continue;
    std::int64_t widest = 0;
    for (int i = 0; i < node.inputs.count; ++i) {
      const Value src = input(graph, node, i);
      const ValueInfo& value = info(graph, src);
      if (value.stride.global) continue;
      const std::int64_t reach = std::int64_t{window.src_reach() - 1} * value.stride.pixels / value.stride.cells;
      const std::int64_t field = fields[static_cast<std::size_t>(src.id)] + reach;
      widest = field > widest ? field : widest;
    }
    constexpr std::int64_t most = std::numeric_limits<int>::max();
    fields[static_cast<std::size_t>(node.dst)] = static_cast<int>(widest < most ? widest : most);
  }
  return fields;
}

namespace detail {

// Sums and products that stop at 2^63 - 1: a graph read from a file may ask for any amount of work.
constexpr std::int64_t saturating_add(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? std::numeric_limits<std::int64_t>::max() : sum;
}
constexpr std::int64_t saturating_multiply(std::int64_t a, std::int64_t b) {
  std::int64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? std::numeric_limits<std::int64_t>::max() : product;
}

}  // namespace detail

/// Multiply-adds of one node for one image, dst being of the given size; 0 where the operation counts none.
constexpr std::int64_t count_multiply_adds(const Graph& graph, const Node& node, Size dst) {
  if (node.op->multiply_adds == nullptr || node.dst < 0) return 0;
  return detail::saturating_multiply(node.op->multiply_adds(graph, node), std::int64_t{dst.height} * dst.width);
}

/// Multiply-adds of one forward pass over one image of the given size; 2^63 - 1 where there are more.
constexpr std::int64_t count_multiply_adds(const Graph& graph, Size image) {
  const std::vector<Size> sizes = infer_sizes(graph, image);
  std::int64_t total = 0;
  for (const Node& node : graph.nodes) {
    if (node.dst < 0) continue;
    const Size dst = sizes[static_cast<std::size_t>(node.dst)];
    total = detail::saturating_add(total, count_multiply_adds(graph, node, dst));
  }
  return total;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
