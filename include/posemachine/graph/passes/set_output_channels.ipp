// The definitions of graph/passes/set_output_channels.hpp.
#pragma once

#include <posemachine/graph/passes/set_output_channels.hpp>

#include <posemachine/core/error.hpp>
#include <posemachine/graph/op_info.hpp>
#include <posemachine/graph/ops/convolution.hpp>

#include <cstddef>
#include <set>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

// The convolutions whose dst an output is, behind whatever keeps its channels and has no parameters.
POSEMACHINE_INLINE std::set<int> output_convolutions(const Graph& graph) {
  std::set<int> heads;
  for (std::size_t i = 0; i < graph.outputs.size(); ++i) {
    int value = graph.outputs[i].value;
    for (;;) {
      const int producer = graph.values[static_cast<std::size_t>(value)].producer;
      const Node& node = graph.nodes[static_cast<std::size_t>(producer)];
      if (node.op->kind() == OpKind::convolution && unpack<ConvolutionOptions>(node.options).groups == 1) {
        heads.insert(producer);
        break;
      }
      const bool passes = node.inputs.count == 1 && node.parameters.count == 0 &&
                          channels(graph, input(graph, node, 0)) == channels(graph, {value});
      if (!passes) {
        fail<ModelError>({.where = "output " + output_name(graph, i),
                          .expected = "maps of a convolution, to give it other channels",
                          .got = describe(graph, producer)});
      }
      value = input(graph, node, 0).id;
    }
  }
  return heads;
}

POSEMACHINE_INLINE void update_channels(Graph& graph) {
  for (const Node& node : graph.nodes) {
    if (node.op->kind() == OpKind::convolution) {
      const auto options = unpack<ConvolutionOptions>(node.options);
      const int in = channels(graph, input(graph, node, 0)) / options.groups;
      Parameter& weights = graph.parameters[static_cast<std::size_t>(parameter_id(graph, node, 0))];
      weights.extents = {options.out, in, options.kernel, options.kernel};
      weights.fan_in = in * options.kernel * options.kernel;
      if (node.parameters.count > 1) {
        graph.parameters[static_cast<std::size_t>(parameter_id(graph, node, 1))].extents[0] = options.out;
      }
    }
    if (node.dst < 0) continue;
    ValueInfo& dst = graph.values[static_cast<std::size_t>(node.dst)];
    dst.channels = node.op->infer != nullptr ? node.op->infer(graph, node) : channels(graph, input(graph, node, 0));
  }
}

}  // namespace detail

POSEMACHINE_INLINE void set_output_channels(Graph& graph, int count) {
  const std::set<int> heads = detail::output_convolutions(graph);
  Graph changed = graph;
  for (const int head : heads) {
    Node& node = changed.nodes[static_cast<std::size_t>(head)];
    auto options = unpack<ConvolutionOptions>(node.options);
    options.out = count;
    node.options = pack(options);
  }
  detail::update_channels(changed);
  graph = std::move(changed);
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
