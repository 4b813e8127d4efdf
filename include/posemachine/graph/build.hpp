// How graphs are built: blocks, parameters, nodes and outputs are added, and rules checked as they are.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/op_info.hpp>
#include <posemachine/graph/rules.hpp>
#include <posemachine/graph/value.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

// A count as a rule's figure: 2^31 - 1 where it is more.
constexpr int figure(std::int64_t count) {
  constexpr std::int64_t most = std::numeric_limits<int>::max();
  return static_cast<int>(count < most ? count : most);
}

// "node 12 in Trunk_1.Conv_1": the node that would be added next.
inline std::string next_node(const Graph& graph) {
  const std::string path = scope_path(graph, graph.scope);
  return "node " + std::to_string(graph.nodes.size()) + (path.empty() ? "" : " in " + path);
}

}  // namespace detail

/// A rule of the library: in a constant evaluation the first broken one is recorded, for Checked<Net> to report;
/// at run time it is thrown. Errors: ModelError.
constexpr bool require(Graph& graph, bool kept, Rule rule, int first = 0, int second = 0) {
  if (kept) return true;
  if (std::is_constant_evaluated()) {
    const int node = static_cast<int>(graph.nodes.size());
    if (graph.broken.rule == Rule::none) graph.broken = {rule, node, first, second};
    return false;
  }
  const RuleText text = rule_text(rule);
  throw ModelError(detail::next_node(graph) + ": " + std::string(text.sentence) + " (" + std::string(text.first) + " " +
                   std::to_string(first) + ", " + std::string(text.second) + " " + std::to_string(second) + ")");
}

/// Channels cut into `divisor` equal parts: how many each has; 1 where the rule is broken. Errors: ModelError.
constexpr int channels_over(Graph& graph, int channel_count, int divisor) {
  const bool divides = divisor >= 1 && channel_count >= divisor && channel_count % divisor == 0;
  return require(graph, divides, Rule::channels_divide, channel_count, divisor) ? channel_count / divisor : 1;
}

/// A user's own rule: stops compilation with the text in sight, or throws ModelError.
constexpr void require(const Graph& graph, bool kept, const char* text) {
  if (kept) return;
  throw ModelError(detail::next_node(graph) + ": " + text);
}

/// Opens a block of the given name inside the current one; close_scope(graph, returned) ends it.
constexpr int open_scope(Graph& graph, std::string_view name) {
  const int outer = graph.scope;
  graph.scopes.push_back({outer, intern(graph, name), 0, -1});
  graph.scope = static_cast<int>(graph.scopes.size()) - 1;
  return outer;
}
constexpr void close_scope(Graph& graph, int outer) { graph.scope = outer; }

/// Adds what `lower` adds, in a block of the given name.
template <class Lower>
constexpr Value in_block(Graph& graph, std::string_view name, Lower&& lower, Value src) {
  const int outer = open_scope(graph, name);
  const Value dst = lower(graph, src);
  close_scope(graph, outer);
  return dst;
}

namespace detail {

// The current block and those around it own a parameter: those that had none get their ordinals now.
constexpr void claim_ordinals(Graph& graph, int scope) {
  Scope& level = graph.scopes[static_cast<std::size_t>(scope)];
  if (level.parent < 0 || level.ordinal != 0) return;
  claim_ordinals(graph, level.parent);
  int& first = graph.scopes[static_cast<std::size_t>(level.parent)].first_tally;
  for (int i = first; i >= 0; i = graph.tallies[static_cast<std::size_t>(i)].next) {
    Tally& tally = graph.tallies[static_cast<std::size_t>(i)];
    if (tally.name != level.name) continue;
    level.ordinal = ++tally.count;
    return;
  }
  level.ordinal = 1;
  graph.tallies.push_back({level.name, 1, first});
  first = static_cast<int>(graph.tallies.size()) - 1;
}

}  // namespace detail

/// Adds a parameter owned by the current block and returns its id; inside a block that is used again, the id of the one
/// it has. Only floats (f32) are trained. Errors: ModelError where that one has another shape or type.
constexpr int add_parameter(Graph& graph, std::string_view name, std::array<int, 4> extents, int rank, Init init,
                            int fan_in = 1, bool trainable = true, DataType type = DataType::f32) {
  if (graph.replay.first >= 0) {
    if (!require(graph, graph.replay.count > 0, Rule::shared_shape, 0, extents[0])) return 0;
    const Parameter& known = graph.parameters[static_cast<std::size_t>(graph.replay.first)];
    require(graph, known.type == type, Rule::input_types, static_cast<int>(known.type), static_cast<int>(type));
    if (known.extents != extents || known.rank != rank) {
      const std::int64_t needed = Parameter{.extents = extents}.size();
      require(graph, false, Rule::shared_shape, detail::figure(known.size()), detail::figure(needed));
    }
    --graph.replay.count;
    return graph.replay.first++;
  }
  detail::claim_ordinals(graph, graph.scope);
  const bool learns = trainable && !graph.frozen && type == DataType::f32;
  graph.parameters.push_back({graph.scope, intern(graph, name), extents, rank, init, fan_in, learns, type});
  return static_cast<int>(graph.parameters.size()) - 1;
}

/// Adds what `lower` adds; training leaves its parameters as they are.
template <class Lower>
constexpr Value lower_frozen(Graph& graph, Lower&& lower, Value src) {
  const bool outer = graph.frozen;
  graph.frozen = true;
  const Value dst = lower(graph, src);
  graph.frozen = outer;
  return dst;
}

