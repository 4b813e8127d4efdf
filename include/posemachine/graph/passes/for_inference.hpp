// prepare_for_inference: the passes on a graph that every inference run wants.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/graph/graph.hpp>

#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Same outputs, less work. Shapes: parameters[i] belongs to graph.parameters[i], before and after; an empty list is
/// left empty.
void prepare_for_inference(Graph& graph, std::vector<Tensor>& parameters);

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/graph/passes/for_inference.ipp>
#endif
