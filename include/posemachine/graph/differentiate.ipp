// The definitions of graph/differentiate.hpp.
#pragma once

#include <posemachine/graph/differentiate.hpp>

#include <posemachine/graph/build.hpp>
#include <posemachine/graph/custom_op.hpp>
#include <posemachine/graph/gradients.hpp>
#include <posemachine/graph/ops/add.hpp>
#include <posemachine/graph/ops/input.hpp>

#include <cstddef>
#include <string>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE Graph differentiate(const Graph& network, DifferentiateOptions options) {
  Graph graph = network;
  Gradients gradients(graph);
  const std::size_t forward_nodes = network.nodes.size();
  for (std::size_t i = 0; i < forward_nodes; ++i) {
    const Node& node = graph.nodes[i];
    if (node.dst < 0) continue;
    bool wanted = node.inputs.count == 0 && options.input_gradients;
    for (int k = 0; k < node.parameters.count; ++k) wanted |= parameter(graph, node, k).trainable;
    for (int k = 0; k < node.inputs.count; ++k) wanted |= gradients.wanted(input(graph, node, k));
    if (wanted) gradients.want({node.dst});
  }
  for (std::size_t i = 0; i < network.outputs.size(); ++i) {
    const Value output{network.outputs[i].value};
    gradients.add(output, add_gradient_input(graph, "diff_" + output_name(network, i), output));
  }
  for (std::size_t i = forward_nodes; i-- > 0;) {
    const Node& node = graph.nodes[i];
    const bool custom = node.op->kernels != nullptr && node.op->kernels->backward != nullptr;
    if (node.dst < 0 || (node.op->differentiate == nullptr && !custom)) continue;
    if (!gradients.has({node.dst}) || !gradients.wanted({node.dst})) continue;
    graph.scope = node.scope;
    if (custom) {
      detail::differentiate_custom(gradients, static_cast<int>(i));
    } else {
      node.op->differentiate(gradients, static_cast<int>(i));
    }
  }
  if (options.input_gradients) {
    for (const Port& port : network.inputs) {
      const Value value{port.value};
      if (!gradients.has(value)) continue;
      const std::string name = "diff_" + std::string(name_text(network, port.name));
      add_output(graph, name, gradients.total(value, add_op));
    }
  }
  graph.scope = 0;
  return graph;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
