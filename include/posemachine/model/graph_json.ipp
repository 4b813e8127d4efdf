// The definitions of model/graph_json.hpp.
#pragma once

#include <posemachine/model/graph_json.hpp>

#include <posemachine/core/error.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/ops.hpp>

#include <algorithm>
#include <map>
#include <span>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE void check_limits(const Graph& graph, const std::string& where) {
  const auto require_most = [&](const std::string& what, std::size_t count, std::size_t most) {
    if (count <= most) return;
    fail<ModelError>(
        {.where = where + "." + what, .expected = "at most " + std::to_string(most), .got = std::to_string(count)});
  };
  require_most("nodes", graph.nodes.size(), max_graph_nodes);
  require_most("parameters", graph.parameters.size(), max_graph_parameters);
  require_most("inputs", graph.inputs.size(), max_graph_ports);
  require_most("outputs", graph.outputs.size(), max_graph_ports);
  for (std::size_t id = 0; id < graph.parameters.size(); ++id) {
    const std::string at = "parameters[" + std::to_string(id) + "].name, bytes";
    require_most(at, parameter_name(graph, static_cast<int>(id)).size(), max_name_bytes);
  }
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const std::string at = "nodes[" + std::to_string(i) + "].block, bytes";
    require_most(at, scope_path(graph, graph.nodes[i].scope).size(), max_name_bytes);
  }
  for (const Port& port : graph.inputs)
    require_most("inputs, bytes of a name", name_text(graph, port.name).size(), max_name_bytes);
  for (std::size_t i = 0; i < graph.outputs.size(); ++i) {
    require_most("outputs, bytes of a name", output_name(graph, i).size(), max_name_bytes);
  }
}

namespace detail {

// What a reader without the operation needs to know of it.
POSEMACHINE_INLINE Json dst_to_json(const Graph& graph, const Node& node) {
  const Window window = node.op->geometry(node.options);
  return {{"channels", channels(graph, {node.dst})},
          {"kernel", window.kernel},
          {"stride", window.stride},
          {"dilation", window.dilation},
          {"padding", window.padding},
          {"ceil", window.ceil ? 1 : 0},
          {"global", window.global ? 1 : 0},
          {"scale", window.scale},
          {"output_padding", window.output_padding}};
}

}  // namespace detail

POSEMACHINE_INLINE Json graph_to_json(const Graph& graph) {
  Json parameters = Json::array();
  for (std::size_t id = 0; id < graph.parameters.size(); ++id) {
    const Parameter& parameter = graph.parameters[id];
    Json shape = Json::array();
    for (int i = 0; i < parameter.rank; ++i) shape.push_back(parameter.extents[static_cast<std::size_t>(i)]);
    parameters.push_back({{"name", parameter_name(graph, static_cast<int>(id))},
                          {"shape", std::move(shape)},
                          {"init", init_names[static_cast<std::size_t>(parameter.init)]},
                          {"fan_in", parameter.fan_in},
                          {"trainable", parameter.trainable}});
    if (parameter.type != DataType::f32) parameters.back()["type"] = name_of(parameter.type);
  }
  Json nodes = Json::array();
  for (const Node& node : graph.nodes) {
    if (is_unknown(*node.op)) {
      fail<ModelError>({.where = describe(graph, static_cast<int>(nodes.size())),
                        .expected = "an operation of this program, to write it",
                        .got = std::string(node.op->name) + " version " + std::to_string(node.op->version)});
    }
    Json options = Json::object();
    for (std::size_t i = 0; i < node.op->options.size(); ++i) {
      const OptionInfo& option = node.op->options[i];
      if (option.optional && node.options[i] == option.absent) continue;
      options[std::string(option.name)] = node.options[i];
    }
    Json inputs = Json::array();
    for (int i = 0; i < node.inputs.count; ++i) inputs.push_back(input(graph, node, i).id);
    Json owned = Json::array();
    for (int i = 0; i < node.parameters.count; ++i) owned.push_back(parameter_id(graph, node, i));
    nodes.push_back({{"op", node.op->name},
                     {"version", node.op->version},
                     {"block", scope_path(graph, node.scope)},
                     {"options", std::move(options)},
                     {"inputs", std::move(inputs)},
                     {"parameters", std::move(owned)}});
    if (node.op->kernels != nullptr) nodes.back()["dst"] = detail::dst_to_json(graph, node);
  }
  const auto ports = [&](const std::vector<Port>& list) {
    Json all = Json::array();
    for (const Port& port : list) all.push_back({{"name", name_text(graph, port.name)}, {"value", port.value}});
    return all;
  };
  return {{"parameters", std::move(parameters)},
          {"nodes", std::move(nodes)},
          {"inputs", ports(graph.inputs)},
          {"outputs", ports(graph.outputs)}};
}

