// fold_batch_norm: a batch norm that alone reads a convolution becomes part of its weights and bias.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/graph/graph.hpp>

#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// For inference only: the running statistics become constants. A convolution that others read too, that is an output
/// itself or that shares its parameters keeps its batch norm. Parameters keep their names; a convolution without a bias
/// gets one. Shapes: parameters[i] belongs to graph.parameters[i], before and after; an empty list is left empty.
void fold_batch_norm(Graph& graph, std::vector<Tensor>& parameters);

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/graph/passes/fold_batch_norm.ipp>
#endif
