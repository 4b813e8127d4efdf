// The graph of a network: operations on values, with stable names; free of layouts, sizes and buffers.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/op_info.hpp>
#include <posemachine/graph/rules.hpp>
#include <posemachine/graph/value.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// How a parameter gets its first values.
enum class Init : std::int32_t {  // as option structs hold it
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
  DataType type = DataType::f32;

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

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
