// Input, Output, Network, graph_of and the queries for static_assert.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/fixed_string.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops/input.hpp>
#include <posemachine/graph/queries.hpp>
#include <posemachine/layers/sequential.hpp>
#include <posemachine/layers/tags.hpp>

#include <cstddef>
#include <cstdint>

namespace posemachine::inline POSEMACHINE_BUILD {

/// A named input of the network, tagged with its name: From<"image"> goes on from it.
template <FixedString Name, std::int32_t Channels>
struct Input {
  using Glue = Input;
  static constexpr Value lower(Graph& graph, Value) {
    return detail::set_tag(graph, Name.view(), add_input(graph, Name.view(), Channels), false);
  }
};

/// Makes the current value an output. The same name again continues a series ("heatmaps_stage_1", ...), whose last member
/// has the plain name. Every output is supervised in training, the last one is the network's answer.
template <FixedString Name>
struct Output {
  using Glue = Output;
  static constexpr Value lower(Graph& graph, Value src) {
    add_output(graph, Name.view(), src);
    return src;
  }
};

namespace detail {

template <class L>
inline constexpr bool is_input = false;
template <FixedString Name, std::int32_t Channels>
inline constexpr bool is_input<Input<Name, Channels>> = true;

template <class First, class...>
inline constexpr bool first_is_input = is_input<First>;

}  // namespace detail

/// A whole network: inputs first, then layers with at least one Output. Derive a struct from it to name the network.
template <class... Layers>
struct Network : Sequential<Layers...> {
  static_assert(detail::first_is_input<Layers...>, "a network begins with its inputs: Network<Input<\"image\", 3>, ...>");
  using Glue = void;
};

/// The graph of a network type. Errors at run time: ModelError naming node and figures; in a constant evaluation the
/// first broken rule is in Graph::broken, which Checked<Net> turns into a message.
template <class Net>
constexpr Graph graph_of() {
  Graph graph;
  Net::lower(graph, Value{});
  require(graph, !graph.outputs.empty(), Rule::output_missing, 0, static_cast<int>(graph.nodes.size()));
  graph.tags.clear();
  return graph;
}

/// Facts of a network type, computed in one constant evaluation and shared by the queries.
struct NetworkFacts {
  std::int64_t parameters = 0;
  int nodes = 0;
  int outputs = 0;
  int stride = 0;             // input pixels per cell of the answer; 0 for a global one
  Broken broken;
};

template <class Net>
inline constexpr NetworkFacts network_facts = [] {
  const Graph graph = graph_of<Net>();
  NetworkFacts facts;
  facts.broken = graph.broken;
  facts.parameters = count_parameters(graph);
  facts.nodes = static_cast<int>(graph.nodes.size());
  facts.outputs = static_cast<int>(graph.outputs.size());
  if (graph.outputs.empty()) return facts;
  const Value last = answer(graph);
  facts.stride = stride_of(graph, last).global ? 0 : stride_of(graph, last).pixels / stride_of(graph, last).cells;
  return facts;
}();

// An evaluation of its own: Clang allows 2^20 steps to each.
template <class Net>
inline constexpr int network_receptive_field = [] {
  const Graph graph = graph_of<Net>();
  return graph.outputs.empty() ? 0 : receptive_fields(graph)[static_cast<std::size_t>(answer(graph).id)];
}();

namespace detail {

// The figures of a broken rule stand in the failed condition as integers: node, then the two of rule_text.
template <int Node, int First, int Second>
inline constexpr bool options_in_range_at = Node < 0;
template <int Node, int Given, int Expected>
inline constexpr bool inputs_at = Node < 0;
template <int Node, int FirstStride, int ThisStride>
inline constexpr bool branches_at = Node < 0;
template <int Node, int FirstChannels, int ThisChannels>
inline constexpr bool added_channels_at = Node < 0;
template <int Node, int Channels, int Divisor>
inline constexpr bool channels_divide_at = Node < 0;
template <int Node, int SoFar, int Branch>
inline constexpr bool channels_limit_at = Node < 0;
template <int Node, int Pixels, int Stride>
inline constexpr bool stride_limit_at = Node < 0;
template <int Node, int Kernel, int Stride>
inline constexpr bool window_on_global_at = Node < 0;
template <int Node, int Input, int Channels>
inline constexpr bool map_needed_at = Node < 0;
template <int Node, int MapChannels, int GateChannels>
inline constexpr bool gate_at = Node < 0;
template <int Node, int Expected, int Given>
inline constexpr bool parameter_shape_at = Node < 0;
template <int Node, int VisibleTags>
inline constexpr bool tag_visible_at = Node < 0;
template <int Node, int VisibleTags>
inline constexpr bool tag_new_at = Node < 0;
template <int Nodes>
inline constexpr bool output_among = Nodes < 0;

}  // namespace detail

/// Checks a network type: a broken rule stops compilation with its sentence and figures. Every query goes through it.
template <class Net>
struct Checked {
  static constexpr Broken broken = network_facts<Net>.broken;
  static constexpr Rule rule = broken.rule;
  static constexpr int node = broken.node;
  static constexpr int first = broken.first;
  static constexpr int second = broken.second;