namespace detail {

POSEMACHINE_INLINE bool is_integer_within(const Json& json, std::int64_t low, std::int64_t high) {
  if (json.is_number_unsigned() && json.get<std::uint64_t>() > std::uint64_t{1} << 62) return false;
  return json.is_number_integer() && json.get<std::int64_t>() >= low && json.get<std::int64_t>() <= high;
}

// Names and blocks read so far, found without a search: intern() compares with every name there is.
struct KnownNames {
  std::map<std::string, int> names;
  std::map<std::string, int> scopes;

  int name(Graph& graph, const std::string& text) {
    const auto [found, added] = names.try_emplace(text, static_cast<int>(graph.names.size()));
    if (added) {
      graph.names.push_back({static_cast<int>(graph.text.size()), static_cast<int>(text.size())});
      graph.text.insert(graph.text.end(), text.begin(), text.end());
    }
    return found->second;
  }

  // A block read from a file: its whole path as one name under the root.
  int scope(Graph& graph, const std::string& path) {
    if (path.empty()) return 0;
    const auto [found, added] = scopes.try_emplace(path, static_cast<int>(graph.scopes.size()));
    if (added) graph.scopes.push_back({0, name(graph, path), -1, -1});
    return found->second;
  }
};

// An array of at most so many members. Errors: ModelError naming where.key.
POSEMACHINE_INLINE const Json& bounded_array(const Json& object, std::string_view key, const std::string& where,
                                             std::size_t most) {
  const Json& array = array_member<ModelError>(object, key, where);
  if (array.size() > most) {
    fail<ModelError>({.where = field(where, key),
                      .expected = "at most " + std::to_string(most) + " members",
                      .got = std::to_string(array.size())});
  }
  return array;
}

POSEMACHINE_INLINE std::string bounded_name(const Json& object, std::string_view key, const std::string& where) {
  std::string name = string_member<ModelError>(object, key, where);
  if (name.size() > max_name_bytes) {
    fail<ModelError>({.where = field(where, key),
                      .expected = "at most " + std::to_string(max_name_bytes) + " bytes",
                      .got = std::to_string(name.size())});
  }
  return name;
}

POSEMACHINE_INLINE Parameter read_parameter(Graph& graph, const Json& json, const std::string& where,
                                            KnownNames& known) {
  reject_unknown_keys<ModelError>(json, {"name", "shape", "init", "fan_in", "trainable", "type"}, where);
  const std::string name = bounded_name(json, "name", where);
  const Json& shape = array_member<ModelError>(json, "shape", where);
  if (shape.empty() || shape.size() > 4) {
    fail<ModelError>({.where = where + ".shape", .expected = "1 to 4 extents", .got = std::to_string(shape.size())});
  }
  Parameter parameter;
  parameter.rank = static_cast<int>(shape.size());
  std::int64_t size = 1;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const bool fits = is_integer_within(shape[i], 1, 65536);
    if (fits) size *= shape[i].get<std::int64_t>();
    if (!fits || size > std::int64_t{1} << 30) {
      fail<ModelError>({.where = where + ".shape",
                        .expected = "extents from 1 to 65536, 2^30 elements at most",
                        .got = shape.dump().substr(0, 60)});
    }
    parameter.extents[i] = shape[i].get<int>();
  }
  const std::string init = string_member<ModelError>(json, "init", where);
  const auto found = std::find(init_names.begin(), init_names.end(), init);
  if (found == init_names.end()) {
    fail<ModelError>({.where = where + ".init",
                      .expected = "zeros, ones, he_normal, lecun_normal, quarters, fan_in_uniform or near_zero",
                      .got = init.substr(0, 40)});
  }
  parameter.init = static_cast<Init>(found - init_names.begin());
  parameter.fan_in = static_cast<int>(integer_member<ModelError>(json, "fan_in", where, 1, std::int64_t{1} << 30));
  parameter.trainable = boolean_member<ModelError>(json, "trainable", where);
  if (json.contains("type")) {
    const std::string name_of_type = string_member<ModelError>(json, "type", where);
    const auto type = data_type_of(name_of_type);
    if (!type) {
      fail<ModelError>({.where = where + ".type",
                        .expected = "f32, bf16, f16, s8, u8 or s32",
                        .got = "\"" + excerpt(name_of_type, 40) + "\""});
    }
    parameter.type = *type;
    if (parameter.trainable && parameter.type != DataType::f32) {
      fail<ModelError>(
          {.where = where + ".trainable", .expected = "false for a parameter of another type than f32", .got = "true"});
    }
  }
  const std::size_t dot = name.rfind('.');
  if (name.empty() || dot == 0 || dot + 1 == name.size()) {
    fail<ModelError>({.where = where + ".name", .expected = "a dotted path", .got = "\"" + excerpt(name, 40) + "\""});
  }
  parameter.scope = known.scope(graph, dot == std::string::npos ? "" : name.substr(0, dot));
  parameter.name = known.name(graph, dot == std::string::npos ? name : name.substr(dot + 1));
  return parameter;
}

