// The definitions of graph/passes/drop_dead.hpp.
#pragma once

#include <posemachine/graph/passes/drop_dead.hpp>

#include <cstddef>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

// Which nodes an output, or the gradient of a parameter, depends on. Inputs stay: they are the network's interface.
POSEMACHINE_INLINE std::vector<bool> live_nodes(const Graph& graph) {
  std::vector<bool> live(graph.nodes.size(), false);
  std::vector<bool> wanted(graph.values.size(), false);
  for (const Port& port : graph.outputs) wanted[static_cast<std::size_t>(port.value)] = true;
  for (std::size_t i = graph.nodes.size(); i-- > 0;) {
    const Node& node = graph.nodes[i];
    const bool read = node.dst >= 0 && wanted[static_cast<std::size_t>(node.dst)];
    live[i] = live[i] || read || node.dst < 0 || node.inputs.count == 0;
    if (!live[i]) continue;
    for (int k = 0; k < node.inputs.count; ++k) wanted[static_cast<std::size_t>(input(graph, node, k).id)] = true;
    // A gradient stands for as long as the value it has the shape of, a backward node as long as its forward node.
    const int like = node.dst < 0 ? -1 : graph.values[static_cast<std::size_t>(node.dst)].like;
    if (like >= 0) wanted[static_cast<std::size_t>(like)] = true;
    if (node.forward >= 0) live[static_cast<std::size_t>(node.forward)] = true;
  }
  return live;
}

}  // namespace detail

POSEMACHINE_INLINE void drop_dead(Graph& graph, std::vector<Tensor>& parameters) {
  const std::vector<bool> live = detail::live_nodes(graph);
  std::vector<int> node_at(graph.nodes.size(), -1);
  std::vector<int> value_at(graph.values.size(), -1);
  std::vector<int> parameter_at(graph.parameters.size(), -1);
  std::vector<bool> used(graph.parameters.size(), false);
  std::vector<Node> nodes;
  std::vector<ValueInfo> values;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    if (!live[i]) continue;
    const Node& node = graph.nodes[i];
    node_at[i] = static_cast<int>(nodes.size());
    nodes.push_back(node);
    for (int k = 0; k < node.parameters.count; ++k) used[static_cast<std::size_t>(parameter_id(graph, node, k))] = true;
    if (node.dst < 0) continue;
    value_at[static_cast<std::size_t>(node.dst)] = static_cast<int>(values.size());
    values.push_back(graph.values[static_cast<std::size_t>(node.dst)]);
  }
  std::vector<Parameter> kept_parameters;
  std::vector<Tensor> kept_tensors;
  for (std::size_t i = 0; i < graph.parameters.size(); ++i) {
    if (!used[i]) continue;
    parameter_at[i] = static_cast<int>(kept_parameters.size());
    kept_parameters.push_back(graph.parameters[i]);
    if (!parameters.empty()) kept_tensors.push_back(std::move(parameters[i]));
  }
  const auto moved = [](const std::vector<int>& at, int id) { return id < 0 ? id : at[static_cast<std::size_t>(id)]; };
  std::vector<int> operands;
  for (Node& node : nodes) {
    const Range inputs{static_cast<int>(operands.size()), node.inputs.count};
    for (int k = 0; k < node.inputs.count; ++k) operands.push_back(moved(value_at, input(graph, node, k).id));
    const Range owned{static_cast<int>(operands.size()), node.parameters.count};
    for (int k = 0; k < node.parameters.count; ++k) {
      operands.push_back(moved(parameter_at, parameter_id(graph, node, k)));
    }
    node.inputs = inputs;
    node.parameters = owned;
    node.dst = moved(value_at, node.dst);
    node.forward = moved(node_at, node.forward);
  }
  for (ValueInfo& value : values) {
    value.producer = moved(node_at, value.producer);
    value.like = moved(value_at, value.like);
  }
  for (Port& port : graph.inputs) port.value = moved(value_at, port.value);
  for (Port& port : graph.outputs) port.value = moved(value_at, port.value);
  graph.nodes = std::move(nodes);
  graph.values = std::move(values);
  graph.operands = std::move(operands);
  graph.parameters = std::move(kept_parameters);
  parameters = std::move(kept_tensors);
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
