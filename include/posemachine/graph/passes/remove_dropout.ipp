// The definitions of graph/passes/remove_dropout.hpp.
#pragma once

#include <posemachine/graph/passes/remove_dropout.hpp>

#include <posemachine/graph/ops/dropout.hpp>
#include <posemachine/graph/passes/drop_dead.hpp>
#include <posemachine/graph/passes/redirect.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE void remove_dropout(Graph& graph, std::vector<Tensor>& parameters) {
  detail::Redirections redirections(graph);
  for (const Node& node : graph.nodes) {
    if (node.op->kind() == OpKind::dropout && !is_output(graph, node.dst))
      redirections.add({node.dst}, input(graph, node, 0));
  }
  redirections.apply(graph);
  drop_dead(graph, parameters);
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
