// The definitions of model/take_weights.hpp.
#pragma once

#include <posemachine/model/take_weights.hpp>

#include <posemachine/core/data_type.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/op_info.hpp>
#include <posemachine/graph/ops/convolution.hpp>
#include <posemachine/pose/model_spec.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

// The parameters of the last layers before outputs, whose maps speak of joints: back from each output through whatever
// learns nothing, batch norms and slopes, to the first operations with weights.
POSEMACHINE_INLINE std::vector<bool> belong_to_outputs(const Graph& graph) {
  std::vector<bool> found(graph.parameters.size(), false);
  std::vector<int> open;
  for (const Port& port : graph.outputs) open.push_back(port.value);
  while (!open.empty()) {
    const Node& node = graph.nodes[static_cast<std::size_t>(info(graph, {open.back()}).producer)];
    open.pop_back();
    bool has_weights = false;
    for (int k = 0; k < node.parameters.count; ++k) {
      found[static_cast<std::size_t>(parameter_id(graph, node, k))] = true;
      has_weights = has_weights || parameter(graph, node, k).rank > 1;
    }
    if (has_weights) continue;
    for (int k = 0; k < node.inputs.count; ++k) open.push_back(input(graph, node, k).id);
  }
  return found;
}

// The ids of the weights of convolutions over all channels of a model's image, and nothing beside it.
POSEMACHINE_INLINE std::vector<int> weights_on_image(const Model& model) {
  const Graph& graph = model.graph();
  std::vector<int> ids;
  for (const InputSpec& spec : model.spec().inputs) {
    if (spec.role != InputRole::image) continue;
    for (const Port& port : graph.inputs) {
      if (name_text(graph, port.name) != spec.name) continue;
      for (const Node& node : graph.nodes) {
        if (node.op->kind() != OpKind::convolution || input(graph, node, 0).id != port.value) continue;
        if (unpack<ConvolutionOptions>(node.options).groups == 1) ids.push_back(parameter_id(graph, node, 0));
      }
    }
  }
  return ids;
}

// Layout of an image input's channels: those of one picture for each frame in turn.
struct ImageInput {
  int channels = 3;  // of one picture
  std::vector<int> frames{0};
  friend bool operator==(const ImageInput&, const ImageInput&) = default;
};

// Guess for weights in a file that does not say what they are for: one picture, in colours or grey; none for other
// shapes.
POSEMACHINE_INLINE std::optional<ImageInput> image_input_by_shape(const Tensor& weights) {
  if (weights.shape.size() != 4 || (weights.shape[1] != 3 && weights.shape[1] != 1)) return std::nullopt;
  return ImageInput{static_cast<int>(weights.shape[1]), {0}};
}

// Weights over one image input as ones over another, see take_weights; none where the shapes are not those of the
// inputs. Shapes: (out, channels of `from`, height, width) to (out, channels of `to`, height, width).
POSEMACHINE_INLINE std::optional<Tensor> carried_over(const Tensor& weights, const ImageInput& from,
                                                      const ImageInput& to, const Shape& wanted) {
  const auto channels_of_all = [](const ImageInput& input) { return input.channels * std::ssize(input.frames); };
  Shape changed = weights.shape;
  if (changed.size() != 4 || changed[1] != channels_of_all(from)) return std::nullopt;
  changed[1] = channels_of_all(to);
  if (changed != wanted) return std::nullopt;
  Tensor result(wanted);
  const auto plane = static_cast<std::size_t>(wanted[2] * wanted[3]);
  // Adds one picture's weights, (from.channels, height, width), to those over (to.channels, height, width).
  const auto add_picture = [&](const float* source, float* sum) {
    const auto most = static_cast<std::size_t>(std::max(from.channels, to.channels));
    const float share = from.channels < to.channels ? static_cast<float>(to.channels) : 1.0f;
    for (std::size_t i = 0; i < plane; ++i) {
      for (std::size_t c = 0; c < most; ++c) {
        const std::size_t source_channel = from.channels == 1 ? 0 : c, channel = to.channels == 1 ? 0 : c;
        sum[channel * plane + i] += source[source_channel * plane + i] / share;
      }
    }
  };
  const auto place_of = [](const ImageInput& input, int frame) {
    return static_cast<std::size_t>(std::find(input.frames.begin(), input.frames.end(), frame) - input.frames.begin());
  };
  const std::size_t source_size = static_cast<std::size_t>(from.channels) * plane;
  const std::size_t size = static_cast<std::size_t>(to.channels) * plane;
  for (std::size_t out = 0; out < static_cast<std::size_t>(wanted[0]); ++out) {
    for (std::size_t k = 0; k < from.frames.size(); ++k) {
      std::size_t place = place_of(to, from.frames[k]);
      if (place == to.frames.size()) place = place_of(to, 0);
      add_picture(weights.values.data() + (out * from.frames.size() + k) * source_size,
                  result.values.data() + (out * to.frames.size() + place) * size);
    }
  }
  return result;
}

