// The definitions of training/optimizers/sgd.hpp.
#pragma once

#include <posemachine/training/optimizers/sgd.hpp>

#include <cstddef>
#include <span>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

POSEMACHINE_INLINE void update_sgd(const ParameterUpdate& of, const OptimizerOptions& options) {
  const std::span<float> w = of.weights;
  const std::span<const float> g = of.gradient;
  const std::span<float> m = of.state.empty() ? std::span<float>{} : of.state[0];
  const auto decay = static_cast<float>(of.decay);
  const auto rate = static_cast<float>(of.rate);
  const auto momentum = static_cast<float>(options.momentum);
  for (std::size_t i = 0; i < w.size(); ++i) {
    float change = g[i] + decay * w[i];
    if (!m.empty()) change = m[i] = momentum * m[i] + change;
    w[i] -= rate * change;
  }
}

}  // namespace detail

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
