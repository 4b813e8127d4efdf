// The definitions of graph/passes/for_inference.hpp.
#pragma once

#include <posemachine/graph/passes/for_inference.hpp>

#include <posemachine/graph/passes/fold_batch_norm.hpp>
#include <posemachine/graph/passes/merge_equal.hpp>
#include <posemachine/graph/passes/move_gates.hpp>
#include <posemachine/graph/passes/remove_dropout.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE void prepare_for_inference(Graph& graph, std::vector<Tensor>& parameters) {
  remove_dropout(graph, parameters);  // first: one may stand between a convolution and its batch norm
  fold_batch_norm(graph, parameters);
  move_gates(graph);
  merge_equal(graph, parameters);
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
