// The definitions of model/model.hpp.
#pragma once

#include <posemachine/model/model.hpp>

#include <posemachine/base/files.hpp>
#include <posemachine/base/json.hpp>
#include <posemachine/graph/ops/batch_norm.hpp>
#include <posemachine/graph/sizes.hpp>
#include <posemachine/model/graph_json.hpp>
#include <posemachine/pose/model_spec_json.hpp>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE std::vector<std::string> output_names(const Graph& graph) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < graph.outputs.size(); ++i) names.push_back(output_name(graph, i));
  return names;
}

POSEMACHINE_INLINE std::vector<std::size_t> heatmap_outputs(const Graph& graph, const ModelSpec& spec) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < graph.outputs.size(); ++i) {
    const std::string name = output_name(graph, i);
    const bool other = std::any_of(spec.outputs.begin(), spec.outputs.end(),
                                   [&](const OutputSpec& output) { return output.name == name; });
    if (!other) places.push_back(i);
  }
  return places;
}

POSEMACHINE_INLINE std::vector<std::string> heatmap_names(const Graph& graph, const ModelSpec& spec) {
  std::vector<std::string> names;
  for (const std::size_t place : heatmap_outputs(graph, spec)) names.push_back(output_name(graph, place));
  return names;
}

namespace detail {

// Every output with a role is one of the graph, once, and the answer is none of them.
POSEMACHINE_INLINE void check_other_outputs(const Graph& graph, const ModelSpec& spec, const std::string& where) {
  const std::vector<std::string> names = output_names(graph);
  for (std::size_t i = 0; i < spec.outputs.size(); ++i) {
    const std::string& name = spec.outputs[i].name;
    const auto refuse = [&](const std::string& expected, const std::string& got) {
      fail<ModelError>({.where = where + ".outputs." + name, .expected = expected, .got = got});
    };
    if (std::find(names.begin(), names.end(), name) == names.end()) refuse("an output of the graph", "none");
    if (name == names.back()) refuse("heatmaps as the last output: they are the answer", "this one");
    for (std::size_t k = 0; k < i; ++k) {
      if (spec.outputs[k].name == name) refuse("every output once", "it again");
    }
  }
}

// Reasons for the number of an image input's channels, for messages.
POSEMACHINE_INLINE std::string image_text(const ModelSpec& spec) {
  const std::string colours = "the colour order " + spec.colour_order;
  if (spec.frames.size() == 1) return " and " + colours;
  return ", " + colours + " and the " + std::to_string(spec.frames.size()) + " frames " + frames_text(spec.frames);
}

}  // namespace detail

