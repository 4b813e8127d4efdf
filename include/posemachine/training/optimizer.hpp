// RMSprop, SGD with momentum and AdamW on plain parameters.
#pragma once

#include <posemachine/base/parallel.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/training/parameter_groups.hpp>

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
/// RMSprop is Caffe's: g += decay w; h = rho h + (1 - rho) g^2; w -= rate g / (sqrt(h) + epsilon); with momentum
/// PyTorch's v = momentum v + g / (sqrt(h) + epsilon); w -= rate v. SGD: g += decay w; v = momentum v + g; w -= rate v
/// (PyTorch). AdamW decays the weights apart from the gradient. Sources: Tieleman and Hinton 2012; Loshchilov and
/// Hutter 2019.
class Optimizer {
 public:
  /// Errors: UsageError for a group that no trainable parameter belongs to.
  Optimizer(const Graph& graph, const OptimizerOptions& options, const std::vector<ParameterGroup>& groups = {})
      : options_(options) {
    const std::vector<int> group_of = find_groups(graph, groups);
    for (std::size_t id = 0; id < graph.parameters.size(); ++id) {
      const Parameter& parameter = graph.parameters[id];
      trainable_.push_back(parameter.trainable);
      const ParameterGroup own = group_of[id] < 0 ? ParameterGroup{} : groups[static_cast<std::size_t>(group_of[id])];
      const bool decays = parameter.rank > 1 || options.decay_vectors || own.weight_decay >= 0;
      const double decay = own.weight_decay >= 0 ? own.weight_decay : options.weight_decay;
      decays_.push_back(decays ? decay : 0.0);
      rates_.push_back(own.rate);
      sizes_.push_back(static_cast<std::size_t>(parameter.size()));
      const std::size_t size = parameter.trainable ? sizes_.back() : 0;
      first_.emplace_back(needs_first() ? size : 0);
      second_.emplace_back(options.kind != OptimizerKind::sgd ? size : 0);
    }
  }

  const OptimizerOptions& options() const { return options_; }

  /// Which parameters an update changes, by id: those that are trained, but groups of rate 0.
  std::vector<bool> updated() const {
    std::vector<bool> updated(trainable_);
    for (std::size_t id = 0; id < updated.size(); ++id) updated[id] = updated[id] && rates_[id] != 0;
    return updated;
  }

  /// One update; `step` counts from 0. Parameters are updated side by side; the bytes do not depend on the workers.
  /// Shapes: one tensor a parameter of the graph, by id. Errors: UsageError where they are not.
  void update(std::vector<Tensor>& parameters, const std::vector<Tensor>& gradients, double rate, std::int64_t step,
              Workers& workers) {
    check(parameters, "parameters");
    check(gradients, "gradients");
    workers.for_each(static_cast<int>(parameters.size()), [&](int index, int) {
      const auto id = static_cast<std::size_t>(index);
      if (!trainable_[id] || rates_[id] == 0) return;
      update_one(parameters[id].values, gradients[id].values, id, rate * rates_[id], step);
    });
  }

  /// What is kept between steps, by parameter id: the momentum (or first moment) and the mean square.
  /// Empty where the rule keeps none.
  const std::vector<std::vector<float>>& first() const { return first_; }
  const std::vector<std::vector<float>>& second() const { return second_; }

  /// Goes on from kept values. Errors: ModelError where they are not those of this graph and this rule.
  void restore(std::vector<std::vector<float>> first, std::vector<std::vector<float>> second) {
    require_like(first, first_, "first");
    require_like(second, second_, "second");
    first_ = std::move(first);
    second_ = std::move(second);
  }

 private:
  static void require_like(const std::vector<std::vector<float>>& kept, const std::vector<std::vector<float>>& own,
                           const std::string& which) {
    bool fits = kept.size() == own.size();
    for (std::size_t id = 0; fits && id < own.size(); ++id) fits = kept[id].size() == own[id].size();
    if (fits) return;
    fail<ModelError>({.where = "optimiser: " + which + " moments",
                      .expected = "what the optimiser of these options keeps for this network",
                      .got = "other sizes or another number"});
  }

  void check(const std::vector<Tensor>& tensors, const char* what) const {
    bool fits = tensors.size() == sizes_.size();
    for (std::size_t id = 0; fits && id < sizes_.size(); ++id)
      fits = !trainable_[id] || tensors[id].values.size() == sizes_[id];
    if (!fits) {
      fail<UsageError>({.where = std::string("optimiser: ") + what,
                        .expected = "the tensors of the graph's parameters",
                        .got = std::to_string(tensors.size()) + " tensors, of other sizes or number"});
    }
  }

  bool needs_first() const { return options_.kind == OptimizerKind::adamw || options_.momentum != 0; }

  void update_one(std::vector<float>& w, const std::vector<float>& g, std::size_t id, double rate, std::int64_t step) {
    const auto decay = static_cast<float>(decays_[id]);
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
        const auto fresh = static_cast<float>(1 - options_.rho);  // 1 - rho in float is off by 1e-6 of itself
        for (std::size_t i = 0; i < w.size(); ++i) {
          const float gradient = g[i] + decay * w[i];
          h[i] = rho * h[i] + fresh * gradient * gradient;
          float change = gradient / (std::sqrt(h[i]) + eps);
          if (!m.empty()) change = m[i] = momentum * m[i] + change;
          w[i] -= lr * change;
        }
        break;
      }
      case OptimizerKind::adamw: {
        const auto b1 = static_cast<float>(options_.beta1);
        const auto b2 = static_cast<float>(options_.beta2);
        const auto fresh1 = static_cast<float>(1 - options_.beta1);
        const auto fresh2 = static_cast<float>(1 - options_.beta2);
        const double t = static_cast<double>(step + 1);
        const auto correction = static_cast<float>(1 - std::pow(options_.beta1, t));
        const auto root_correction = static_cast<float>(std::sqrt(1 - std::pow(options_.beta2, t)));
        const float scale = lr / correction;
        for (std::size_t i = 0; i < w.size(); ++i) {
          m[i] = b1 * m[i] + fresh1 * g[i];
          h[i] = b2 * h[i] + fresh2 * g[i] * g[i];
          w[i] -= lr * decay * w[i];
          w[i] -= scale * m[i] / (std::sqrt(h[i]) / root_correction + eps);
        }
        break;
      }
    }
  }

  OptimizerOptions options_;
  std::vector<std::size_t> sizes_;
  std::vector<bool> trainable_;
  std::vector<double> decays_;  // of the weights, by parameter id
  std::vector<double> rates_;   // times the rate of an update
  std::vector<std::vector<float>> first_;
  std::vector<std::vector<float>> second_;
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
