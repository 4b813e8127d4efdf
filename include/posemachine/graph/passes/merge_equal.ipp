// The definitions of graph/passes/merge_equal.hpp.
#pragma once

#include <posemachine/graph/passes/merge_equal.hpp>

#include <posemachine/graph/gradients.hpp>
#include <posemachine/graph/passes/drop_dead.hpp>
#include <posemachine/graph/passes/redirect.hpp>

#include <compare>
#include <map>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

// What an operation computes, apart from where it stands.
struct Computation {
  const OpInfo* op = nullptr;
  Options options{};
  std::vector<int> inputs;
  std::vector<int> parameters;

  friend auto operator<=>(const Computation&, const Computation&) = default;
};

}  // namespace detail

POSEMACHINE_INLINE void merge_equal(Graph& graph, std::vector<Tensor>& parameters) {
  detail::Redirections redirections(graph);
  std::map<detail::Computation, int> known;
  for (const Node& node : graph.nodes) {
    if (node.inputs.count == 0 || node.op->kernels != nullptr || node.op->traits.is_random || node.dst < 0) continue;
    detail::Computation computation{node.op, node.options, {}, parameter_ids(graph, node)};
    for (int k = 0; k < node.inputs.count; ++k) {
      computation.inputs.push_back(redirections.of(input(graph, node, k)).id);
    }
    const auto [found, added] = known.try_emplace(std::move(computation), node.dst);
    if (!added && !is_output(graph, node.dst)) redirections.add({node.dst}, {found->second});
  }
  redirections.apply(graph);
  drop_dead(graph, parameters);
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
