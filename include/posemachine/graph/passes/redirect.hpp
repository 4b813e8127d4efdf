// Redirections: values that others stand for from now on; how passes take nodes out of a graph.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/graph.hpp>

#include <cstddef>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace detail {

/// Collected in the order of the nodes, then applied at once: whoever read `from` reads `to`. The nodes that made them
/// are dead afterwards, for drop_dead to remove.
class Redirections {
 public:
  explicit Redirections(const Graph& graph);

  /// `to` may be redirected itself, by an earlier call.
  void add(Value from, Value to) { stands_for_[static_cast<std::size_t>(from.id)] = of(to.id); }

  /// What a value stands for now.
  Value of(Value value) const { return {of(value.id)}; }

  void apply(Graph& graph) const;

 private:
  int of(int value) const { return stands_for_[static_cast<std::size_t>(value)]; }

  std::vector<int> stands_for_;  // by value id
};

}  // namespace detail
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/graph/passes/redirect.ipp>
#endif
