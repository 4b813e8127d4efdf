// The definitions of model/network_json.hpp.
#pragma once

#include <posemachine/model/network_json.hpp>

#include <posemachine/base/files.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/layers/network.hpp>
#include <posemachine/model/description_limits.hpp>
#include <posemachine/model/graph_json.hpp>
#include <posemachine/model/layer_fields.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/pose/model_spec.hpp>
#include <posemachine/pose/model_spec_json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

// An error that says already at which layer it happened.
class PlacedError : public ModelError {
 public:
  using ModelError::ModelError;
};

// Reads layers; what it returns refers to the set of layers and operations, not to the reader or the JSON.
class DescriptionReader : public LayerParser {
 public:
  DescriptionReader(const LayerSet& layers, const OpSet& ops, std::string where)
      : layers_(layers), ops_(ops), where_(std::move(where)) {}

  void read_constants(const Json& constants) {
    const std::string where = field(where_, "constants");
    if (!constants.is_object()) {
      fail<ModelError>({.where = where, .expected = "an object", .got = constants.type_name()});
    }
    for (const auto& [name, value] : constants.items()) {
      constants_[name] =
          static_cast<std::int32_t>(integer_member<ModelError>(constants, name, where, -(1 << 30), 1 << 30));
    }
  }

  // Blocks may name each other in any order, so each is read where it is first named, and the rest at the end.
  void read_blocks(const Json& blocks) {
    const std::string where = field(where_, "blocks");
    if (!blocks.is_object()) fail<ModelError>({.where = where, .expected = "an object", .got = blocks.type_name()});
    for (const auto& [name, value] : blocks.items()) {
      require_block_name(name, where);
      blocks_[name].json = &value;
    }
    for (auto& [name, block] : blocks_) body_of(name, block);
  }

  std::int32_t integer(const Json& value, const std::string& where, std::int32_t low, std::int32_t high) override {
    std::string origin;
    Json number = value;
    if (value.is_string()) {
      const auto& name = value.get_ref<const std::string&>();
      const auto found = constants_.find(name);
      if (found == constants_.end()) {
        std::vector<std::string> known;
        for (const auto& [each, constant] : constants_) known.push_back(each);
        fail<ModelError>({.where = where,
                          .expected = "an integer or the name of a constant",
                          .got = json_excerpt(value),
                          .remedy = did_you_mean(name, known)});
      }
      number = found->second;
      origin = ", which is " + name;
    }
    if (is_integer_within(number, low, high)) return number.get<std::int32_t>();
    fail<ModelError>({.where = where,
                      .expected = "an integer from " + std::to_string(low) + " to " + std::to_string(high),
                      .got = json_excerpt(number) + excerpt(origin)});
  }

  LayerFunction layer(const Json& value, const std::string& where) override { return read(value, where, false); }

 private:
  struct Block {
    const Json* json = nullptr;
    LayerFunction body;
    int depth = 0;  // blocks that stand inside one another in it, itself among them
    bool open = false;
  };

  // A function whose copies are one: a block may stand in many places.
  static LayerFunction share(LayerFunction lower) {
    const auto shared = std::make_shared<const LayerFunction>(std::move(lower));
    return [shared](Graph& graph, Value src) { return (*shared)(graph, src); };
  }

  LayerFunction read(const Json& value, const std::string& where, bool without_block) {
    if (++written_ > max_description_steps) {
      fail<ModelError>({.where = where,
                        .expected = "at most " + std::to_string(max_description_steps) + " layers in a file",
                        .got = "more"});
    }
    if (value.is_array()) {
      std::vector<LayerFunction> layers;
      layers.reserve(value.size());
      for (std::size_t i = 0; i < value.size(); ++i) {
        layers.push_back(read(value[i], where + "[" + std::to_string(i) + "]", false));
      }
      return share([layers = std::move(layers), where, steps = steps_](Graph& graph, Value src) {
        count_step(graph, *steps, where);
        for (const LayerFunction& each : layers) src = each(graph, src);
        return src;
      });
    }
    if (value.is_string()) return named(value.get<std::string>(), nullptr, where, without_block);
    if (value.is_object() && value.size() == 1) {
      const auto only = value.begin();
      return named(only.key(), &only.value(), where, without_block);
    }
    fail<ModelError>({.where = where,
                      .expected = "a layer: \"ReLU\", {\"Conv\": {\"out\": 32, \"kernel\": 3}} or a list of layers",
                      .got = json_excerpt(value)});
  }

