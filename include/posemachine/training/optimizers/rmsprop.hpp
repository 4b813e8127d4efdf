// rmsprop: gradients over the root of their mean square.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/training/optimizers/optimizer_kind.hpp>

#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {
namespace detail {

inline void update_rmsprop(const ParameterUpdate& of, const OptimizerOptions& options) {
  const std::span<float> w = of.weights;
  const std::span<const float> g = of.gradient;
  const std::span<float> h = of.state.back();
  const std::span<float> m = of.state.size() > 1 ? of.state[0] : std::span<float>{};
  const auto decay = static_cast<float>(of.decay);
  const auto rate = static_cast<float>(of.rate);
  const auto eps = static_cast<float>(options.epsilon);
  const auto momentum = static_cast<float>(options.momentum);
  const auto rho = static_cast<float>(options.rho);
  const auto fresh = static_cast<float>(1 - options.rho);  // 1 - rho in float is off by 1e-6 of itself
  for (std::size_t i = 0; i < w.size(); ++i) {
    const float gradient = g[i] + decay * w[i];
    h[i] = rho * h[i] + fresh * gradient * gradient;
    float change = gradient / (std::sqrt(h[i]) + eps);
    if (!m.empty()) change = m[i] = momentum * m[i] + change;
    w[i] -= rate * change;
  }
}

}  // namespace detail

/// Caffe's: g += decay w; h = rho h + (1 - rho) g^2; w -= rate g / (sqrt(h) + epsilon); with momentum PyTorch's
/// v = momentum v + g / (sqrt(h) + epsilon); w -= rate v. Source: Tieleman and Hinton 2012.
inline constexpr OptimizerKind rmsprop_optimizer{
    .name = "rmsprop",
    .does = "gradients over the root of their mean square: Caffe's rule, momentum as PyTorch",
    .state = [](const OptimizerOptions& options) -> std::vector<std::string> {
      if (options.momentum == 0) return {"second"};
      return {"first", "second"};
    },
    .update = detail::update_rmsprop};

}  // namespace posemachine::inline POSEMACHINE_BUILD
