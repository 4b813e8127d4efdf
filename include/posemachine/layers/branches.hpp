// Concat, Add, Identity: several layers on the same src, joined again.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops/add.hpp>
#include <posemachine/graph/ops/concat.hpp>
#include <posemachine/layers/layer.hpp>

#include <array>
#include <cstddef>
#include <utility>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Adds what `lower` adds, as a branch: it sees the tags from before, and what it sets or moves ends with it.
template <class Lower>
constexpr Value lower_branch(Graph& graph, Lower&& lower, Value src) {
  std::vector<VisibleTag> outer = graph.tags;
  const Value dst = lower(graph, src);
  graph.tags = std::move(outer);
  return dst;
}

namespace detail {

template <class... Branches>
constexpr std::array<Value, sizeof...(Branches)> lower_branches(Graph& graph, Value src) {
  constexpr std::array<Value (*)(Graph&, Value), sizeof...(Branches)> steps{&apply<Branches>...};
  std::array<Value, sizeof...(Branches)> values{};
  for (std::size_t i = 0; i < steps.size(); ++i) values[i] = lower_branch(graph, steps[i], src);
  return values;
}

}  // namespace detail

/// The current value as it is: a branch that does nothing.
struct Identity {
  using AddsNoScope = Identity;
  static constexpr Value lower(Graph&, Value src) { return src; }
};

/// (C, H, W) -> (C1 + C2 + ..., H, W): the branches side by side. Errors: a rule, where strides differ.
template <class... Branches>
struct Concat {
  using AddsNoScope = Concat;
  static constexpr Value lower(Graph& graph, Value src) {
    return concat(graph, detail::lower_branches<Branches...>(graph, src));
  }
};

/// (C, H, W) -> (C1, H, W): the sum of the branches. Errors: a rule, where strides or channels differ.
template <class... Branches>
struct Add {
  using AddsNoScope = Add;
  static constexpr Value lower(Graph& graph, Value src) {
    return add(graph, detail::lower_branches<Branches...>(graph, src));
  }
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
