// The bookkeeping of reverse differentiation: which values have a gradient, and the sum of what flows into each.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/graph.hpp>

#include <cstddef>
#include <initializer_list>
#include <span>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

/// What an operation's `differentiate` works with: it reads the gradient of its dst and adds those of its inputs.
/// Values added here have the shape of the value whose gradient they are.
class Gradients {
 public:
  Graph& graph;

  explicit Gradients(Graph& target)
      : graph(target), terms_(target.values.size()), wanted_(target.values.size(), false) {}

  const Node& node(int index) const { return graph.nodes[static_cast<std::size_t>(index)]; }

  /// Whether anyone needs the gradient of a value: a parameter lies before it, or it was asked for.
  bool wanted(Value value) const { return wanted_[static_cast<std::size_t>(value.id)]; }
  void want(Value value) { wanted_[static_cast<std::size_t>(value.id)] = true; }

  bool has(Value value) const { return !terms_[static_cast<std::size_t>(value.id)].empty(); }

  /// Another term of the gradient of `of`.
  void add(Value of, Value term) { terms_[static_cast<std::size_t>(of.id)].push_back(term); }

  /// The gradient of a value: its only term, or a new node that sums them.
  Value total(Value of, const OpInfo& sum) {
    std::vector<Value>& terms = terms_[static_cast<std::size_t>(of.id)];
    if (terms.size() > 1) {
      const Value whole = add_node(graph, {.op = &sum, .inputs = terms, .like = of.id});
      terms.assign(1, whole);
    }
    return terms.front();
  }

  /// Adds a backward node of `forward`, in its block, whose dst is a term of the gradient of `of`.
  void add_backward(int forward, const OpInfo& op, Value of, std::initializer_list<Value> inputs,
                    std::span<const int> parameters = {}) {
    add_backward(forward, op, of, std::span(inputs.begin(), inputs.size()), parameters);
  }
  /// options: where they are not those of `forward`.
  void add_backward(int forward, const OpInfo& op, Value of, std::span<const Value> inputs,
                    std::span<const int> parameters, const Options* options = nullptr) {
    if (!wanted(of)) return;
    add(of, add_node(graph, backward_spec(forward, op, inputs, parameters, of.id, true, options)));
  }

  /// Adds a backward node of `forward` that accumulates into the gradients of the parameters, unless all are
  /// frozen.
  void add_parameter_gradient(int forward, const OpInfo& op, std::initializer_list<Value> inputs,
                              std::span<const int> parameters) {
    add_parameter_gradient(forward, op, std::span(inputs.begin(), inputs.size()), parameters);
  }
  void add_parameter_gradient(int forward, const OpInfo& op, std::span<const Value> inputs,
                              std::span<const int> parameters, const Options* options = nullptr) {
    bool trained = false;
    for (const int id : parameters) trained = trained || graph.parameters[static_cast<std::size_t>(id)].trainable;
    if (!trained) return;
    add_node(graph, backward_spec(forward, op, inputs, parameters, -1, false, options));
  }

 private:
  NodeSpec backward_spec(int forward, const OpInfo& op, std::span<const Value> inputs, std::span<const int> parameters,
                         int like, bool has_dst, const Options* options) {
    graph.scope = node(forward).scope;
    return {.op = &op,
            .options = options != nullptr ? *options : node(forward).options,
            .inputs = inputs,
            .parameters = parameters,
            .forward = forward,
            .like = like,
            .has_dst = has_dst};
  }

  std::vector<std::vector<Value>> terms_;
  std::vector<bool> wanted_;
};

/// The parameter ids of a node, copied: adding nodes moves the pool they live in.
inline std::vector<int> parameter_ids(const Graph& graph, const Node& node) {
  const auto first = graph.operands.begin() + node.parameters.first;
  return {first, first + node.parameters.count};
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
