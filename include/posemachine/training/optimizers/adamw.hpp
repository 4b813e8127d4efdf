// adamw: Adam with weight decay apart from the gradient.
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

inline void update_adamw(const ParameterUpdate& of, const OptimizerOptions& options) {
  const std::span<float> w = of.weights;
  const std::span<const float> g = of.gradient;
  const std::span<float> m = of.state[0];
  const std::span<float> h = of.state[1];
  const auto decay = static_cast<float>(of.decay);
  const auto rate = static_cast<float>(of.rate);
  const auto eps = static_cast<float>(options.epsilon);
  const auto b1 = static_cast<float>(options.beta1);
  const auto b2 = static_cast<float>(options.beta2);
  const auto fresh1 = static_cast<float>(1 - options.beta1);
  const auto fresh2 = static_cast<float>(1 - options.beta2);
  const double t = static_cast<double>(of.step + 1);
  const auto correction = static_cast<float>(1 - std::pow(options.beta1, t));
  const auto root_correction = static_cast<float>(std::sqrt(1 - std::pow(options.beta2, t)));
  const float scale = rate / correction;
  for (std::size_t i = 0; i < w.size(); ++i) {
    m[i] = b1 * m[i] + fresh1 * g[i];
    h[i] = b2 * h[i] + fresh2 * g[i] * g[i];
    w[i] -= rate * decay * w[i];
    w[i] -= scale * m[i] / (std::sqrt(h[i]) / root_correction + eps);
  }
}

}  // namespace detail

/// Adam's moments; weights decay by themselves: w -= rate decay w. Source: Loshchilov and Hutter 2019.
inline constexpr OptimizerKind adamw_optimizer{
    .name = "adamw",
    .does = "Adam with weight decay apart from the gradient",
    .state = [](const OptimizerOptions&) -> std::vector<std::string> { return {"first", "second"}; },
    .update = detail::update_adamw};

}  // namespace posemachine::inline POSEMACHINE_BUILD
