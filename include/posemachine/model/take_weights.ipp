// The definitions of model/take_weights.hpp.
#pragma once

#include <posemachine/model/take_weights.hpp>

#include <posemachine/core/data_type.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/model/meaning.hpp>

#include <cstddef>
#include <map>
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

// What fits of the offered tensors, by name; of maps of other joints the last layers are not taken.
POSEMACHINE_INLINE TakenWeights take_offered(const Model& model, const std::map<std::string, const Tensor*>& offered,
                                             bool same_joints, const std::string& source) {
  const Graph& graph = model.graph();
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
  return detail::take_offered(model, offered, same_joints, source.network());
}

POSEMACHINE_INLINE TakenWeights take_weights(const Model& model, const TensorFile& source, const std::string& where) {
  std::map<std::string, Tensor> floats;
  std::map<std::string, const Tensor*> offered;
  for (const NamedTensor& entry : source.tensors) {
    const DataType type = type_of(entry.tensor);
    if (type != DataType::f32 && type != DataType::bf16 && type != DataType::f16) continue;
    offered[entry.name] = &(floats[entry.name] = to_floats(entry.tensor));
  }
  return detail::take_offered(model, offered, true, where);
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
