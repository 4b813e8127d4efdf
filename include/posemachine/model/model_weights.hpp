// ModelWeights: a model's tensors, as floats to compute with and in the types that its file has them in.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/data_type.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/graph/graph.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace detail {

Shape shape_of(const Parameter& parameter);

/// A model's weights: given, or drawn from a seed when they are asked for first. Any number of threads may ask.
class ModelWeights {
 public:
  /// By parameter id. Parameters of floats may come as bf16 or f16, too, and are written so again; others as they are.
  /// Errors: ModelError naming `where`, if it is not empty, and the parameter for another number, shape or type.
  ModelWeights(const Graph& graph, std::vector<AnyTensor> tensors, const std::string& where = "");
  explicit ModelWeights(std::uint64_t seed) : seed_(seed), is_drawn_(true) {}

  /// Errors: ModelError naming the first parameter that is not of floats, and the node that reads it.
  const std::vector<Tensor>& floats(const Graph& graph) const;
  AnyTensor tensor(const Graph& graph, int id) const;

 private:
  static void require_count(const Graph& graph, std::size_t count);
  static void require_tensor(const Graph& graph, int id, const AnyTensor& tensor, const std::string& file);
  void draw(const Graph& graph) const;
  [[noreturn]] void refuse_others(const Graph& graph) const;

  mutable std::once_flag once_;
  mutable std::vector<Tensor> floats_;       // by id; empty where another type is
  mutable std::map<int, AnyTensor> others_;  // by id: parameters that are no floats
  mutable std::vector<DataType> stored_as_;  // by id: in the model's file
  std::uint64_t seed_ = 0;
  bool is_drawn_;
};

}  // namespace detail
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/model/model_weights.ipp>
#endif