inline constexpr std::array unknown_options{
    OptionInfo{"channels", 1, 65536}, OptionInfo{"kernel", 1, 4096},  OptionInfo{"stride", 1, 4096},
    OptionInfo{"dilation", 1, 64},    OptionInfo{"padding", 0, 4096}, OptionInfo{"ceil", 0, 1},
    OptionInfo{"global", 0, 1},       OptionInfo{"scale", 0, 256},    OptionInfo{"output_padding", 0, 4096},
};

POSEMACHINE_INLINE Options read_options(const Json& json, std::span<const OptionInfo> infos, const std::string& where) {
  std::vector<std::string> names;
  for (const OptionInfo& option : infos) names.emplace_back(option.name);
  reject_unknown_keys<ModelError>(json, names, where);
  Options options{};
  for (std::size_t i = 0; i < infos.size(); ++i) {
    options[i] = infos[i].absent;
    if (infos[i].optional && !json.contains(std::string(infos[i].name))) continue;
    options[i] =
        static_cast<std::int32_t>(integer_member<ModelError>(json, infos[i].name, where, infos[i].low, infos[i].high));
  }
  return options;
}

// The operation and its options; of one that nobody knows, what the file says of its dst.
struct ReadOp {
  const OpInfo* op = nullptr;
  Options options{};
};

POSEMACHINE_INLINE ReadOp read_op(const Json& json, const std::string& where, const OpSet& ops) {
  const std::int64_t version = integer_member<ModelError>(json, "version", where, 1, 1 << 20);
  const std::string name = string_member<ModelError>(json, "op", where);
  if (const OpInfo* op = ops.find(name, version)) {
    return {op, read_options(member<ModelError>(json, "options", where), op->options, where + ".options")};
  }
  const bool described = json.contains("dst") && !name.empty() && name.size() <= OpSet::max_op_name_bytes;
  if (ops.takes_unknown() && described) {
    return {unknown_op(name, static_cast<int>(version), where),
            read_options(json["dst"], unknown_options, where + ".dst")};
  }
  fail<ModelError>(
      {.where = where + ".op",
       .expected = "an operation of this program",
       .got = excerpt(name, 64) + " version " + std::to_string(version),
       .remedy = described ? "load the file with the OpSet that has it" : did_you_mean(name, ops.names())});
}

POSEMACHINE_INLINE std::vector<int> read_ids(const Json& json, std::string_view key, const std::string& where,
                                             std::size_t count) {
  std::vector<int> ids;
  for (const Json& id : array_member<ModelError>(json, key, where)) {
    if (!is_integer_within(id, 0, static_cast<std::int64_t>(count) - 1)) {
      fail<ModelError>({.where = where + "." + std::string(key),
                        .expected = "numbers below " + std::to_string(count) + ", of what stands before",
                        .got = id.dump().substr(0, 40)});
    }
    ids.push_back(id.get<int>());
  }
  return ids;
}

POSEMACHINE_INLINE void read_node(Graph& graph, const Json& json, const std::string& where, const OpSet& ops,
                                  KnownNames& known) {
  reject_unknown_keys<ModelError>(json, {"op", "version", "block", "options", "inputs", "parameters", "dst"}, where);
  const auto [op, options] = read_op(json, where, ops);
  std::vector<Value> inputs;
  for (const int id : read_ids(json, "inputs", where, graph.values.size())) inputs.push_back({id});
  const std::vector<int> parameters = read_ids(json, "parameters", where, graph.parameters.size());
  graph.scope = known.scope(graph, bounded_name(json, "block", where));
  try {
    add_node(graph, {.op = op, .options = options, .inputs = inputs, .parameters = parameters});
  } catch (const ModelError& error) {
    throw ModelError(where + ": " + error.what());
  }
  graph.scope = 0;
  const bool described = json.contains("dst");
  const Json expected = op->kernels != nullptr ? dst_to_json(graph, graph.nodes.back()) : Json();
  if (op->kernels != nullptr && (!described || json["dst"] != expected)) {
    fail<ModelError>({.where = where + ".dst",
                      .expected = expected.dump() + ", as the operation has it",
                      .got = described ? json_excerpt(json["dst"]) : "nothing"});
  }
  if (described && op->kernels == nullptr && !is_unknown(*op)) {
    fail<ModelError>({.where = where + ".dst", .expected = "no such key: it is the operation's to say", .got = "one"});
  }
}

}  // namespace detail

