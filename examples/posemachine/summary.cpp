// posemachine summary: what a network is made of and what it costs.
#include "network_source.hpp"
#include "network_svg.hpp"
#include "tool.hpp"

#include <posemachine/base/files.hpp>
#include <posemachine/base/json.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/engine/program.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/passes/for_inference.hpp>
#include <posemachine/graph/passes/keep_stages.hpp>
#include <posemachine/graph/queries.hpp>
#include <posemachine/graph/sizes.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/model/network_json.hpp>
#include <posemachine/pose/model_spec.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace pm = posemachine;

namespace tool {

namespace {

struct SummaryArguments {
  std::string what;
  std::string size;
  bool json = false;
  bool nodes = false;
  std::string svg;
  bool description = false;
};

// Bytes that all maps of an inference run share: no weight is needed to know them.
std::size_t activation_bytes(const pm::Model& model, pm::Size size) {
  pm::Graph graph = model.graph();
  std::vector<pm::Tensor> no_values;
  pm::prepare_for_inference(graph, no_values);
  pm::engine::ProgramOptions options;
  options.image = size;
  return pm::engine::Program(std::move(graph), options).arena_bytes();
}

// Nodes that stand together in one block below the network, or one node.
struct Row {
  std::string name;
  int nodes = 0;
  std::int64_t parameters = 0;
  std::int64_t multiply_adds = 0;
  std::string dst;  // of the last node
};

// `seen` holds the parameters counted before: shared ones count once.
Row node_row(const pm::Graph& graph, const std::vector<pm::Size>& sizes, int index, std::set<int>& seen) {
  const pm::Node& node = graph.nodes[static_cast<std::size_t>(index)];
  Row row{std::string(node.op->name), 1, 0, 0, ""};
  for (int k = 0; k < node.parameters.count; ++k) {
    const pm::Parameter& parameter = pm::parameter(graph, node, k);
    const bool counts = parameter.trainable && seen.insert(pm::parameter_id(graph, node, k)).second;
    row.parameters += counts ? parameter.size() : 0;
  }
  if (node.dst < 0) return row;
  const pm::Size size = sizes[static_cast<std::size_t>(node.dst)];
  const int channels = graph.values[static_cast<std::size_t>(node.dst)].channels;
  row.dst = format("%d x %d x %d", channels, size.height, size.width);
  row.multiply_adds = pm::count_multiply_adds(graph, node, size);
  return row;
}

std::string print_row(const std::string& name, const Row& row) {
  return format("%-34s %6d  %-16s %12s %16s\n", name.c_str(), row.nodes, row.dst.c_str(),
                thousands(row.parameters).c_str(), thousands(row.multiply_adds).c_str());
}

std::string node_table(const pm::Graph& graph, pm::Size size, bool every_node) {
  const std::vector<pm::Size> sizes = pm::infer_sizes(graph, size);
  std::string text =
      format("%-34s %6s  %-16s %12s %16s\n", "block", "nodes", "channels, h, w", "parameters", "multiply-adds");
  Row total{"total", 0, 0, 0, ""};
  std::set<int> seen;
  for (std::size_t i = 0; i < graph.nodes.size();) {
    const auto top_block = [&](std::size_t node) {
      const std::string path = pm::scope_path(graph, graph.nodes[node].scope);
      return path.substr(0, path.find('.'));
    };
    Row block{top_block(i), 0, 0, 0, ""};
    std::string inside;
    for (; i < graph.nodes.size() && top_block(i) == block.name; ++i) {
      const Row row = node_row(graph, sizes, static_cast<int>(i), seen);
      const std::string path = pm::scope_path(graph, graph.nodes[i].scope);
      const std::size_t dot = path.find('.');
      inside += print_row("  " + (dot == std::string::npos ? "" : path.substr(dot + 1) + " ") + row.name, row);
      block.nodes += row.nodes;
      block.parameters += row.parameters;
      block.multiply_adds += row.multiply_adds;
      block.dst = row.dst;
    }
    text += print_row(block.name.empty() ? "(network)" : block.name, block);
    if (every_node) text += inside;
    total.nodes += block.nodes;
    total.parameters += block.parameters;
    total.multiply_adds += block.multiply_adds;
    total.dst = block.dst;
  }
  return text + print_row("total", total);
}

// An output, and what it takes to get there and no further.
struct Stage {
  std::string output;
  int receptive_field = 0;
  std::int64_t parameters = 0;
  std::int64_t multiply_adds = 0;
};

std::vector<Stage> stages_of(const pm::Graph& graph, pm::Size size) {
  const std::vector<int> fields = pm::receptive_fields(graph);
  std::vector<Stage> stages;
  for (std::size_t i = 0; i < graph.outputs.size(); ++i) {
    pm::Graph part = graph;
    std::vector<pm::Tensor> none;
    pm::keep_stages(part, none, static_cast<int>(i) + 1);
    stages.push_back({pm::output_name(graph, i), fields[static_cast<std::size_t>(graph.outputs[i].value)],
                      pm::count_parameters(part), pm::count_multiply_adds(part, size)});
  }
  return stages;
}

std::string stage_table(const std::vector<Stage>& stages) {
  std::string text = format("%-34s %24s %12s %16s\n", "output", "receptive field, px", "parameters", "multiply-adds");
  for (const Stage& stage : stages) {
    text += format("%-34s %24s %12s %16s\n", stage.output.c_str(), thousands(stage.receptive_field).c_str(),
                   thousands(stage.parameters).c_str(), thousands(stage.multiply_adds).c_str());
  }
  return text;
}

// "acme.mish version 1": operations that the model's file names and this program does not have.
std::vector<std::string> unknown_operations(const pm::Graph& graph) {
  std::vector<std::string> names;
  for (const pm::Node& node : graph.nodes) {
    if (!pm::is_unknown(*node.op)) continue;
    const std::string name = std::string(node.op->name) + " version " + std::to_string(node.op->version);
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}

// Describes an input of one channel; says nothing of RGB.
std::string grey_text(const pm::ModelSpec& spec) {
  if (pm::image_channels(spec) != 1) return "";
  const pm::Normalisation& numbers = spec.normalisation;
  return format(", one channel of %d bits, (x - %g) x %g", spec.bit_depth, numbers.mean[0], numbers.scale[0]);
}

// Describes an input of several frames; says nothing of one.
std::string several_frames_text(const pm::ModelSpec& spec) {
  if (spec.frames.size() == 1) return "";
  return format(", %zu frames (%s)", spec.frames.size(), pm::frames_text(spec.frames).c_str());
}

int summary(const SummaryArguments& arguments, const Context& context) {
  const pm::Model model = find_model(arguments.what, context);
  const pm::Graph& graph = model.graph();
  const pm::ModelSpec& spec = model.spec();
  const pm::Size size = input_size(model, arguments.size);
  if (arguments.description) {
    const pm::Json json = pm::network_to_json({model.network(), graph, model.spec()});
    write_stdout(pm::write_json<pm::ModelError>(json, arguments.what) + "\n");
    return done;
  }
  if (!arguments.svg.empty()) pm::write_file_atomically(arguments.svg, network_svg(model.network(), graph, size));
  const pm::Value answer = pm::answer(graph);
  const pm::Stride stride = pm::stride_of(graph, answer);
  std::int64_t model_bytes = 0;
  for (const pm::Parameter& parameter : graph.parameters) {
    model_bytes += parameter.size() * static_cast<std::int64_t>(sizeof(float));
  }
  const std::vector<Stage> stages = stages_of(graph, size);
  const std::vector<std::string> unknown = unknown_operations(graph);
  const std::size_t activations = unknown.empty() ? activation_bytes(model, size) : 0;

  if (arguments.json) {
    pm::Json json;
    json["network"] = model.network();
    json["input"] = {{"height", size.height},
                     {"width", size.width},
                     {"channels", pm::input_channels(spec)},
                     {"bit_depth", spec.bit_depth},
                     {"frames", spec.frames}};
    json["parameters"] = pm::count_parameters(graph);
    json["macs"] = pm::count_multiply_adds(graph, size);
    json["stride"] = stride.global ? 0 : stride.pixels / stride.cells;
    json["receptive_field"] = stages.back().receptive_field;
    json["stages"] = pm::Json::array();
    for (const Stage& stage : stages) {
      json["stages"].push_back({{"output", stage.output},
                                {"receptive_field", stage.receptive_field},
                                {"parameters", stage.parameters},
                                {"macs", stage.multiply_adds}});
    }
    json["model_bytes"] = model_bytes;
    json["activation_bytes"] = unknown.empty() ? pm::Json(activations) : pm::Json(nullptr);
    json["nodes"] = graph.nodes.size();
    if (!unknown.empty()) json["unknown_operations"] = unknown;
    write_stdout(json.dump(-1, ' ', false, pm::Json::error_handler_t::replace) + "\n");
    return done;
  }
  std::string text = format("%s, input %d x %d (height x width)%s%s\n\n", model.network().c_str(), size.height,
                            size.width, grey_text(spec).c_str(), several_frames_text(spec).c_str());
  text += node_table(graph, size, arguments.nodes) + "\n" + stage_table(stages) + "\n";
  text += format("maps             %zu joints and background, %s\n", model.spec().joints.joints.size(),
                 stride_text(stride).c_str());
  text += format("weights          %s bytes\n", thousands(model_bytes).c_str());
  if (unknown.empty()) {
    text += format("activations      %s bytes for one image\n", thousands(static_cast<long long>(activations)).c_str());
  }
  for (const std::string& name : unknown) {
    text += format("not run by this program: %s\n", name.c_str());
  }
  write_stdout(text);
  return done;
}

}  // namespace

Command add_summary(CLI::App& app, const Context& context) {
  auto arguments = std::make_shared<SummaryArguments>();
  CLI::App* command = app.add_subcommand("summary", "What a network is made of and what it costs");
  command->add_option("NET", arguments->what, "A model file, a network file NET.json, or a network: " + network_names())
      ->required();
  command->add_option("--size", arguments->size,
                      "Input in pixels, HEIGHTxWIDTH or one number; default: the network's own");
  command->add_flag("--nodes", arguments->nodes, "Every node, not only the blocks");
  command->add_flag("--json", arguments->json,
                    "One JSON object: network, input (with its image's channels, bit depth and frames), parameters,\n"
                    "macs (multiply-adds of one image),\n"
                    "stride, receptive_field, stages (of each: output, and the cost of everything up to it),\n"
                    "model_bytes, activation_bytes (one image, inference), nodes");
  command->add_option("--svg", arguments->svg,
                      "Draw the network into this file: blocks, shapes, costs, receptive fields");
  command
      ->add_flag("--description", arguments->description,
                 "Only the network itself, as JSON that summary, diff and train read as NET.json")
      ->excludes("--json")
      ->excludes("--svg")
      ->excludes("--nodes")
      ->excludes("--size");
  return {command, [arguments, &context] { return summary(*arguments, context); }};
}

}  // namespace tool
