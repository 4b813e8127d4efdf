// The graph of a network: operations on values, with stable names; free of layouts, sizes and buffers.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
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
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

/// How a parameter gets its first values.
enum class Init : std::uint8_t {
  zeros,
  ones,
  he_normal,       // normal, variance 2 / fan-in (He et al. 2015): keeps the scale of activations through ReLU
  lecun_normal,    // normal, variance 1 / fan-in (LeCun et al. 1998): for layers without ReLU
  quarters,        // 0.25: PReLU's slopes (He et al. 2015)
  fan_in_uniform,  // uniform within 1 / sqrt(fan-in), variance 1 / (3 fan-in) (PyTorch's default): before batch norm,
                   // where the scale of weights changes only how fast they learn
  near_zero        // normal, deviation 0.001 (Xiao et al. 2018): for heads, so that maps begin empty
};

/// A tensor a network learns, or a buffer it keeps. Shape: extents in row-major order, the rest 1.
struct Parameter {
  int scope = 0;
  int name = 0;  // index into Graph::names: "weights", "bias", ...
  std::array<int, 4> extents{1, 1, 1, 1};
  int rank = 1;
  Init init = Init::zeros;
  int fan_in = 1;
  bool trainable = true;  // false: a buffer, as batch norm's running mean

  constexpr std::int64_t size() const { return std::int64_t{1} * extents[0] * extents[1] * extents[2] * extents[3]; }
};

/// Consecutive entries of a pool.
struct Range {
  int first = 0;
  int count = 0;
};

/// One operation. Its dst is values[dst]; a node that only accumulates parameter gradients has none.
struct Node {
  const OpInfo* op = nullptr;
  Options options{};
  Range inputs;      // of Graph::operands, value ids
  Range parameters;  // of Graph::operands, parameter ids
  int dst = -1;
  int scope = 0;
  int forward = -1;  // backward nodes: the node they differentiate
  int repeats = -1;  // the earlier node whose result is computed here once more
};

/// A level of the dotted names. Ordinals count from 1 among siblings of one name that own parameters; 0: owns none.
struct Scope {
  int parent = -1;
  int name = -1;    // index into Graph::names; the root has none
  int ordinal = 0;  // -1: the name stands as it is (graphs read from files)
  int first_tally = -1;
};

/// How many children of one name a scope has that own parameters.
struct Tally {
  int name = -1;
  int count = 0;
  int next = -1;
};

/// A distinct piece of Graph::text.
struct NameEntry {
  int begin = 0;
  int size = 0;
};

/// A named input or output. Outputs of one name form a series, first stage first.
struct Port {
  int name = 0;
  int value = -1;
  int series = 0;  // outputs: position within the name's series, from 1
};

struct VisibleTag {
  int name = 0;
  int value = -1;
};

/// A block whose parameters its later uses share.
struct SharedBlock {
  int name = 0;
  Range parameters;  // ids
};

/// A directed acyclic graph; nodes stand in an order in which they can be executed. Copyable, constexpr.
struct Graph {
  std::vector<Node> nodes;
  std::vector<ValueInfo> values;
  std::vector<int> operands;
  std::vector<Parameter> parameters;
  std::vector<Scope> scopes;
  std::vector<Tally> tallies;
  std::vector<NameEntry> names;
  std::vector<char> text;
  std::vector<Port> inputs;
  std::vector<Port> outputs;

  // While layers are lowered: the block being built, the tags it can see, and where its parameters come from.
  int scope = 0;
  std::vector<VisibleTag> tags;
  std::vector<SharedBlock> shared;
  Range replay{-1, 0};  // parameters to be used again, in order; first -1: new ones are made
  bool frozen = false;  // new parameters are not trained
  Broken broken;

  constexpr Graph() {
    // Clang allows 2^20 steps to a constant evaluation: growing vectors of a 1,000-node network took a third of them.
    std::size_t expected = 64;
    if (std::is_constant_evaluated()) expected = 1200;
    nodes.reserve(expected);
    values.reserve(expected);
    operands.reserve(4 * expected);
    parameters.reserve(expected);
    scopes.reserve(expected);
    tallies.reserve(expected);
    scopes.push_back({});
  }
};

constexpr std::string_view name_text(const Graph& graph, int name) {
  const NameEntry& entry = graph.names[static_cast<std::size_t>(name)];
  return {graph.text.data() + entry.begin, static_cast<std::size_t>(entry.size)};
}