POSEMACHINE_INLINE void check(const Graph& graph, const ModelSpec& spec, const std::string& where) {
  check(spec, where);
  for (std::size_t i = 0; i < spec.inputs.size(); ++i) {
    const InputSpec& input = spec.inputs[i];
    for (std::size_t k = 0; k < i; ++k) {
      if (spec.inputs[k].name != input.name) continue;
      fail<ModelError>({.where = where + ".inputs", .expected = "every input once", .got = input.name + " again"});
    }
    bool found = false;
    for (const Port& port : graph.inputs) {
      if (name_text(graph, port.name) != input.name) continue;
      found = true;
      const bool image = input.role == InputRole::image;
      const int expected = image ? input_channels(spec) : 1;
      if (channels(graph, {port.value}) != expected) {
        fail<ModelError>({.where = where + ".inputs." + input.name,
                          .expected = std::to_string(expected) + (expected == 1 ? " channel" : " channels") +
                                      " for its role" + (image ? detail::image_text(spec) : ""),
                          .got = std::to_string(channels(graph, {port.value}))});
      }
    }
    if (!found) fail<ModelError>({.where = where + ".inputs", .expected = "an input of the graph", .got = input.name});
  }
  if (spec.inputs.size() != graph.inputs.size()) {
    fail<ModelError>({.where = where + ".inputs",
                      .expected = "a role for each of the graph's " + std::to_string(graph.inputs.size()) + " inputs",
                      .got = std::to_string(spec.inputs.size())});
  }
  detail::check_other_outputs(graph, spec, where);
  const std::vector<std::string> heatmaps = heatmap_names(graph, spec);
  if (spec.heatmaps != heatmaps) {
    const auto list = [](const std::vector<std::string>& names) {
      std::string text;
      for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
      return text.substr(0, 200);
    };
    fail<ModelError>({.where = where + ".heatmaps",
                      .expected = "the graph's outputs in order, " + list(heatmaps),
                      .got = list(spec.heatmaps)});
  }
  const int maps = static_cast<int>(spec.joints.joints.size()) + 1;
  const auto field_of = [&](const Port& port) {
    const std::string name(name_text(graph, port.name));
    const bool is_heatmaps = std::find(heatmaps.begin(), heatmaps.end(), name) != heatmaps.end();
    return where + (is_heatmaps ? ".heatmaps." : ".outputs.") + name;
  };
  for (const Port& port : graph.outputs) {
    if (!stride_of(graph, {port.value}).global) continue;
    fail<ModelError>({.where = field_of(port), .expected = "maps", .got = "a global value"});
  }
  for (const std::size_t place : heatmap_outputs(graph, spec)) {
    const Port& port = graph.outputs[place];
    if (channels(graph, {port.value}) == maps) continue;
    fail<ModelError>({.where = where + ".heatmaps." + std::string(name_text(graph, port.name)),
                      .expected = std::to_string(maps) + " maps, one per joint and the background",
                      .got = std::to_string(channels(graph, {port.value})),
                      .remedy = "give the layer as many channels, or the meaning the joint_set that it is for"});
  }
  const int step = largest_stride(graph);
  for (const auto& [key, pixels] : {std::pair{"input_height", spec.input_height}, {"input_width", spec.input_width}}) {
    if (pixels >= 1 && pixels % step == 0) continue;
    fail<ModelError>({.where = where + "." + key,
                      .expected = "a multiple of " + std::to_string(step) + ", the network's largest stride",
                      .got = std::to_string(pixels)});
  }
  std::vector<Size> sizes;
  try {
    sizes = infer_sizes(graph, {spec.input_height, spec.input_width});
  } catch (const ModelError& error) {
    throw ModelError(where + ".input_height: " + error.what());
  }
  for (const Port& port : graph.outputs) {  // a decoder takes cell (x, y) for the pixels around its strides
    const Stride stride = stride_of(graph, {port.value});
    const Size expected{spec.input_height * stride.cells / stride.pixels,
                        spec.input_width * stride.cells / stride.pixels};
    const Size size = sizes[static_cast<std::size_t>(port.value)];
    if (stride.global || size == expected) continue;
    fail<ModelError>({.where = field_of(port),
                      .expected = "maps of the input's size by their stride, " + to_string(expected),
                      .got = to_string(size)});
  }
}

POSEMACHINE_INLINE Model::Model(std::string network, Graph graph, std::vector<Tensor> parameters, ModelSpec spec,
                                Notes notes)
    : Model(std::move(network), std::move(graph),
            std::vector<AnyTensor>(std::move_iterator(parameters.begin()), std::move_iterator(parameters.end())),
            std::move(spec), std::move(notes)) {}

POSEMACHINE_INLINE Model::Model(std::string network, Graph graph, std::vector<AnyTensor> parameters, ModelSpec spec,
                                Notes notes) {
  check_limits(graph, "graph");
  auto weights = std::make_shared<const detail::ModelWeights>(graph, std::move(parameters));
  check_variances(graph, *weights);
  *this = Model(std::move(network), std::move(graph), std::move(weights), std::move(spec), std::move(notes));
}

POSEMACHINE_INLINE Model Model::with_parameters(std::vector<Tensor> parameters) const {
  return Model(network(), graph(), std::move(parameters), spec(), notes());
}

