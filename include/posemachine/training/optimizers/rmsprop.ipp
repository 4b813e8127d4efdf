// The definitions of training/optimizers/rmsprop.hpp.
#pragma once

#include <posemachine/training/optimizers/rmsprop.hpp>

#include <cmath>
#include <cstddef>
#include <span>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

POSEMACHINE_INLINE void update_rmsprop(const ParameterUpdate& of, const OptimizerOptions& options) {
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

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
