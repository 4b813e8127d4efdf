// The definitions of graph/passes/keep_stages.hpp.
#pragma once

#include <posemachine/graph/passes/keep_stages.hpp>

#include <posemachine/core/error.hpp>
#include <posemachine/graph/passes/drop_dead.hpp>

#include <cstddef>
#include <string>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE void keep_stages(Graph& graph, std::vector<Tensor>& parameters, int count) {
  if (count < 1 || static_cast<std::size_t>(count) > graph.outputs.size()) {
    fail<UsageError>({.where = "stages",
                      .expected = "1 to " + std::to_string(graph.outputs.size()) + ", as many as the network has",
                      .got = std::to_string(count)});
  }
  graph.outputs.resize(static_cast<std::size_t>(count));
  drop_dead(graph, parameters);
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