// What fits of the offered tensors, by name; of maps of other joints the last layers are not taken. `image`: what the
// source's image input is; none: what its weights' shapes say.
POSEMACHINE_INLINE TakenWeights take_offered(const Model& model, std::map<std::string, const Tensor*> offered,
                                             bool same_joints, const std::optional<ImageInput>& image,
                                             const std::string& source) {
  const Graph& graph = model.graph();
  const ImageInput own{image_channels(model.spec()), model.spec().frames};
  std::map<std::string, Tensor> converted;
  for (const int id : weights_on_image(model)) {
    const std::string name = parameter_name(graph, id);
    const auto found = offered.find(name);
    if (found == offered.end()) continue;
    const Shape wanted = shape_of(graph.parameters[static_cast<std::size_t>(id)]);
    if (!image && found->second->shape == wanted) continue;
    const std::optional<ImageInput> from = image ? image : image_input_by_shape(*found->second);
    if (!from || *from == own) continue;
    std::optional<Tensor> fitting = carried_over(*found->second, *from, own, wanted);
    if (fitting) found->second = &(converted[name] = std::move(*fitting));
  }
  const std::vector<bool> says_joints = belong_to_outputs(graph);
  std::vector<Tensor> parameters = model.parameters();
  std::vector<std::string> taken;
  std::vector<std::string> left;
  for (std::size_t id = 0; id < parameters.size(); ++id) {
    const std::string name = parameter_name(graph, static_cast<int>(id));
    const auto found = offered.find(name);
    if (found == offered.end()) {
      left.push_back(name + " (no such tensor)");
    } else if (found->second->shape != parameters[id].shape) {
      left.push_back(name + " (of shape " + to_string(found->second->shape) + " there, " +
                     to_string(parameters[id].shape) + " here)");
    } else if (!same_joints && says_joints[id]) {
      left.push_back(name + " (of maps of other joints)");
    } else {
      parameters[id] = *found->second;
      taken.push_back(name);
    }
  }
  if (taken.empty()) {
    fail<UsageError>({.where = "weights to begin with",
                      .expected = "at least one tensor with the name and shape of one of " + model.network(),
                      .got = "none among the " + std::to_string(offered.size()) + " of " + source,
                      .remedy = "take a model of the same layers"});
  }
  return {model.with_parameters(std::move(parameters)), std::move(taken), std::move(left)};
}

}  // namespace detail

POSEMACHINE_INLINE TakenWeights take_weights(const Model& model, const Model& source) {
  std::map<std::string, const Tensor*> offered;
  for (std::size_t id = 0; id < source.parameters().size(); ++id) {
    offered[parameter_name(source.graph(), static_cast<int>(id))] = &source.parameters()[id];
  }
  const bool same_joints = model.spec().joints.joints == source.spec().joints.joints;
  const detail::ImageInput image{image_channels(source.spec()), source.spec().frames};
  return detail::take_offered(model, std::move(offered), same_joints, image, source.network());
}

POSEMACHINE_INLINE TakenWeights take_weights(const Model& model, const TensorFile& source, const std::string& where) {
  std::map<std::string, Tensor> floats;
  std::map<std::string, const Tensor*> offered;
  for (const NamedTensor& entry : source.tensors) {
    const DataType type = type_of(entry.tensor);
    if (type != DataType::f32 && type != DataType::bf16 && type != DataType::f16) continue;
    offered[entry.name] = &(floats[entry.name] = to_floats(entry.tensor));
  }
  return detail::take_offered(model, std::move(offered), true, std::nullopt, where);
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
