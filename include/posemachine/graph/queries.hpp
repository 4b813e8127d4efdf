// Facts that follow from a graph: parameters, stride, receptive field, multiply-adds.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/sizes.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

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
/// Factors that see the whole image through a global value (gates) are not counted; a global value has 0.
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
    int widest = 0;
    for (int i = 0; i < node.inputs.count; ++i) {
      const Value src = input(graph, node, i);
      const ValueInfo& value = info(graph, src);
      if (value.stride.global) continue;
      const int reach = (window.reach() - 1) * value.stride.pixels / value.stride.cells;
      const int field = fields[static_cast<std::size_t>(src.id)] + reach;
      widest = field > widest ? field : widest;
    }
    fields[static_cast<std::size_t>(node.dst)] = widest;
  }
  return fields;
}

/// Multiply-adds of one forward pass over one image of the given size.
constexpr std::int64_t count_multiply_adds(const Graph& graph, Size image) {
  const std::vector<Size> sizes = infer_sizes(graph, image);
  std::int64_t total = 0;
  for (const Node& node : graph.nodes) {
    if (node.op->multiply_adds == nullptr || node.dst < 0) continue;
    const Size size = sizes[static_cast<std::size_t>(node.dst)];
    total += node.op->multiply_adds(graph, node) * size.height * size.width;
  }
  return total;
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
