// prepare_for_inference: the passes on a graph that every inference run wants.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/passes/fold_batch_norm.hpp>
#include <posemachine/graph/passes/merge_equal.hpp>
#include <posemachine/graph/passes/move_gates.hpp>
#include <posemachine/graph/passes/remove_dropout.hpp>

#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

/// Same outputs, less work. Shapes: parameters[i] belongs to graph.parameters[i], before and after; an empty list is
/// left empty.
inline void prepare_for_inference(Graph& graph, std::vector<Tensor>& parameters) {
  remove_dropout(graph, parameters);  // first: one may stand between a convolution and its batch norm
  fold_batch_norm(graph, parameters);
  move_gates(graph);
  merge_equal(graph, parameters);
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
