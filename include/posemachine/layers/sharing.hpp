// Shared, Frozen: layers whose parameters are used more than once, or not trained.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/fixed_string.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/layers/layer.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// A block with a name of the user's choice, whose parameters all its uses share: Shared<"refine", Stage> written twice
/// is one set of weights, with the sum of both gradients. The first use makes and names them.
/// Errors: a rule, where a later use needs other shapes.
template <FixedString Name, class L>
struct Shared {
  using AddsNoScope = Shared;

  static constexpr Value lower(Graph& graph, Value src) {
    const auto block = [](Graph& inside, Value value) { return apply<Named<Name, L>>(inside, value); };
    return lower_shared(graph, Name.view(), block, src);
  }
};

/// The layer with parameters that training leaves as they are: loaded from another model, say. Batch norms inside use
/// and keep their running statistics in training too. What stands before it is trained through it.
template <class L>
struct Frozen {
  using AddsNoScope = Frozen;

  static constexpr Value lower(Graph& graph, Value src) { return lower_frozen(graph, &apply<L>, src); }
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
