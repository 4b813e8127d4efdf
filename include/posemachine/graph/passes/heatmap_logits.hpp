// Heatmaps that are distributions over cells: outputs behind a spatial softmax, and the logits in front of it.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops/spatial_softmax.hpp>
#include <posemachine/graph/passes/drop_dead.hpp>
#include <posemachine/graph/queries.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <utility>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

namespace detail {

// The node that makes an output, if it is a spatial softmax; else null.
inline const Node* output_softmax(const Graph& graph, const Port& output) {
  const int producer = graph.values[static_cast<std::size_t>(output.value)].producer;
  const Node& node = graph.nodes[static_cast<std::size_t>(producer)];
  return node.op == &spatial_softmax_op ? &node : nullptr;
}

}  // namespace detail

/// Whether every output is a distribution over the cells of its maps, the dst of a spatial softmax.
inline bool has_distributions(const Graph& graph) {
  return std::all_of(graph.outputs.begin(), graph.outputs.end(),
                     [&](const Port& output) { return detail::output_softmax(graph, output) != nullptr; });
}

/// The scale with which the distribution that equals a Gaussian of this deviation has a peak of 1: 2 pi sigma^2.
/// Shapes: sigma in cells.
inline SpatialSoftmaxOptions peak_of_one(double sigma_cells) {
  const double percent = 100 * 2 * std::numbers::pi * sigma_cells * sigma_cells;
  const OptionInfo& range = spatial_softmax_options[0];
  return {.scale_percent =
              static_cast<std::int32_t>(std::clamp(std::round(percent), double(range.low), double(range.high)))};
}

/// Puts a spatial softmax behind every output that is none yet. What reads an output inside the network goes on to read
/// what it did. Shapes: sigma_px of the targets in input pixels; see peak_of_one().
inline void add_distributions(Graph& graph, double sigma_px) {
  for (std::size_t i = 0; i < graph.outputs.size(); ++i) {
    if (detail::output_softmax(graph, graph.outputs[i]) != nullptr) continue;
    const Value logits{graph.outputs[i].value};
    const double stride = stride_of(graph, logits).ratio();
    graph.outputs[i].value = spatial_softmax(graph, logits, peak_of_one(sigma_px / stride)).id;
  }
}

/// The network with the logits in place of the distributions as outputs: what a loss that normalises by itself is
/// computed from. Parameters keep their ids.
inline Graph with_logits(Graph graph) {
  for (Port& output : graph.outputs) {
    if (const Node* softmax = detail::output_softmax(graph, output)) output.value = input(graph, *softmax, 0).id;
  }
  Graph lean = graph;
  std::vector<Tensor> none;
  drop_dead(lean, none);
  return lean.parameters.size() == graph.parameters.size() ? lean : graph;  // dead parameters hold their ids
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
