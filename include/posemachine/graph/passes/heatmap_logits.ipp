// The definitions of graph/passes/heatmap_logits.hpp.
#pragma once

#include <posemachine/graph/passes/heatmap_logits.hpp>

#include <posemachine/core/tensor.hpp>
#include <posemachine/graph/passes/drop_dead.hpp>
#include <posemachine/graph/queries.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <numeric>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

// The node that makes an output, if it is a spatial softmax; else null.
POSEMACHINE_INLINE const Node* output_softmax(const Graph& graph, const Port& output) {
  const int producer = graph.values[static_cast<std::size_t>(output.value)].producer;
  const Node& node = graph.nodes[static_cast<std::size_t>(producer)];
  return node.op == &spatial_softmax_op ? &node : nullptr;
}

}  // namespace detail

POSEMACHINE_INLINE std::vector<std::size_t> all_outputs(const Graph& graph) {
  std::vector<std::size_t> places(graph.outputs.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  return places;
}

POSEMACHINE_INLINE bool has_distributions(const Graph& graph, const std::vector<std::size_t>& outputs) {
  return std::all_of(outputs.begin(), outputs.end(),
                     [&](std::size_t place) { return detail::output_softmax(graph, graph.outputs[place]) != nullptr; });
}
POSEMACHINE_INLINE bool has_distributions(const Graph& graph) { return has_distributions(graph, all_outputs(graph)); }

POSEMACHINE_INLINE SpatialSoftmaxOptions peak_of_one(double sigma_cells) {
  const double percent = 100 * 2 * std::numbers::pi * sigma_cells * sigma_cells;
  const OptionInfo& range = spatial_softmax_options[0];
  return {.scale_percent =
              static_cast<std::int32_t>(std::clamp(std::round(percent), double(range.low), double(range.high)))};
}

POSEMACHINE_INLINE void add_distributions(Graph& graph, double sigma_px, const std::vector<std::size_t>& outputs) {
  for (const std::size_t i : outputs) {
    if (detail::output_softmax(graph, graph.outputs[i]) != nullptr) continue;
    const Value logits{graph.outputs[i].value};
    const double stride = stride_of(graph, logits).ratio();
    graph.outputs[i].value = spatial_softmax(graph, logits, peak_of_one(sigma_px / stride)).id;
  }
}
POSEMACHINE_INLINE void add_distributions(Graph& graph, double sigma_px) {
  add_distributions(graph, sigma_px, all_outputs(graph));
}

POSEMACHINE_INLINE Graph with_logits(Graph graph, const std::vector<std::size_t>& outputs) {
  for (const std::size_t place : outputs) {
    Port& output = graph.outputs[place];
    if (const Node* softmax = detail::output_softmax(graph, output)) output.value = input(graph, *softmax, 0).id;
  }
  Graph lean = graph;
  std::vector<Tensor> none;
  drop_dead(lean, none);
  return lean.parameters.size() == graph.parameters.size() ? lean : graph;  // dead parameters hold their ids
}
POSEMACHINE_INLINE Graph with_logits(const Graph& graph) { return with_logits(graph, all_outputs(graph)); }

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
