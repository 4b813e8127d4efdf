// ModelWeights: a model's tensors, as floats to compute with and in the types that its file has them in.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/data_type.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/model/initialise.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD::detail {

inline Shape shape_of(const Parameter& parameter) {
  return Shape(parameter.extents.begin(), parameter.extents.begin() + parameter.rank);
}

/// A model's weights: given, or drawn from a seed when they are asked for first. Any number of threads may ask.
class ModelWeights {
 public:
  /// By parameter id. Parameters of floats may come as bf16 or f16, too, and are written so again; others as they are.
  /// Errors: ModelError naming `where`, if it is not empty, and the parameter for another number, shape or type.
  ModelWeights(const Graph& graph, std::vector<AnyTensor> tensors, const std::string& where = "") : is_drawn_(false) {
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
  explicit ModelWeights(std::uint64_t seed) : seed_(seed), is_drawn_(true) {}

  /// Errors: ModelError naming the first parameter that is not of floats, and the node that reads it.
  const std::vector<Tensor>& floats(const Graph& graph) const {
    draw(graph);
    if (!others_.empty()) refuse_others(graph);
    return floats_;
  }

  AnyTensor tensor(const Graph& graph, int id) const {
    draw(graph);
    const auto other = others_.find(id);
    if (other != others_.end()) return other->second;
    return from_floats(floats_[static_cast<std::size_t>(id)], stored_as_[static_cast<std::size_t>(id)]);
  }

 private:
  static void require_count(const Graph& graph, std::size_t count) {
    if (count == graph.parameters.size()) return;
    fail<ModelError>({.where = "parameters",
                      .expected = std::to_string(graph.parameters.size()) + " tensors",
                      .got = std::to_string(count)});
  }

  static void require_tensor(const Graph& graph, int id, const AnyTensor& tensor, const std::string& file) {
    const Parameter& parameter = graph.parameters[static_cast<std::size_t>(id)];
    const Shape shape = shape_of(parameter);
    const std::size_t count = std::visit([](const auto& each) { return each.values.size(); }, tensor);
    if (posemachine::shape_of(tensor) != shape || static_cast<std::int64_t>(count) != element_count(shape)) {
      fail<ModelError>(
          {.where = file + parameter_name(graph, id),
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

  void draw(const Graph& graph) const {
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

  [[noreturn]] void refuse_others(const Graph& graph) const {
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

  mutable std::once_flag once_;
  mutable std::vector<Tensor> floats_;       // by id; empty where another type is
  mutable std::map<int, AnyTensor> others_;  // by id: parameters that are no floats
  mutable std::vector<DataType> stored_as_;  // by id: in the model's file
  std::uint64_t seed_ = 0;
  bool is_drawn_;
};

}  // namespace posemachine::inline POSEMACHINE_BUILD::detail