/// Adds what `lower` adds, with the parameters of the first block of this name where there was one.
/// Errors: ModelError where it needs others.
template <class Lower>
constexpr Value lower_shared(Graph& graph, std::string_view name, Lower&& lower, Value src) {
  const int id = intern(graph, name);
  for (const SharedBlock block : graph.shared) {
    if (block.name != id) continue;
    Range outer = graph.replay;
    graph.replay = block.parameters;
    const Value dst = lower(graph, src);
    require(graph, graph.replay.count == 0, Rule::shared_shape, block.parameters.count,
            block.parameters.count - graph.replay.count);
    if (outer.first == block.parameters.first) {  // inside a block that is itself used again
      outer.first += block.parameters.count;
      outer.count -= block.parameters.count;
    }
    graph.replay = outer;
    return dst;
  }
  const int first = static_cast<int>(graph.parameters.size());
  const Value dst = lower(graph, src);
  graph.shared.push_back({id, {first, static_cast<int>(graph.parameters.size()) - first}});
  return dst;
}

namespace detail {

// All inputs of one type, which dst has too.
constexpr DataType common_type(Graph& graph, const Node& node) {
  if (node.inputs.count == 0) return DataType::f32;
  const DataType type = info(graph, input(graph, node, 0)).type;
  for (int i = 1; i < node.inputs.count; ++i) {
    const DataType other = info(graph, input(graph, node, i)).type;
    if (other != type) require(graph, false, Rule::input_types, static_cast<int>(type), static_cast<int>(other));
  }
  return type;
}

}  // namespace detail

/// A node to be added: what add_node needs.
struct NodeSpec {
  const OpInfo* op = nullptr;
  Options options{};
  std::span<const Value> inputs{};
  std::span<const int> parameters{};
  int forward = -1;
  int like = -1;  // gradients: the value whose channels, stride and size dst has
  bool has_dst = true;
};

/// Adds an operation after checking its rules, and returns its dst (id -1 where it has none).
/// Errors: ModelError naming the node and the figures, or Graph::broken in a constant evaluation.
constexpr Value add_node(Graph& graph, const NodeSpec& spec) {
  const OpInfo& op = *spec.op;
  const int input_count = static_cast<int>(spec.inputs.size());
  require(graph, input_count >= op.min_inputs && (op.max_inputs < 0 || input_count <= op.max_inputs), Rule::input_count,
          input_count, op.min_inputs);
  for (std::size_t i = 0; i < op.options.size(); ++i) {
    const OptionInfo& option = op.options.data()[i];
    const std::int32_t value = spec.options.data()[i];
    if (value >= option.low && value <= option.high) continue;  // fewer steps than a call to require() that passes
    require(graph, false, Rule::option_range, static_cast<int>(i), value);
  }
  Node node;
  node.op = spec.op;
  node.options = spec.options;
  node.scope = graph.scope;
  node.forward = spec.forward;
  node.inputs = {static_cast<int>(graph.operands.size()), input_count};
  for (const Value value : spec.inputs) graph.operands.push_back(value.id);
  node.parameters = {static_cast<int>(graph.operands.size()), static_cast<int>(spec.parameters.size())};
  for (const int id : spec.parameters) graph.operands.push_back(id);

  ValueInfo dst;
  dst.producer = static_cast<int>(graph.nodes.size());
  if (spec.like >= 0) {
    dst.channels = graph.values[static_cast<std::size_t>(spec.like)].channels;
    dst.stride = graph.values[static_cast<std::size_t>(spec.like)].stride;
    dst.type = graph.values[static_cast<std::size_t>(spec.like)].type;
    dst.like = spec.like;
  } else if (spec.has_dst) {
    if (graph.broken.rule == Rule::none || op.infer != nullptr) {
      dst.channels = op.infer != nullptr ? op.infer(graph, node) : channels(graph, input(graph, node, 0));
    }
    dst.type = op.type != nullptr ? op.type(graph, node) : detail::common_type(graph, node);
    const Window window = op.geometry(node.options);
    if (window.global) {
      dst.stride = global_stride;
    } else if (input_count > 0) {
      const Stride src = stride_of(graph, input(graph, node, 0));
      const bool one_to_one = window.kernel == 1 && window.stride == 1 && window.padding == 0 && window.scale <= 1;
      require(graph, !src.global || one_to_one, Rule::global_kernel, window.kernel, window.stride);
      bool fits = require(graph, src.pixels <= largest_stride_pixels / window.stride, Rule::stride_limit, src.pixels,
                          window.stride);
      if (window.scale > 1) {
        fits = fits && require(graph, src.cells <= largest_stride_cells / window.scale, Rule::scale_limit, src.cells,
                               window.scale);
      }
      dst.stride = fits ? coarser(src, window.stride) : src;
      if (fits && window.scale > 1) dst.stride = finer(dst.stride, window.scale);
    }
  }
  if (spec.has_dst) {
    node.dst = static_cast<int>(graph.values.size());
    graph.values.push_back(dst);
  }
  graph.nodes.push_back(node);
  return {node.dst};
}

constexpr Value add_node(Graph& graph, const OpInfo& op, const Options& options, std::initializer_list<Value> inputs,
                         std::initializer_list<int> parameters = {}) {
  return add_node(graph, {.op = &op,
                          .options = options,
                          .inputs = std::span<const Value>(inputs.begin(), inputs.size()),
                          .parameters = std::span<const int>(parameters.begin(), parameters.size())});
}

/// Marks a value as an output; the same name again continues a series whose last member is the answer.
constexpr void add_output(Graph& graph, std::string_view name, Value value) {
  const int id = intern(graph, name);
  int series = 1;
  for (const Port& port : graph.outputs) series += port.name == id ? 1 : 0;
  graph.outputs.push_back({id, value.id, series});
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
