// Input, Output, Network, graph_of and the queries for static_assert.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/data_type.hpp>
#include <posemachine/core/fixed_string.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops/input.hpp>
#include <posemachine/graph/queries.hpp>
#include <posemachine/layers/sequential.hpp>
#include <posemachine/layers/tags.hpp>

#include <cstddef>
#include <cstdint>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// A named input of the network, tagged with its name: From<"image"> goes on from it.
template <FixedString Name, std::int32_t Channels, DataType Type = DataType::f32>
struct Input {
  using AddsNoScope = Input;
  static constexpr Value lower(Graph& graph, Value) {
    return set_tag(graph, add_input(graph, Name.view(), Channels, Type), Name.view());
  }
};

/// Makes the current value an output. The same name again continues a series ("heatmaps_stage_1", ...), whose last
/// member has the plain name. Every output is supervised in training, the last one is the network's answer.
template <FixedString Name>
struct Output {
  using AddsNoScope = Output;
  static constexpr Value lower(Graph& graph, Value src) {
    add_output(graph, Name.view(), src);
    return src;
  }
};

namespace detail {

template <class L>
inline constexpr bool is_input = false;
template <FixedString Name, std::int32_t Channels, DataType Type>
inline constexpr bool is_input<Input<Name, Channels, Type>> = true;

template <class First, class...>
inline constexpr bool first_is_input = is_input<First>;

}  // namespace detail

/// A whole network: inputs first, then layers with at least one Output. Derive a struct from it to name the network.
template <class... Layers>
struct Network : Sequential<Layers...> {
  static_assert(detail::first_is_input<Layers...>,
                "a network begins with its inputs: Network<Input<\"image\", 3>, ...>");
  using AddsNoScope = void;
};

namespace detail {

// What a graph must be once its layers are in; what only lowering needs is dropped.
constexpr void finish(Graph& graph) {
  require(graph, !graph.outputs.empty(), Rule::output_missing, 0, static_cast<int>(graph.nodes.size()));
  graph.tags.clear();
  graph.shared.clear();
}

}  // namespace detail

/// The graph of a network type. Errors at run time: ModelError naming node and figures; in a constant evaluation the
/// first broken rule is in Graph::broken, which Checked<Net> turns into a message.
template <class Net>
constexpr Graph graph_of() {
  Graph graph;
  Net::lower(graph, Value{});
  detail::finish(graph);
  return graph;
}

/// Facts of a network type, computed in one constant evaluation and shared by the queries.
struct NetworkFacts {
  std::int64_t parameters = 0;
  int nodes = 0;
  int outputs = 0;
  int stride = 0;  // input pixels per cell of the answer; 0 for a global one
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

// What a compiler says of a broken rule. The figures are arguments of the type, so that GCC prints them in its first
// line and Clang in its fourth: the rule, the node that would be next, the two figures the sentence names, then the layer
// and the block that it is part of, as Layered<TYPE>.
template <Rule Found, int Node, int First, int Second, const LayerMark* Layer, const LayerMark* Block>
struct Verdict {
  static_assert(Found != Rule::option_range, POSEMACHINE_RULE_option_range(POSEMACHINE_RULE_MESSAGE));
  static_assert(Found != Rule::input_count, POSEMACHINE_RULE_input_count(POSEMACHINE_RULE_MESSAGE));
  static_assert(Found != Rule::input_types, POSEMACHINE_RULE_input_types(POSEMACHINE_RULE_MESSAGE));
  static_assert(Found != Rule::branch_strides, POSEMACHINE_RULE_branch_strides(POSEMACHINE_RULE_MESSAGE));
  static_assert(Found != Rule::branch_channels, POSEMACHINE_RULE_branch_channels(POSEMACHINE_RULE_MESSAGE));
  static_assert(Found != Rule::channels_divide, POSEMACHINE_RULE_channels_divide(POSEMACHINE_RULE_MESSAGE));
  static_assert(Found != Rule::channels_limit, POSEMACHINE_RULE_channels_limit(POSEMACHINE_RULE_MESSAGE));
  static_assert(Found != Rule::stride_limit, POSEMACHINE_RULE_stride_limit(POSEMACHINE_RULE_MESSAGE));
  static_assert(Found != Rule::global_kernel, POSEMACHINE_RULE_global_kernel(POSEMACHINE_RULE_MESSAGE));
  static_assert(Found != Rule::spatial_source, POSEMACHINE_RULE_spatial_source(POSEMACHINE_RULE_MESSAGE));
  static_assert(Found != Rule::gate_shape, POSEMACHINE_RULE_gate_shape(POSEMACHINE_RULE_MESSAGE));
  static_assert(Found != Rule::parameter_shape, POSEMACHINE_RULE_parameter_shape(POSEMACHINE_RULE_MESSAGE));
  static_assert(Found != Rule::dilation_rate, POSEMACHINE_RULE_dilation_rate(POSEMACHINE_RULE_MESSAGE));
  static_assert(Found != Rule::scale_limit, POSEMACHINE_RULE_scale_limit(POSEMACHINE_RULE_MESSAGE));
  static_assert(Found != Rule::shared_shape, POSEMACHINE_RULE_shared_shape(POSEMACHINE_RULE_MESSAGE));
  static_assert(Found != Rule::tag_unknown, POSEMACHINE_RULE_tag_unknown(POSEMACHINE_RULE_MESSAGE));
  static_assert(Found != Rule::tag_repeated, POSEMACHINE_RULE_tag_repeated(POSEMACHINE_RULE_MESSAGE));
  static_assert(Found != Rule::output_missing, POSEMACHINE_RULE_output_missing(POSEMACHINE_RULE_MESSAGE));
  static_assert(Found != Rule::even_kernel, POSEMACHINE_RULE_even_kernel(POSEMACHINE_RULE_MESSAGE));
  static_assert(static_cast<int>(Rule::count) == 20, "every rule has a sentence here");
};

}  // namespace detail

/// Checks a network type: a broken rule stops compilation with its sentence and figures. Every query goes through it.
template <class Net>
struct Checked : detail::Verdict<network_facts<Net>.broken.rule, network_facts<Net>.broken.node,
                                 network_facts<Net>.broken.first, network_facts<Net>.broken.second,
                                 network_facts<Net>.broken.innermost, network_facts<Net>.broken.block> {
  static constexpr int node = network_facts<Net>.broken.node;  // 0 where no rule is broken
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

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
