// The bookkeeping of reverse differentiation: which values have a gradient, and the sum of what flows into each.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/graph.hpp>

#include <cstddef>
#include <initializer_list>
#include <span>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// What an operation's `differentiate` works with: it reads the gradient of its dst and adds those of its inputs.
/// Values added here have the shape of the value whose gradient they are.
class Gradients {
 public:
  Graph& graph;

  explicit Gradients(Graph& target);

  const Node& node(int index) const { return graph.nodes[static_cast<std::size_t>(index)]; }

  /// Whether anyone needs the gradient of a value: a parameter lies before it, or it was asked for.
  bool wanted(Value value) const { return wanted_[static_cast<std::size_t>(value.id)]; }
  void want(Value value) { wanted_[static_cast<std::size_t>(value.id)] = true; }

  bool has(Value value) const { return !terms_[static_cast<std::size_t>(value.id)].empty(); }

  /// Another term of the gradient of `of`.
  void add(Value of, Value term) { terms_[static_cast<std::size_t>(of.id)].push_back(term); }

  /// The gradient of a value: its only term, or a new node that sums them.
  Value total(Value of, const OpInfo& sum);

  /// Adds a backward node of `forward`, in its block, whose dst is a term of the gradient of `of`.
  void add_backward(int forward, const OpInfo& op, Value of, std::initializer_list<Value> inputs,
                    std::span<const int> parameters = {});
  /// options: where they are not those of `forward`.
  void add_backward(int forward, const OpInfo& op, Value of, std::span<const Value> inputs,
                    std::span<const int> parameters, const Options* options = nullptr);

  /// Adds a backward node of `forward` that accumulates into the gradients of the parameters, unless all are
  /// frozen.
  void add_parameter_gradient(int forward, const OpInfo& op, std::initializer_list<Value> inputs,
                              std::span<const int> parameters);
  void add_parameter_gradient(int forward, const OpInfo& op, std::span<const Value> inputs,
                              std::span<const int> parameters, const Options* options = nullptr);

 private:
  NodeSpec backward_spec(int forward, const OpInfo& op, std::span<const Value> inputs, std::span<const int> parameters,
                         int like, bool has_dst, const Options* options);

  std::vector<std::vector<Value>> terms_;
  std::vector<bool> wanted_;
};

/// The parameter ids of a node, copied: adding nodes moves the pool they live in.
std::vector<int> parameter_ids(const Graph& graph, const Node& node);

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/graph/gradients.ipp>
#endif
