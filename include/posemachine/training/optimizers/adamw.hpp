// adamw: Adam with weight decay apart from the gradient.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/training/optimizers/adam_moments.hpp>
#include <posemachine/training/optimizers/optimizer_kind.hpp>

#include <cmath>
#include <string>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {
namespace detail {

inline void update_adamw(const ParameterUpdate& of, const OptimizerOptions& options) {
  const auto decay = static_cast<float>(of.decay);
  const auto rate = static_cast<float>(of.rate);
  const auto eps = static_cast<float>(options.epsilon);
  const double t = static_cast<double>(of.step + 1);
  const auto correction = static_cast<float>(moment_correction(options.beta1, t));
  const auto root_correction = static_cast<float>(std::sqrt(moment_correction(options.beta2, t)));
  const float scale = rate / correction;
  update_by_moments(of, options, [&](float& w, float m, float h) {
    w -= rate * decay * w;
    w -= scale * m / (std::sqrt(h) / root_correction + eps);
  });
}

}  // namespace detail

/// Adam's moments; weights decay by themselves: w -= rate decay w. Source: Loshchilov and Hutter 2019.
inline constexpr OptimizerKind adamw_optimizer{
    .name = "adamw",
    .does = "Adam with weight decay apart from the gradient",
    .state = [](const OptimizerOptions&) -> std::vector<std::string> { return {"first", "second"}; },
    .update = detail::update_adamw};

}  // namespace posemachine::inline POSEMACHINE_BUILD
