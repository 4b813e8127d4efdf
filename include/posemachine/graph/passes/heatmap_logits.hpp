// Heatmaps that are distributions over cells: outputs behind a spatial softmax, and the logits in front of it.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops/spatial_softmax.hpp>

#include <cstddef>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// The places of all outputs, which the functions below take where they are told no others.
std::vector<std::size_t> all_outputs(const Graph& graph);

/// Whether each of these outputs is a distribution over the cells of its maps, the dst of a spatial softmax.
bool has_distributions(const Graph& graph, const std::vector<std::size_t>& outputs);
bool has_distributions(const Graph& graph);

/// The scale with which the distribution that equals a Gaussian of this deviation has a peak of 1: 2 pi sigma^2.
/// Shapes: sigma in cells.
SpatialSoftmaxOptions peak_of_one(double sigma_cells);

/// Puts a spatial softmax behind each of these outputs that is none yet. What reads an output inside the network goes
/// on to read what it did. Shapes: sigma_px of the targets in input pixels; see peak_of_one().
void add_distributions(Graph& graph, double sigma_px, const std::vector<std::size_t>& outputs);
void add_distributions(Graph& graph, double sigma_px);

/// The network with the logits in place of the distributions as these outputs: what a loss that normalises by itself is
/// computed from. Parameters keep their ids.
Graph with_logits(Graph graph, const std::vector<std::size_t>& outputs);
Graph with_logits(const Graph& graph);

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/graph/passes/heatmap_logits.ipp>
#endif