POSEMACHINE_INLINE Graph graph_from_json(const Json& json, const std::string& where, const OpSet& ops) {
  reject_unknown_keys<ModelError>(json, {"parameters", "nodes", "inputs", "outputs"}, where);
  Graph graph;
  detail::KnownNames known;
  const Json& parameters = detail::bounded_array(json, "parameters", where, max_graph_parameters);
  std::map<std::string, std::size_t> seen;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const std::string at = where + ".parameters[" + std::to_string(i) + "]";
    graph.parameters.push_back(detail::read_parameter(graph, parameters[i], at, known));
    const std::string name = parameter_name(graph, static_cast<int>(i));
    if (!seen.try_emplace(name, i).second) {
      fail<ModelError>({.where = at + ".name", .expected = "a name of its own", .got = name.substr(0, 80) + " again"});
    }
  }
  const Json& nodes = detail::bounded_array(json, "nodes", where, max_graph_nodes);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    detail::read_node(graph, nodes[i], where + ".nodes[" + std::to_string(i) + "]", ops, known);
  }
  std::vector<int> uses(graph.parameters.size(), 0);
  for (const Node& node : graph.nodes) {
    for (const int id : parameter_ids(graph, node)) ++uses[static_cast<std::size_t>(id)];
  }
  for (std::size_t id = 0; id < uses.size(); ++id) {
    if (uses[id] > 0) continue;
    fail<ModelError>({.where = where + ".parameters[" + std::to_string(id) + "]",
                      .expected = "a node that uses " + parameter_name(graph, static_cast<int>(id)),
                      .got = "none"});
  }
  const auto read_ports = [&](std::string_view key, const auto& add) {
    const Json& ports = detail::bounded_array(json, key, where, max_graph_ports);
    for (std::size_t i = 0; i < ports.size(); ++i) {
      const std::string at = where + "." + std::string(key) + "[" + std::to_string(i) + "]";
      reject_unknown_keys<ModelError>(ports[i], {"name", "value"}, at);
      const std::int64_t last = static_cast<std::int64_t>(graph.values.size()) - 1;
      const std::int64_t value = integer_member<ModelError>(ports[i], "value", at, 0, last);
      const std::string name = detail::bounded_name(ports[i], "name", at);
      if (name.empty()) fail<ModelError>({.where = at + ".name", .expected = "a name", .got = "an empty one"});
      add(name, static_cast<int>(value), at);
    }
  };
  read_ports("inputs", [&](const std::string& name, int value, const std::string& at) {
    const Node& producer =
        graph.nodes[static_cast<std::size_t>(graph.values[static_cast<std::size_t>(value)].producer)];
    if (producer.op->kind() != OpKind::input)
      fail<ModelError>({.where = at + ".value", .expected = "the dst of an input node", .got = std::to_string(value)});
    const int id = intern(graph, name);
    for (const Port& other : graph.inputs) {
      if (other.name != id && other.value != value) continue;
      fail<ModelError>({.where = at,
                        .expected = "a name and an input node of its own",
                        .got = name.substr(0, 80) + " or its value again"});
    }
    graph.inputs.push_back({id, value, 0});
  });
  read_ports("outputs",
             [&](const std::string& name, int value, const std::string&) { add_output(graph, name, {value}); });
  std::size_t input_nodes = 0;
  for (const Node& node : graph.nodes) input_nodes += node.op->kind() == OpKind::input ? 1 : 0;
  if (graph.inputs.size() != input_nodes || graph.inputs.empty() || graph.outputs.empty()) {
    fail<ModelError>({.where = where,
                      .expected = "a name for every input node, and at least one input and output",
                      .got = std::to_string(graph.inputs.size()) + " inputs for " + std::to_string(input_nodes) +
                             " nodes, " + std::to_string(graph.outputs.size()) + " outputs"});
  }
  return graph;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