  static_assert(rule != Rule::option_range || detail::options_in_range_at<node, first, second>,
                "an option is outside its range (node, option's position, its value)");
  static_assert(rule != Rule::input_count || detail::inputs_at<node, first, second>,
                "an operation has too few or too many inputs (node, given, expected)");
  static_assert(rule != Rule::branch_strides || detail::branches_at<node, first, second>,
                "branches that meet must have the same stride (node, stride of the first, stride of this one)");
  static_assert(rule != Rule::branch_channels || detail::added_channels_at<node, first, second>,
                "values that are added must have the same channels (node, channels of the first, channels of this one)");
  static_assert(rule != Rule::channels_divide || detail::channels_divide_at<node, first, second>,
                "channels must be divisible (node, channels, divisor)");
  static_assert(rule != Rule::channels_limit || detail::channels_limit_at<node, first, second>,
                "a value has at most 65536 channels (node, channels so far, channels of this branch)");
  static_assert(rule != Rule::stride_limit || detail::stride_limit_at<node, first, second>,
                "a cell covers at most 65536 pixels (node, pixels of a src cell, stride)");
  static_assert(rule != Rule::global_kernel || detail::window_on_global_at<node, first, second>,
                "a global value has one cell: only 1x1 windows with stride 1 and no padding fit (node, kernel, stride)");
  static_assert(rule != Rule::spatial_source || detail::map_needed_at<node, first, second>,
                "this operation needs a map, not a global value (node, input, channels)");
  static_assert(rule != Rule::gate_shape || detail::gate_at<node, first, second>,
                "a gate must be a global value with its map's channels (node, channels of the map, of the gate)");
  static_assert(rule != Rule::parameter_shape || detail::parameter_shape_at<node, first, second>,
                "a parameter does not have the shape its operation needs (node, elements expected, given)");
  static_assert(rule != Rule::tag_unknown || detail::tag_visible_at<node, first>,
                "From<tag>: no tag of this name is visible here (node that would be next, tags visible)");
  static_assert(rule != Rule::tag_repeated || detail::tag_new_at<node, first>,
                "Tag<name>: the name is visible already, Retag moves it (node that would be next, tags visible)");
  static_assert(rule != Rule::output_missing || detail::output_among<node>, "a network needs at least one Output (nodes)");

  static constexpr const NetworkFacts& facts = network_facts<Net>;
};

/// How many numbers a network learns.
template <class Net>
inline constexpr std::int64_t parameter_count = Checked<Net>::facts.parameters;

/// How many nodes a network's graph has.
template <class Net>
inline constexpr int node_count = Checked<Net>::facts.nodes;

/// Input pixels per cell of the network's answer.
template <class Net>
inline constexpr int stride = Checked<Net>::facts.stride;

/// How wide a square of input pixels a cell of the answer depends on along the maps; gates are not counted.
template <class Net>
inline constexpr int receptive_field = (static_cast<void>(Checked<Net>::node), network_receptive_field<Net>);

/// Multiply-adds of one forward pass over one image.
template <class Net>
constexpr std::int64_t multiply_adds(int height, int width) {
  static_assert(Checked<Net>::node >= 0);
  return count_multiply_adds(graph_of<Net>(), {height, width});
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
