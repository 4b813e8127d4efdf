// The definitions of graph/gradients.hpp.
#pragma once

#include <posemachine/graph/gradients.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE Gradients::Gradients(Graph& target)
    : graph(target), terms_(target.values.size()), wanted_(target.values.size(), false) {}

POSEMACHINE_INLINE Value Gradients::total(Value of, const OpInfo& sum) {
  std::vector<Value>& terms = terms_[static_cast<std::size_t>(of.id)];
  if (terms.size() > 1) {
    const Value whole = add_node(graph, {.op = &sum, .inputs = terms, .like = of.id});
    terms.assign(1, whole);
  }
  return terms.front();
}

POSEMACHINE_INLINE void Gradients::add_backward(int forward, const OpInfo& op, Value of,
                                                std::initializer_list<Value> inputs, std::span<const int> parameters) {
  add_backward(forward, op, of, std::span(inputs.begin(), inputs.size()), parameters);
}

POSEMACHINE_INLINE void Gradients::add_backward(int forward, const OpInfo& op, Value of, std::span<const Value> inputs,
                                                std::span<const int> parameters, const Options* options) {
  if (!wanted(of)) return;
  add(of, add_node(graph, backward_spec(forward, op, inputs, parameters, of.id, true, options)));
}

POSEMACHINE_INLINE void Gradients::add_parameter_gradient(int forward, const OpInfo& op,
                                                          std::initializer_list<Value> inputs,
                                                          std::span<const int> parameters) {
  add_parameter_gradient(forward, op, std::span(inputs.begin(), inputs.size()), parameters);
}

POSEMACHINE_INLINE void Gradients::add_parameter_gradient(int forward, const OpInfo& op, std::span<const Value> inputs,
                                                          std::span<const int> parameters, const Options* options) {
  bool trained = false;
  for (const int id : parameters) trained = trained || graph.parameters[static_cast<std::size_t>(id)].trainable;
  if (!trained) return;
  add_node(graph, backward_spec(forward, op, inputs, parameters, -1, false, options));
}

POSEMACHINE_INLINE NodeSpec Gradients::backward_spec(int forward, const OpInfo& op, std::span<const Value> inputs,
                                                     std::span<const int> parameters, int like, bool has_dst,
                                                     const Options* options) {
  graph.scope = node(forward).scope;
  return {.op = &op,
          .options = options != nullptr ? *options : node(forward).options,
          .inputs = inputs,
          .parameters = parameters,
          .forward = forward,
          .like = like,
          .has_dst = has_dst};
}

POSEMACHINE_INLINE std::vector<int> parameter_ids(const Graph& graph, const Node& node) {
  const auto first = graph.operands.begin() + node.parameters.first;
  return {first, first + node.parameters.count};
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
