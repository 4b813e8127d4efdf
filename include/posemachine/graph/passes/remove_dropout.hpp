// remove_dropout: in inference a dropout is its src, and its readers read that.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/graph/graph.hpp>

#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// For inference only. A dropout whose dst is an output stays: an output has a value of its own.
/// Shapes: parameters[i] belongs to graph.parameters[i], before and after; an empty list is left empty.
void remove_dropout(Graph& graph, std::vector<Tensor>& parameters);

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/graph/passes/remove_dropout.ipp>
#endif
