// remove_dropout: in inference a dropout is its src, and its readers read that.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops/dropout.hpp>
#include <posemachine/graph/passes/drop_dead.hpp>
#include <posemachine/graph/passes/redirect.hpp>

#include <cstddef>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

/// For inference only. A dropout whose dst is an output stays: an output has a value of its own.
/// Shapes: parameters[i] belongs to graph.parameters[i], before and after; an empty list is left empty.
inline void remove_dropout(Graph& graph, std::vector<Tensor>& parameters) {
  detail::Redirections redirections(graph);
  for (const Node& node : graph.nodes) {
    if (node.op->kind() == OpKind::dropout && !is_output(graph, node.dst))
      redirections.add({node.dst}, input(graph, node, 0));
  }
  redirections.apply(graph);
  drop_dead(graph, parameters);
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