/// The index of a name, added if it is new.
constexpr int intern(Graph& graph, std::string_view text) {
  // Pointers and a loop of one statement: Clang allows 2^20 steps to a constant evaluation, and string_view's
  // comparison takes several a character. GCC 12 does not evaluate __builtin_memcmp on allocated memory.
  const int size = static_cast<int>(text.size());
  const NameEntry* entries = graph.names.data();
  const int name_count = static_cast<int>(graph.names.size());
  for (int i = 0; i < name_count; ++i) {
    if (entries[i].size != size) continue;
    const char* known = graph.text.data() + entries[i].begin;
    int same = 0;
    while (same < size && known[same] == text.data()[same]) ++same;
    if (same == size) return i;
  }
  const int begin = static_cast<int>(graph.text.size());
  for (const char c : text) graph.text.push_back(c);
  graph.names.push_back({begin, static_cast<int>(text.size())});
  return static_cast<int>(graph.names.size()) - 1;
}

constexpr const ValueInfo& info(const Graph& graph, Value value) {
  return graph.values[static_cast<std::size_t>(value.id)];
}
constexpr int channels(const Graph& graph, Value value) { return info(graph, value).channels; }
constexpr Stride stride_of(const Graph& graph, Value value) { return info(graph, value).stride; }

constexpr Value input(const Graph& graph, const Node& node, int i) {
  return {graph.operands[static_cast<std::size_t>(node.inputs.first + i)]};
}
constexpr int parameter_id(const Graph& graph, const Node& node, int i) {
  return graph.operands[static_cast<std::size_t>(node.parameters.first + i)];
}
constexpr const Parameter& parameter(const Graph& graph, const Node& node, int i) {
  return graph.parameters[static_cast<std::size_t>(parameter_id(graph, node, i))];
}

/// "Trunk_1.PyramidStack_2.Conv_1"; blocks without parameters have no ordinal.
inline std::string scope_path(const Graph& graph, int scope) {
  const Scope& level = graph.scopes[static_cast<std::size_t>(scope)];
  if (level.parent < 0) return "";
  std::string path = scope_path(graph, level.parent);
  if (!path.empty()) path += '.';
  path += name_text(graph, level.name);
  if (level.ordinal > 0) path += "_" + std::to_string(level.ordinal);
  return path;
}

inline std::string parameter_name(const Graph& graph, int id) {
  const Parameter& parameter = graph.parameters[static_cast<std::size_t>(id)];
  std::string path = scope_path(graph, parameter.scope);
  if (!path.empty()) path += '.';
  return path + std::string(name_text(graph, parameter.name));
}

/// "node 12 (convolution in Trunk_1.Conv_1)": how messages speak of a node.
inline std::string describe(const Graph& graph, int node) {
  std::string text = "node " + std::to_string(node);
  if (node >= static_cast<int>(graph.nodes.size())) return text;
  const Node& which = graph.nodes[static_cast<std::size_t>(node)];
  const std::string path = scope_path(graph, which.scope);
  return text + " (" + std::string(which.op->name) + (path.empty() ? "" : " in " + path) + ")";
}

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
/// it has. Errors: ModelError where that one has another shape.
constexpr int add_parameter(Graph& graph, std::string_view name, std::array<int, 4> extents, int rank, Init init,
                            int fan_in = 1, bool trainable = true) {
  if (graph.replay.first >= 0) {
    if (!require(graph, graph.replay.count > 0, Rule::shared_shape, 0, extents[0])) return 0;
    const Parameter& known = graph.parameters[static_cast<std::size_t>(graph.replay.first)];
    if (known.extents != extents || known.rank != rank) {
      const std::int64_t needed = Parameter{.extents = extents}.size();
      require(graph, false, Rule::shared_shape, detail::figure(known.size()), detail::figure(needed));
    }
    --graph.replay.count;
    return graph.replay.first++;
  }
  detail::claim_ordinals(graph, graph.scope);
  graph.parameters.push_back(
      {graph.scope, intern(graph, name), extents, rank, init, fan_in, trainable && !graph.frozen});
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
    dst.like = spec.like;
  } else if (spec.has_dst) {
    if (graph.broken.rule == Rule::none || op.infer != nullptr) {
      dst.channels = op.infer != nullptr ? op.infer(graph, node) : channels(graph, input(graph, node, 0));
    }
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

/// Whether a value is one of the graph's outputs.
constexpr bool is_output(const Graph& graph, int value) {
  for (const Port& output : graph.outputs) {
    if (output.value == value) return true;
  }
  return false;
}

/// The name of an output: "heatmaps" for the last of its series, "heatmaps_stage_2" for the ones before. Names that end
/// in "_stage_<number>" are left to the series.
inline std::string output_name(const Graph& graph, std::size_t output) {
  const Port& port = graph.outputs[output];
  std::string name(name_text(graph, port.name));
  for (std::size_t later = output + 1; later < graph.outputs.size(); ++later) {
    if (graph.outputs[later].name == port.name) return name + "_stage_" + std::to_string(port.series);
  }
  return name;
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
