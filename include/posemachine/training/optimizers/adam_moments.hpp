// Adam's moments: moving averages of a gradient and of its squares.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/training/optimizers/optimizer_kind.hpp>

#include <cmath>
#include <cstddef>
#include <span>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace detail {

/// How much of a moving average that began from 0 is there after an update. Shapes: update counts from 1.
inline double moment_correction(double beta, double update) { return 1 - std::pow(beta, update); }

/// Renews both moments, the first two tensors of the state, and calls step(weight, first moment, second moment) for each.
template <class Step>
void update_by_moments(const ParameterUpdate& of, const OptimizerOptions& options, const Step& step) {
  const std::span<float> w = of.weights;
  const std::span<const float> g = of.gradient;
  const std::span<float> m = of.state[0];
  const std::span<float> h = of.state[1];
  const auto b1 = static_cast<float>(options.beta1);
  const auto b2 = static_cast<float>(options.beta2);
  const auto fresh1 = static_cast<float>(1 - options.beta1);
  const auto fresh2 = static_cast<float>(1 - options.beta2);
  for (std::size_t i = 0; i < w.size(); ++i) {
    m[i] = b1 * m[i] + fresh1 * g[i];
    h[i] = b2 * h[i] + fresh2 * g[i] * g[i];
    step(w[i], m[i], h[i]);
  }
}

}  // namespace detail
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
