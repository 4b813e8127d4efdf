// An optimiser: how one parameter is changed by its gradient, and what is kept between steps.
#pragma once

#include <posemachine/core/config.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Options of an optimiser; those that its row does not read are not used.
struct OptimizerOptions {
  std::string kind = "adamw";  // a row of OptimizerKinds
  double weight_decay = 0.01;
  bool decay_vectors = false;  // whether biases and batch norm's scale and shift decay too (Caffe and PyTorch: yes)
  double momentum = 0;         // rmsprop, sgd
  double rho = 0.99;           // rmsprop: decay of the mean square
  double beta1 = 0.9;          // adamw, radam
  double beta2 = 0.999;        // adamw, radam
  double epsilon = 1e-8;       // rmsprop, adamw, radam: outside the root
};

/// One update of one parameter.
struct ParameterUpdate {
  std::span<float> weights;
  std::span<const float> gradient;          // like weights
  std::span<const std::span<float>> state;  // one like weights per name that the row keeps; 0 before the first update
  double rate = 0;                          // of this update and of the parameter's group
  double decay = 0;                         // of the weights, as weight_decay
  std::int64_t step = 0;                    // updates before this one
};

/// An optimiser: a row of OptimizerKinds.
struct OptimizerKind {
  std::string_view name{};
  std::string_view does{};  // a line for people
  /// The names of what is kept per weight between updates, in checkpoints "optimizer.NAME/PARAMETER"; without a slash.
  /// Null: nothing is.
  std::vector<std::string> (*state)(const OptimizerOptions& options) = nullptr;
  /// Changes weights and state in place. Parameters are updated side by side, each by one thread.
  void (*update)(const ParameterUpdate& of, const OptimizerOptions& options) = nullptr;
};

/// What an optimiser keeps under one name.
struct OptimizerState {
  std::string name;
  std::vector<std::vector<float>> values;  // by parameter id; none of parameters that are not trained
  friend bool operator==(const OptimizerState&, const OptimizerState&) = default;
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
