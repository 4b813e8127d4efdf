// radam: AdamW that waits until its mean squares can be trusted.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/training/optimizers/adam_moments.hpp>
#include <posemachine/training/optimizers/optimizer_kind.hpp>

#include <cmath>
#include <string>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {
namespace detail {

/// Factor of a step for the variance that few gradients leave in their mean square; 0 while it is too large to be
/// divided by: for the first 5 updates where beta2 is 0.999. Shapes: update counts from 1.
inline double radam_rectifier(double beta2, double update) {
  const double power = std::pow(beta2, update);
  const double most = 2 / (1 - beta2) - 1;
  const double length = most - 2 * update * power / (1 - power);  // of the moving average, in gradients
  if (!(length > 5)) return 0;                                    // as PyTorch; the paper says 4
  return std::sqrt((length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length));
}

inline void update_radam(const ParameterUpdate& of, const OptimizerOptions& options) {
  const auto eps = static_cast<float>(options.epsilon);
  const double t = static_cast<double>(of.step + 1);
  const double rectifier = radam_rectifier(options.beta2, t);
  const auto root_correction = static_cast<float>(std::sqrt(moment_correction(options.beta2, t)));
  const auto kept = static_cast<float>(1 - of.rate * of.decay);
  const double rate = of.rate / moment_correction(options.beta1, t);
  const auto scale = static_cast<float>(rectifier > 0 ? rate * rectifier : rate);
  update_by_moments(of, options, [&](float& w, float m, float h) {
    const float divisor = rectifier > 0 ? (std::sqrt(h) + eps) / root_correction : 1.0f;
    w = kept * w - scale * m / divisor;
  });
}

}  // namespace detail

/// AdamW whose steps are rectified by the variance of their mean square, and not divided by it at first: no warm-up is
/// needed. PyTorch's RAdam with decoupled_weight_decay. Source: Liu et al. 2020, On the variance of the adaptive
/// learning rate and beyond, algorithm 2.
inline constexpr OptimizerKind radam_optimizer{
    .name = "radam",
    .does = "adamw whose first steps are shorter, so that no warm-up is needed",
    .state = [](const OptimizerOptions&) -> std::vector<std::string> { return {"first", "second"}; },
    .update = detail::update_radam};

}  // namespace posemachine::inline POSEMACHINE_BUILD
