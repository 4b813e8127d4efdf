// The definitions of training/optimizers/radam.hpp.
#pragma once

#include <posemachine/training/optimizers/radam.hpp>

#include <posemachine/training/optimizers/adam_moments.hpp>

#include <cmath>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

POSEMACHINE_INLINE double radam_rectifier(double beta2, double update) {
  const double power = std::pow(beta2, update);
  const double most = 2 / (1 - beta2) - 1;
  const double length = most - 2 * update * power / (1 - power);  // of the moving average, in gradients
  if (!(length > 5)) return 0;                                    // as PyTorch; the paper says 4
  return std::sqrt((length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length));
}

POSEMACHINE_INLINE void update_radam(const ParameterUpdate& of, const OptimizerOptions& options) {
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

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
