// The definitions of model/take_weights.hpp.
#pragma once

#include <posemachine/model/take_weights.hpp>

#include <posemachine/core/data_type.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/op_info.hpp>
#include <posemachine/graph/ops/convolution.hpp>
#include <posemachine/model/meaning.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

namespace posemachine::inline POSEMACHINE_BUILD {

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
  for (const InputMeaning& meaning : model.meaning().inputs) {
    if (meaning.role != InputRole::image) continue;
    for (const Port& port : graph.inputs) {
      if (name_text(graph, port.name) != meaning.name) continue;
      for (const Node& node : graph.nodes) {
        if (node.op->kind() != OpKind::convolution || input(graph, node, 0).id != port.value) continue;
        if (unpack<ConvolutionOptions>(node.options).groups == 1) ids.push_back(parameter_id(graph, node, 0));
      }
    }
  }
  return ids;
}

// Weights over the three channels of a colour as ones over grey, or the other way round; none where that is not what
// parts the shapes. Shapes: (out, 3 or 1, height, width) to (out, 1 or 3, height, width).
POSEMACHINE_INLINE std::optional<Tensor> with_channels_of(const Tensor& weights, const Shape& wanted) {
  if (weights.shape.size() != 4 || wanted.size() != 4) return std::nullopt;
  const std::int64_t from = weights.shape[1], to = wanted[1];
  Shape changed = weights.shape;
  changed[1] = to;
  if (changed != wanted || !((from == 3 && to == 1) || (from == 1 && to == 3))) return std::nullopt;
  Tensor result(wanted);
  const auto plane = static_cast<std::size_t>(wanted[2] * wanted[3]);
  for (std::size_t out = 0; out < static_cast<std::size_t>(wanted[0]); ++out) {
    for (std::size_t i = 0; i < plane; ++i) {
      for (std::size_t c = 0; c < 3; ++c) {
        if (from == 3) {
          result.values[out * plane + i] += weights.values[(out * 3 + c) * plane + i];
        } else {
          result.values[(out * 3 + c) * plane + i] = weights.values[out * plane + i] / 3;
        }
      }
    }
  }
  return result;
}

// What fits of the offered tensors, by name; of maps of other joints the last layers are not taken. `other_colours`:
// whether of model and source one may see colours and the other grey.
POSEMACHINE_INLINE TakenWeights take_offered(const Model& model, std::map<std::string, const Tensor*> offered,
                                             bool same_joints, bool other_colours, const std::string& source) {
  const Graph& graph = model.graph();
  std::map<std::string, Tensor> converted;
  for (const int id : other_colours ? weights_on_image(model) : std::vector<int>{}) {
    const std::string name = parameter_name(graph, id);
    const auto found = offered.find(name);
    if (found == offered.end()) continue;
    const Shape wanted = shape_of(graph.parameters[static_cast<std::size_t>(id)]);
    std::optional<Tensor> fitting = with_channels_of(*found->second, wanted);
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
  const bool same_joints = model.meaning().joints.joints == source.meaning().joints.joints;
  const bool other_colours = image_channels(model.meaning()) != image_channels(source.meaning());
  return detail::take_offered(model, std::move(offered), same_joints, other_colours, source.network());
}

POSEMACHINE_INLINE TakenWeights take_weights(const Model& model, const TensorFile& source, const std::string& where) {
  std::map<std::string, Tensor> floats;
  std::map<std::string, const Tensor*> offered;
  for (const NamedTensor& entry : source.tensors) {
    const DataType type = type_of(entry.tensor);
    if (type != DataType::f32 && type != DataType::bf16 && type != DataType::f16) continue;
    offered[entry.name] = &(floats[entry.name] = to_floats(entry.tensor));
  }
  return detail::take_offered(model, std::move(offered), true, true, where);
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
