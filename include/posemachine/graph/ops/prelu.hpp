// prelu: (C, H, W) -> (C, H, W); a ReLU that learns, for each channel, a slope below 0.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/gradients.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops/add.hpp>

#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

constexpr int infer_prelu(Graph& graph, const Node& node) {
  const int channel_count = channels(graph, input(graph, node, 0));
  require(graph, node.parameters.count == 1, Rule::parameter_shape, 1, node.parameters.count);
  if (node.parameters.count > 0) {
    const Parameter& slopes = parameter(graph, node, 0);
    require(graph, slopes.size() == channel_count && slopes.rank == 1, Rule::parameter_shape, channel_count,
            static_cast<int>(slopes.size()));
  }
  return channel_count;
}

void differentiate_prelu(Gradients& gradients, int node);

}  // namespace detail

inline constexpr OpInfo prelu_op{.name = "prelu",
                                 .infer = detail::infer_prelu,
                                 .differentiate = detail::differentiate_prelu,
                                 .traits = {.overwrites = 0}};

/// (src, diff_dst; slopes) -> diff_src, and the gradient of the slopes.
inline constexpr OpInfo prelu_backward_op{.name = "prelu_backward", .min_inputs = 2, .max_inputs = 2};

inline void detail::differentiate_prelu(Gradients& gradients, int node) {
  const Value src = input(gradients.graph, gradients.node(node), 0);
  const Value diff_dst = gradients.total({gradients.node(node).dst}, add_op);
  const std::vector<int> parameters = parameter_ids(gradients.graph, gradients.node(node));
  gradients.want(src);  // one node gives both gradients, so that of src is made even where nobody reads it
  gradients.add_backward(node, prelu_backward_op, src, {src, diff_dst}, parameters);
}

/// dst = src above 0, slopes[c] * src below. Parameter: PReLU.slopes (C), at first 0.25. Source: He et al. 2015.
constexpr Value prelu(Graph& graph, Value src) {
  const int outer = open_scope(graph, "PReLU");
  const int slopes = add_parameter(graph, "slopes", {channels(graph, src), 1, 1, 1}, 1, Init::quarters);
  const Value dst = add_node(graph, prelu_op, {}, {src}, {slopes});
  close_scope(graph, outer);
  return dst;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
