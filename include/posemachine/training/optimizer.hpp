// Optimizer: updates the parameters of a graph from their gradients.
#pragma once

#include <posemachine/base/parallel.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/training/optimizers/optimizer_kind.hpp>
#include <posemachine/training/optimizers/optimizers.hpp>
#include <posemachine/training/parameter_groups.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Updates parameters from gradients by a row of OptimizerKinds and keeps what it needs between steps.
class Optimizer {
 public:
  /// Errors: UsageError for a kind that is none of `kinds`, one that keeps something under a name that checkpoints
  /// cannot have, and for a group that no trainable parameter belongs to.
  Optimizer(const Graph& graph, const OptimizerOptions& options, const std::vector<ParameterGroup>& groups = {},
            const OptimizerKinds& kinds = {});

  const OptimizerOptions& options() const { return options_; }

  /// Which parameters an update changes, by id: those that are trained, but groups of rate 0.
  std::vector<bool> updated() const;

  /// One update; `step` counts from 0. Parameters are updated side by side; the bytes do not depend on the workers.
  /// Shapes: one tensor per parameter of the graph, by id. Errors: UsageError where they are not.
  void update(std::vector<Tensor>& parameters, const std::vector<Tensor>& gradients, double rate, std::int64_t step,
              Workers& workers);

  /// What is kept between updates, in the order of the row's names; none where it keeps nothing.
  const std::vector<OptimizerState>& state() const { return state_; }

  /// Goes on from kept values, in any order of their names. Errors: ModelError where they are not those of this graph
  /// and this row.
  void restore(std::vector<OptimizerState> kept);

 private:
  void add_state(const std::string& name);

  // The same name, and as many values of every parameter.
  static bool are_alike(const OptimizerState& a, const OptimizerState& b);

  [[noreturn]] void fail_unlike(const std::vector<OptimizerState>& own, const std::vector<OptimizerState>& kept) const;

  void check(const std::vector<Tensor>& tensors, const char* what) const;

  void update_one(Tensor& parameter, const Tensor& gradient, std::size_t id, double rate, std::int64_t step);

  OptimizerOptions options_;
  OptimizerKind kind_;
  std::vector<std::size_t> sizes_;
  std::vector<bool> trainable_;
  std::vector<double> decays_;  // of the weights, by parameter id
  std::vector<double> rates_;   // times the rate of an update
  std::vector<OptimizerState> state_;
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/training/optimizer.ipp>
#endif