POSEMACHINE_INLINE Model Model::with_weights_stored_as(DataType type) const {
  if (type != DataType::f32 && type != DataType::bf16 && type != DataType::f16) {
    fail<UsageError>({.where = "weights", .expected = "f32, bf16 or f16", .got = std::string(name_of(type))});
  }
  std::vector<AnyTensor> tensors;
  for (int id = 0; id < static_cast<int>(graph().parameters.size()); ++id) {
    AnyTensor tensor = stored_parameter(id);
    const Parameter& parameter = graph().parameters[static_cast<std::size_t>(id)];
    if (parameter.type == DataType::f32 && parameter.rank > 1) {
      const Tensor floats = to_floats(std::move(tensor));
      tensor = from_floats(floats, type);
      const std::vector<float> rounded = to_floats(tensor).values;
      for (std::size_t i = 0; i < rounded.size(); ++i) {
        if (std::isfinite(rounded[i])) continue;
        fail<ModelError>({.where = parameter_name(graph(), id),
                          .expected = "weights in the range of " + std::string(name_of(type)),
                          .got = std::to_string(floats.values[i]) + " at element " + std::to_string(i),
                          .remedy = "store them as f32"});
      }
    }
    tensors.push_back(std::move(tensor));
  }
  return Model(network(), graph(), std::move(tensors), spec(), notes());
}

POSEMACHINE_INLINE Model Model::with_spec(ModelSpec spec) const {
  return Model(network(), graph(), content_->weights, std::move(spec), notes());
}

POSEMACHINE_INLINE Model Model::with_calibration(std::optional<Calibration> calibration) const {
  ModelSpec changed = spec();
  changed.calibration = std::move(calibration);
  return with_spec(std::move(changed));
}

POSEMACHINE_INLINE Model Model::with_note(const std::string& key, std::string text) const {
  Notes changed = notes();
  changed[key] = std::move(text);
  return Model(network(), graph(), content_->weights, spec(), std::move(changed));
}

POSEMACHINE_INLINE Model Model::random(std::string name, Graph graph, std::uint64_t seed, ModelSpec spec) {
  spec.heatmaps = heatmap_names(graph, spec);
  spec.calibration.reset();
  return Model(std::move(name), std::move(graph), std::make_shared<const detail::ModelWeights>(seed), std::move(spec),
               {});
}

POSEMACHINE_INLINE Model Model::random(NetworkDescription network, std::uint64_t seed) {
  return random(std::move(network.name), std::move(network.graph), seed, std::move(network.spec));
}

POSEMACHINE_INLINE std::string Model::to_bytes() const {
  TensorFile file;
  file.metadata = notes();
  file.metadata["posemachine.format"] = std::to_string(model_format);
  file.metadata["posemachine.network"] = network();
  file.metadata["posemachine.graph"] = write_json<ModelError>(graph_to_json(graph()), "posemachine.graph");
  file.metadata["posemachine.meaning"] = write_json<ModelError>(spec_to_json(spec()), "posemachine.meaning");
  for (int id = 0; id < static_cast<int>(graph().parameters.size()); ++id) {
    file.tensors.push_back({parameter_name(graph(), id), stored_parameter(id)});
  }
  return write_safetensors(file);
}

