// merge_equal: operations that compute the same from the same values become one.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/graph/graph.hpp>

#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// For inference only: the means of a map that several stages gate are computed once. Operations of a user's own and
/// outputs stay as they are. Shapes: parameters[i] belongs to graph.parameters[i], before and after; an empty list is
/// left empty.
void merge_equal(Graph& graph, std::vector<Tensor>& parameters);

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/graph/passes/merge_equal.ipp>
#endif
