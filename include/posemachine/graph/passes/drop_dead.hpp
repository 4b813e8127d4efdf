// drop_dead: nodes that no output depends on leave the graph, and their parameters with them.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/graph/graph.hpp>

#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Values, nodes and parameters are renumbered in their old order; names stay. Shapes: parameters[i] belongs to
/// graph.parameters[i], before and after; an empty list is left empty.
void drop_dead(Graph& graph, std::vector<Tensor>& parameters);

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/graph/passes/drop_dead.ipp>
#endif