  LayerFunction named(const std::string& name, const Json* options, const std::string& parent, bool without_block) {
    const std::string where = field(parent, name);
    if (name == inline_word) {
      if (options == nullptr || options->is_array()) {
        fail<ModelError>({.where = where, .expected = "one layer", .got = options == nullptr ? "none" : "a list"});
      }
      return read(*options, where, true);
    }
    if (const auto block = blocks_.find(name); block != blocks_.end()) {
      if (options != nullptr && *options != Json::object()) {
        fail<ModelError>({.where = where, .expected = "no options for a block", .got = json_excerpt(*options)});
      }
      const LayerFunction& body = body_of(name, block->second);
      deepest_ = std::max(deepest_, block->second.depth);
      return without_block ? body : in_block_of(name, body, where);
    }
    if (const LayerSet::Word* word = layers_.find(name)) {
      const LayerFunction body = placed(word->parse(options, where, *this), where);
      return without_block || !word->block ? body : in_block_of(name, body, where);
    }
    return operation(name, options, where);
  }

  const LayerFunction& body_of(const std::string& name, Block& block) {
    if (block.body) return block.body;
    const std::string where = field(field(where_, "blocks"), name);
    if (block.open)
      fail<ModelError>({.where = where, .expected = "a block without itself", .got = "one inside itself"});
    block.open = true;
    const int outer = std::exchange(deepest_, 0);
    require_depth(++open_blocks_, where);
    block.body = read(*block.json, where, false);
    --open_blocks_;
    block.depth = deepest_ + 1;
    require_depth(block.depth, where);
    deepest_ = outer;
    return block.body;
  }

  // Deep nesting would need a deep stack.
  static void require_depth(int depth, const std::string& where) {
    if (depth <= max_description_blocks) return;
    fail<ModelError>({.where = where,
                      .expected = "at most " + std::to_string(max_description_blocks) + " blocks inside each other",
                      .got = "more"});
  }

  // A user's operation: {"acme.mish": {"slope": 3}}, the newest version unless one is given.
  LayerFunction operation(const std::string& name, const Json* options, const std::string& where) {
    const OpInfo* op = nullptr;
    const Json none = Json::object();
    Json given = options == nullptr ? none : *options;
    const bool versioned = given.is_object() && given.contains("version");
    for (const OpInfo* each : ops_.all()) {
      const bool fits =
          each->kernels != nullptr && each->name == name && (!versioned || given["version"] == each->version);
      if (fits && (op == nullptr || op->version < each->version)) op = each;
    }
    if (op == nullptr) {
      std::vector<std::string> known = layers_.names();
      known.emplace_back(inline_word);
      for (const auto& [block, body] : blocks_) known.push_back(block);
      for (const OpInfo* each : ops_.all()) {
        if (each->kernels != nullptr) known.emplace_back(each->name);
      }
      fail<ModelError>({.where = where,
                        .expected = "a layer, a block of the description or an operation of this program",
                        .got = versioned ? "version " + json_excerpt(given["version"]) + " of it" : "an unknown name",
                        .remedy = did_you_mean(name, known)});
    }
    if (versioned) given.erase("version");
    if (!given.is_object() && !op->options.empty()) given = {{std::string(op->options.front().name), given}};
    std::vector<std::string> keys;
    for (const OptionInfo& option : op->options) keys.emplace_back(option.name);
    reject_unknown_keys<ModelError>(given, keys, where);
    Options values{};
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const OptionInfo& option = op->options[i];
      if (option.optional && !given.contains(keys[i])) {
        values[i] = option.absent;
      } else {
        values[i] = integer(member<ModelError>(given, keys[i], where), field(where, keys[i]), option.low, option.high);
      }
    }
    return placed([op, values](Graph& graph, Value src) { return add_node(graph, *op, values, {src}); }, where);
  }

  LayerFunction in_block_of(const std::string& name, const LayerFunction& body, const std::string& where) const {
    return share([name, body, where, steps = steps_](Graph& graph, Value src) {
      count_step(graph, *steps, where);
      return in_block(graph, name, body, src);
    });
  }

  // Counts the layer, and says where it stands if it cannot be added.
  LayerFunction placed(LayerFunction lower, const std::string& where) {
    return share([lower = std::move(lower), where, steps = steps_](Graph& graph, Value src) {
      count_step(graph, *steps, where);
      try {
        return lower(graph, src);
      } catch (const PlacedError&) {
        throw;
      } catch (const ModelError& error) {
        throw PlacedError(where + ": " + error.what());
      }
    });
  }

  // Lists and blocks count too: empty ones can be repeated as often as any layer.
  static void count_step(const Graph& graph, int& steps, const std::string& where) {
    const bool few = graph.nodes.size() <= max_graph_nodes && graph.names.size() <= max_description_names;
    if (++steps <= max_description_steps && few) return;
    fail<PlacedError>({.where = where,
                       .expected = "a network of at most " + std::to_string(max_graph_nodes) + " operations, " +
                                   std::to_string(max_description_names) + " names and " +
                                   std::to_string(max_description_steps) + " layers",
                       .got = "more"});
  }

  void require_block_name(const std::string& name, const std::string& where) const {
    if (!is_identifier(name)) {
      fail<ModelError>({.where = where,
                        .expected = "names that are identifiers of 1 to 64 bytes",
                        .got = "\"" + excerpt(name) + "\""});
    }
    if (layers_.find(name) == nullptr && name != inline_word) return;
    fail<ModelError>({.where = field(where, name), .expected = "a name of its own", .got = "that of a layer"});
  }

  static constexpr std::string_view inline_word = "Inline";  // a block's or module's layers without its block

  const LayerSet& layers_;
  const OpSet& ops_;
  std::string where_;
  std::map<std::string, std::int32_t> constants_;
  std::map<std::string, Block> blocks_;
  int written_ = 0;      // layers read
  int open_blocks_ = 0;  // while they are read
  int deepest_ = 0;      // of the blocks named so far in the one that is read
  std::shared_ptr<int> steps_ = std::make_shared<int>(0);
};

