// The definitions of model/model_weights.hpp.
#pragma once

#include <posemachine/model/model_weights.hpp>

#include <posemachine/core/error.hpp>
#include <posemachine/model/initialise.hpp>

#include <utility>
#include <variant>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

POSEMACHINE_INLINE Shape shape_of(const Parameter& parameter) {
  return Shape(parameter.extents.begin(), parameter.extents.begin() + parameter.rank);
}

POSEMACHINE_INLINE ModelWeights::ModelWeights(const Graph& graph, std::vector<AnyTensor> tensors,
                                              const std::string& where)
    : is_drawn_(false) {
  require_count(graph, tensors.size());
  for (std::size_t id = 0; id < tensors.size(); ++id) {
    const Parameter& parameter = graph.parameters[id];
    require_tensor(graph, static_cast<int>(id), tensors[id], where.empty() ? "" : where + ": ");
    stored_as_.push_back(type_of(tensors[id]));
    if (parameter.type == DataType::f32) {
      floats_.push_back(to_floats(std::move(tensors[id])));
    } else {
      floats_.emplace_back();
      others_[static_cast<int>(id)] = std::move(tensors[id]);
    }
  }
}

POSEMACHINE_INLINE const std::vector<Tensor>& ModelWeights::floats(const Graph& graph) const {
  draw(graph);
  if (!others_.empty()) refuse_others(graph);
  return floats_;
}

POSEMACHINE_INLINE AnyTensor ModelWeights::tensor(const Graph& graph, int id) const {
  draw(graph);
  const auto other = others_.find(id);
  if (other != others_.end()) return other->second;
  return from_floats(floats_[static_cast<std::size_t>(id)], stored_as_[static_cast<std::size_t>(id)]);
}

POSEMACHINE_INLINE void ModelWeights::require_count(const Graph& graph, std::size_t count) {
  if (count == graph.parameters.size()) return;
  fail<ModelError>({.where = "parameters",
                    .expected = std::to_string(graph.parameters.size()) + " tensors",
                    .got = std::to_string(count)});
}

POSEMACHINE_INLINE void ModelWeights::require_tensor(const Graph& graph, int id, const AnyTensor& tensor,
                                                     const std::string& file) {
  const Parameter& parameter = graph.parameters[static_cast<std::size_t>(id)];
  const Shape shape = shape_of(parameter);
  const std::size_t count = std::visit([](const auto& each) { return each.values.size(); }, tensor);
  if (posemachine::shape_of(tensor) != shape || static_cast<std::int64_t>(count) != element_count(shape)) {
    fail<ModelError>({.where = file + parameter_name(graph, id),
                      .expected = "shape " + to_string(shape),
                      .got = to_string(posemachine::shape_of(tensor)) + " with " + std::to_string(count) + " values"});
  }
  const DataType type = type_of(tensor);
  const bool is_narrow = type == DataType::bf16 || type == DataType::f16;
  if (type == parameter.type || (parameter.type == DataType::f32 && is_narrow)) return;
  fail<ModelError>({.where = file + parameter_name(graph, id),
                    .expected = "type " + std::string(name_of(parameter.type)) +
                                (parameter.type == DataType::f32 ? ", or bf16 or f16 that become it" : ""),
                    .got = std::string(name_of(type))});
}

POSEMACHINE_INLINE void ModelWeights::draw(const Graph& graph) const {
  if (!is_drawn_) return;
  std::call_once(once_, [&] {
    floats_ = initialise(graph, seed_);
    stored_as_.assign(floats_.size(), DataType::f32);
    for (std::size_t id = 0; id < floats_.size(); ++id) {
      const DataType type = graph.parameters[id].type;
      if (type == DataType::f32) continue;
      others_[static_cast<int>(id)] = from_floats(std::exchange(floats_[id], Tensor()), type);
    }
  });
}

POSEMACHINE_INLINE void ModelWeights::refuse_others(const Graph& graph) const {
  const int id = others_.begin()->first;
  std::string where = parameter_name(graph, id);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (int k = 0; k < graph.nodes[i].parameters.count; ++k) {
      if (parameter_id(graph, graph.nodes[i], k) == id) where = describe(graph, static_cast<int>(i));
    }
  }
  fail<ModelError>({.where = where,
                    .expected = "parameters of type f32, to compute with",
                    .got = parameter_name(graph, id) + " of type " +
                           std::string(name_of(graph.parameters[static_cast<std::size_t>(id)].type))});
}

}  // namespace detail

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
