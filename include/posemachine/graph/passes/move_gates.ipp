// The definitions of graph/passes/move_gates.hpp.
#pragma once

#include <posemachine/graph/passes/move_gates.hpp>

#include <posemachine/graph/ops/channel_scale.hpp>
#include <posemachine/graph/ops/pooling.hpp>

#include <cstddef>
#include <utility>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE void move_gates(Graph& graph) {
  std::vector<int> readers(graph.values.size(), 0);
  for (const Node& node : graph.nodes) {
    for (int k = 0; k < node.inputs.count; ++k) ++readers[static_cast<std::size_t>(input(graph, node, k).id)];
  }
  for (Node& pool : graph.nodes) {
    if (pool.op->kind() != OpKind::average_pooling) continue;
    const Value gated = input(graph, pool, 0);
    Node& scale = graph.nodes[static_cast<std::size_t>(info(graph, gated).producer)];
    const bool alone = readers[static_cast<std::size_t>(gated.id)] == 1 && !is_output(graph, gated.id);
    if (scale.op->kind() != OpKind::channel_scale || !alone) continue;
    // The two change places: `scale` has the operands (map, gate), `pool` has (gated); each value keeps its number.
    const int map = input(graph, scale, 0).id;
    const int gate = input(graph, scale, 1).id;
    std::swap(scale.op, pool.op);
    std::swap(scale.options, pool.options);
    std::swap(scale.scope, pool.scope);
    std::swap(scale.inputs, pool.inputs);
    graph.operands[static_cast<std::size_t>(scale.inputs.first)] = map;
    graph.operands[static_cast<std::size_t>(pool.inputs.first)] = gated.id;
    graph.operands[static_cast<std::size_t>(pool.inputs.first + 1)] = gate;
    graph.values[static_cast<std::size_t>(gated.id)].stride = graph.values[static_cast<std::size_t>(pool.dst)].stride;
  }
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