POSEMACHINE_INLINE Graph graph_from_layers(const Json& json, const std::string& where, const LayerSet& layers,
                                           const OpSet& ops) {
  DescriptionReader reader(layers, ops, where);
  if (json.contains("constants")) reader.read_constants(json["constants"]);
  if (json.contains("blocks")) reader.read_blocks(json["blocks"]);
  const Json& list = array_member<ModelError>(json, "layers", where);
  const std::string at = field(where, "layers");
  // Every other layer needs a value to work on.
  if (list.empty() || !list[0].is_object() || !list[0].contains("Input")) {
    fail<ModelError>({.where = at + "[0]",
                      .expected = R"(the network's input first: {"Input": {"name": "image", "channels": 3}})",
                      .got = list.empty() ? "no layers" : json_excerpt(list[0])});
  }
  const LayerFunction network = reader.layer(list, at);
  Graph graph;
  network(graph, Value{});
  try {
    finish(graph);
  } catch (const ModelError& error) {
    throw ModelError(at + ": " + error.what());
  }
  check_description(graph, where);
  return graph;
}

// Fills in what a description leaves open: an input of three channels per frame is the image, or where there is none, a
// grey one of one channel per frame; everything else is as ModelSpec has it.
POSEMACHINE_INLINE ModelSpec description_spec(const Json& json, const Graph& graph, const std::string& where) {
  ModelSpec spec;
  spec.heatmaps = output_names(graph);
  spec.inputs.clear();
  if (json.contains("meaning") && json["meaning"].is_object() && json["meaning"].contains("frames")) {
    spec.frames = frames_from_json<ModelError>(json["meaning"]["frames"], field(where, "meaning.frames"));
  }
  const bool grey = std::none_of(graph.inputs.begin(), graph.inputs.end(), [&](const Port& port) {
    return channels(graph, {port.value}) == input_channels(spec);
  });
  if (grey) spec.colour_order = "grey";
  for (const Port& port : graph.inputs) {
    if (channels(graph, {port.value}) != input_channels(spec)) continue;
    spec.inputs.push_back({std::string(name_text(graph, port.name)), InputRole::image, 0});
  }
  const bool given_inputs =
      json.contains("meaning") && json["meaning"].is_object() && json["meaning"].contains("inputs");
  if (spec.inputs.size() > 1 && !given_inputs) {
    fail<ModelError>({.where = where + ".meaning.inputs",
                      .expected = "a role for each input, where several could be the image",
                      .got = "none"});
  }
  if (!json.contains("meaning")) return spec;
  const Json& given = json["meaning"];
  const std::string at = field(where, "meaning");
  if (!given.is_object()) fail<ModelError>({.where = at, .expected = "an object", .got = given.type_name()});
  if (given.contains("calibration")) {
    fail<ModelError>({.where = at,
                      .expected = "what holds for any weights",
                      .got = "a calibration, which belongs to those of a model file"});
  }
  if (given.contains("outputs")) spec.outputs = outputs_from_json(given, at);
  spec.heatmaps = heatmap_names(graph, spec);
  // Order of colours and bit depth say how many numbers the normalisation has, and which.
  if (given.contains("colour_order") && given["colour_order"].is_string()) spec.colour_order = given["colour_order"];
  if (given.contains("bit_depth") && given["bit_depth"] == 16) spec.normalisation = default_normalisation(16);
  Json whole = spec_to_json(spec);
  for (const auto& [key, value] : given.items()) {
    const bool part = value.is_object() && (key == "normalisation" || key == "crop" || key == "decoder");
    if (part) {
      if (value.contains("kind")) whole[key].erase("quarter_offset");  // two spellings of one choice
      whole[key].update(value);
    } else {
      whole[key] = value;
    }
  }
  return spec_from_json(whole, at);
}

