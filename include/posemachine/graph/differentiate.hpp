// differentiate: a graph -> the same graph with the nodes that compute its gradients.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/graph.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// What to differentiate besides the parameters.
struct DifferentiateOptions {
  bool input_gradients = false;  // true: outputs "diff_<input>" for every input
};

/// Adds, after the nodes of a network, those that compute the gradients of a sum over all outputs. The gradient of each
/// output is a new input "diff_<output>" with the output's shape; gradients of parameters are accumulated by nodes
/// without a dst. Every operation must be able to pass a gradient on.
Graph differentiate(const Graph& network, DifferentiateOptions options = {});

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/graph/differentiate.ipp>
#endif
