// The definitions of graph/passes/redirect.hpp.
#pragma once

#include <posemachine/graph/passes/redirect.hpp>

#include <numeric>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

POSEMACHINE_INLINE Redirections::Redirections(const Graph& graph) : stands_for_(graph.values.size()) {
  std::iota(stands_for_.begin(), stands_for_.end(), 0);
}

POSEMACHINE_INLINE void Redirections::apply(Graph& graph) const {
  for (const Node& node : graph.nodes) {
    for (int k = 0; k < node.inputs.count; ++k) {
      int& operand = graph.operands[static_cast<std::size_t>(node.inputs.first + k)];
      operand = of(operand);
    }
  }
  for (Port& port : graph.outputs) port.value = of(port.value);
}

}  // namespace detail

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