POSEMACHINE_INLINE NetworkDescription unchecked_network_from_json(const Json& json, const std::string& where,
                                                                  const LayerSet& layers, const OpSet& ops) {
  const bool by_graph = json.is_object() && json.contains("graph");
  reject_unknown_keys<ModelError>(json,
                                  by_graph
                                      ? std::vector<std::string>{"network", "graph", "meaning"}
                                      : std::vector<std::string>{"network", "constants", "blocks", "layers", "meaning"},
                                  where);
  NetworkDescription description;
  description.name = read_layer_name(member<ModelError>(json, "network", where), field(where, "network"));
  if (by_graph) {
    description.graph = graph_from_json(json["graph"], field(where, "graph"), ops);
    check_description(description.graph, where);
  } else {
    description.graph = graph_from_layers(json, where, layers, ops);
  }
  description.spec = description_spec(json, description.graph, where);
  return description;
}

// As many joints as the maps of the answer are for.
POSEMACHINE_INLINE JointSet joints_of_maps(const NetworkDescription& network) {
  const std::vector<std::size_t> heatmaps = heatmap_outputs(network.graph, network.spec);
  JointSet set;
  if (heatmaps.empty()) return set;
  const int maps = channels(network.graph, {network.graph.outputs[heatmaps.back()].value});
  for (int i = 1; i < maps; ++i) set.joints.push_back("joint " + std::to_string(i));
  return set;
}

}  // namespace detail

POSEMACHINE_INLINE NetworkDescription network_from_json(const Json& json, const std::string& where,
                                                        const LayerSet& layers, const OpSet& ops) {
  NetworkDescription description = detail::unchecked_network_from_json(json, where, layers, ops);
  check(description.graph, description.spec, detail::field(where, "meaning"));
  return description;
}

POSEMACHINE_INLINE NetworkDescription open_network_from_json(const Json& json, const std::string& where,
                                                             const LayerSet& layers, const OpSet& ops) {
  NetworkDescription description = detail::unchecked_network_from_json(json, where, layers, ops);
  ModelSpec spec = description.spec;
  if (!says_joint_set(json)) spec.joints = detail::joints_of_maps(description);
  check(description.graph, spec, detail::field(where, "meaning"));
  return description;
}

POSEMACHINE_INLINE Json network_to_json(const NetworkDescription& network) {
  Json spec = spec_to_json(network.spec);
  spec.erase("calibration");
  return {{"network", network.name}, {"graph", graph_to_json(network.graph)}, {"meaning", std::move(spec)}};
}

POSEMACHINE_INLINE Json read_network_json(const std::filesystem::path& path) {
  JsonLimits limits;
  limits.comments = true;
  return parse_json<ModelError>(read_file<ModelError>(path, limits.bytes), path.string(), limits);
}

POSEMACHINE_INLINE NetworkDescription read_network(const std::filesystem::path& path, const LayerSet& layers,
                                                   const OpSet& ops) {
  return network_from_json(read_network_json(path), path.string(), layers, ops);
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