POSEMACHINE_INLINE Model Model::from_file(TensorFile file, const std::string& where, const OpSet& ops) {
  const auto take = [&](const std::string& key) {
    const auto found = file.metadata.find(key);
    if (found == file.metadata.end()) {
      fail<ModelError>({.where = where + ": " + key,
                        .expected = "metadata of a posemachine model",
                        .got = "none",
                        .remedy = "this safetensors file holds no posemachine network"});
    }
    std::string text = std::move(found->second);
    file.metadata.erase(found);
    return text;
  };
  const std::string format = take("posemachine.format");
  if (format != std::to_string(model_format)) {
    fail<ModelError>({.where = where + ": posemachine.format",
                      .expected = std::to_string(model_format),
                      .got = format.substr(0, 20),
                      .remedy = "use the version of posemachine that wrote the file"});
  }
  std::string network = take("posemachine.network");
  const std::string graph_where = where + ": posemachine.graph";
  Graph graph = graph_from_json(parse_json<ModelError>(take("posemachine.graph"), graph_where), graph_where, ops);
  const std::string spec_where = where + ": posemachine.meaning";
  ModelSpec spec = spec_from_json(parse_json<ModelError>(take("posemachine.meaning"), spec_where), spec_where);
  check(graph, spec, spec_where);
  auto weights = std::make_shared<const detail::ModelWeights>(graph, take_parameters(graph, file, where), where);
  check_variances(graph, *weights);
  return Model(std::move(network), std::move(graph), std::move(weights), std::move(spec), std::move(file.metadata));
}

POSEMACHINE_INLINE Model Model::from_bytes(std::string_view bytes, const std::string& where, const OpSet& ops) {
  return from_file(parse_safetensors(bytes, where), where, ops);
}

POSEMACHINE_INLINE Model Model::load(const std::filesystem::path& path, const OpSet& ops) {
  return from_file(read_safetensors(path), path.string(), ops);
}

POSEMACHINE_INLINE void Model::save(const std::filesystem::path& path) const {
  write_file_atomically(path, to_bytes());
}

POSEMACHINE_INLINE Model::Model(std::string network, Graph graph, std::shared_ptr<const detail::ModelWeights> weights,
                                ModelSpec spec, Notes notes) {
  check_limits(graph, "graph");
  check(graph, spec, "meaning");
  for (const char* key : {"posemachine.format", "posemachine.network", "posemachine.graph", "posemachine.meaning"}) {
    if (notes.contains(key))
      fail<UsageError>({.where = "notes", .expected = "keys besides the model's own", .got = key});
  }
  content_ = std::make_shared<const Content>(
      Content{std::move(network), std::move(graph), std::move(weights), std::move(spec), std::move(notes)});
}

POSEMACHINE_INLINE void Model::check_variances(const Graph& graph, const detail::ModelWeights& weights) {
  for (const Node& node : graph.nodes) {
    if (node.op->kind() != OpKind::batch_norm) continue;
    const int id = parameter_id(graph, node, 3);
    const std::vector<float> variance = to_floats(weights.tensor(graph, id)).values;
    const auto negative = std::find_if(variance.begin(), variance.end(), [](float value) { return value < 0; });
    if (negative == variance.end()) continue;
    fail<ModelError>({.where = parameter_name(graph, id),
                      .expected = "variances of at least 0",
                      .got = std::to_string(*negative) + " at element " + std::to_string(negative - variance.begin())});
  }
}

POSEMACHINE_INLINE std::vector<AnyTensor> Model::take_parameters(const Graph& graph, TensorFile& file,
                                                                 const std::string& where) {
  std::map<std::string, AnyTensor*> by_name;
  for (NamedTensor& entry : file.tensors) by_name[entry.name] = &entry.tensor;
  std::vector<AnyTensor> tensors;
  for (std::size_t id = 0; id < graph.parameters.size(); ++id) {
    const std::string name = parameter_name(graph, static_cast<int>(id));
    const auto found = by_name.find(name);
    if (found == by_name.end()) {
      fail<ModelError>({.where = where,
                        .expected = "tensor " + name + " " + to_string(detail::shape_of(graph.parameters[id])),
                        .got = "none of that name"});
    }
    tensors.push_back(std::move(*found->second));
    by_name.erase(found);
  }
  if (!by_name.empty()) {
    fail<ModelError>({.where = where,
                      .expected = "only tensors that the graph uses",
                      .got = by_name.begin()->first + ", which no node uses"});
  }
  return tensors;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
