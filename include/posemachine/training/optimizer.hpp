// RMSprop, SGD with momentum and AdamW on plain parameters.
#pragma once

#include <posemachine/base/parallel.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/graph/graph.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

enum class OptimizerKind { rmsprop, sgd, adamw };

/// Options of an optimiser; those of another kind are not used.
struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::adamw;
  double weight_decay = 0.01;
  bool decay_vectors = false;  // whether biases and batch norm's scale and shift decay too (Caffe and PyTorch: yes)
  double momentum = 0;         // rmsprop, sgd
  double rho = 0.99;           // rmsprop: decay of the mean square
  double beta1 = 0.9;          // adamw
  double beta2 = 0.999;        // adamw
  double epsilon = 1e-8;       // rmsprop, adamw: outside the root
};

/// Updates parameters from gradients and keeps what it needs between steps.
/// RMSprop is Caffe's: g += decay w; h = rho h + (1 - rho) g^2; w -= rate g / (sqrt(h) + epsilon); with momentum PyTorch's
/// v = momentum v + g / (sqrt(h) + epsilon); w -= rate v. SGD: g += decay w; v = momentum v + g; w -= rate v (PyTorch).
/// AdamW decays the weights apart from the gradient. Sources: Tieleman and Hinton 2012; Loshchilov and Hutter 2019.
class Optimizer {
 public:
  Optimizer(const Graph& graph, const OptimizerOptions& options) : options_(options) {
    for (const Parameter& parameter : graph.parameters) {
      trainable_.push_back(parameter.trainable);
      decays_.push_back(parameter.rank > 1 || options.decay_vectors);
      const auto size = static_cast<std::size_t>(parameter.trainable ? parameter.size() : 0);
      first_.emplace_back(needs_first() ? size : 0);
      second_.emplace_back(options.kind != OptimizerKind::sgd ? size : 0);
    }
  }

  const OptimizerOptions& options() const { return options_; }

  /// One update; `step` counts from 0. Parameters are updated side by side; the bytes do not depend on the workers.
  void update(std::vector<Tensor>& parameters, const std::vector<Tensor>& gradients, double rate, std::int64_t step,
              Workers& workers) {
    workers.for_each(static_cast<int>(parameters.size()), [&](int index, int) {
      const auto id = static_cast<std::size_t>(index);
      if (!trainable_[id]) return;
      update_one(parameters[id].values, gradients[id].values, id, rate, step);
    });
  }

  /// What is kept between steps, by parameter id: the momentum (or first moment) and the mean square.
  std::vector<std::vector<float>>& first() { return first_; }
  std::vector<std::vector<float>>& second() { return second_; }

 private:
  bool needs_first() const { return options_.kind == OptimizerKind::adamw || options_.momentum != 0; }

  void update_one(std::vector<float>& w, const std::vector<float>& g, std::size_t id, double rate, std::int64_t step) {
    const auto decay = static_cast<float>(decays_[id] ? options_.weight_decay : 0.0);
    const auto eps = static_cast<float>(options_.epsilon);
    const auto lr = static_cast<float>(rate);
    std::vector<float>& m = first_[id];
    std::vector<float>& h = second_[id];
    switch (options_.kind) {
      case OptimizerKind::sgd: {
        const auto momentum = static_cast<float>(options_.momentum);
        for (std::size_t i = 0; i < w.size(); ++i) {
          float change = g[i] + decay * w[i];
          if (!m.empty()) change = m[i] = momentum * m[i] + change;
          w[i] -= lr * change;
        }
        break;
      }
      case OptimizerKind::rmsprop: {
        const auto momentum = static_cast<float>(options_.momentum);
        const auto rho = static_cast<float>(options_.rho);
        for (std::size_t i = 0; i < w.size(); ++i) {
          const float gradient = g[i] + decay * w[i];
          h[i] = rho * h[i] + (1 - rho) * gradient * gradient;
          float change = gradient / (std::sqrt(h[i]) + eps);
          if (!m.empty()) change = m[i] = momentum * m[i] + change;
          w[i] -= lr * change;
        }
        break;
      }
      case OptimizerKind::adamw: {
        const auto b1 = static_cast<float>(options_.beta1);
        const auto b2 = static_cast<float>(options_.beta2);
        const double t = static_cast<double>(step + 1);
        const auto correction = static_cast<float>(1 - std::pow(options_.beta1, t));
        const auto root_correction = static_cast<float>(std::sqrt(1 - std::pow(options_.beta2, t)));
        const float scale = lr / correction;
        for (std::size_t i = 0; i < w.size(); ++i) {
          m[i] = b1 * m[i] + (1 - b1) * g[i];
          h[i] = b2 * h[i] + (1 - b2) * g[i] * g[i];
          w[i] -= lr * decay * w[i];
          w[i] -= scale * m[i] / (std::sqrt(h[i]) / root_correction + eps);
        }
        break;
      }
    }
  }

  OptimizerOptions options_;
  std::vector<bool> trainable_;
  std::vector<bool> decays_;
  std::vector<std::vector<float>> first_;
  std::vector<std::vector<float>> second_;
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
