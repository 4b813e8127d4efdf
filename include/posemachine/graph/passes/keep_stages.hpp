// keep_stages: a network that answers after one of its stages; what only later ones need is gone.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/passes/drop_dead.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

/// The first `count` outputs stay, the last of them is the answer: an early exit, whose values are those of the whole
/// network. Shapes: parameters[i] belongs to graph.parameters[i], before and after; an empty list is left empty.
/// Errors: UsageError where there are not as many outputs.
inline void keep_stages(Graph& graph, std::vector<Tensor>& parameters, int count) {
  if (count < 1 || static_cast<std::size_t>(count) > graph.outputs.size()) {
    fail<UsageError>({.where = "stages",
                      .expected = "1 to " + std::to_string(graph.outputs.size()) + ", as many as the network has",
                      .got = std::to_string(count)});
  }
  graph.outputs.resize(static_cast<std::size_t>(count));
  drop_dead(graph, parameters);
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
