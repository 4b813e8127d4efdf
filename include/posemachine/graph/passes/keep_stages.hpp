// keep_stages: a network that answers after one of its stages; what only later ones need is gone.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/graph/graph.hpp>

#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// The first `count` outputs stay, the last of them is the answer: an early exit, whose values are those of the whole
/// network. Shapes: parameters[i] belongs to graph.parameters[i], before and after; an empty list is left empty.
/// Errors: UsageError where there are not as many outputs.
void keep_stages(Graph& graph, std::vector<Tensor>& parameters, int count);

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/graph/passes/keep_stages.ipp>
#endif
