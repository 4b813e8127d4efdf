// recompute: backward nodes read what is computed a second time, instead of what is kept since the forward pass.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/graph.hpp>

#include <span>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// The nodes before the first gradient input of a differentiated graph; all nodes of another.
int forward_node_count(const Graph& graph);

/// Cuts the forward nodes of a differentiated graph into segments, the i-th ending before node ends[i] and the last one
/// after all: of all segments but the last, only what other segments read is kept for the backward nodes; the rest is
/// computed again, a segment at a time, when they come to it: dropout draws what it drew, batch norm finds the same
/// statistics, and the engine computes both times alike. To the numbers without recomputation the last bits may differ
/// where a cut lies between a convolution and a sum that it is otherwise computed with. `ends` rise.
/// Source: Chen et al. 2016, Training Deep Nets with Sublinear Memory Cost.
void recompute(Graph& graph, std::span<const int> ends);

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/graph/passes/recompute.ipp>
#endif
