// The definitions of training/optimizers/adamw.hpp.
#pragma once

#include <posemachine/training/optimizers/adamw.hpp>

#include <posemachine/training/optimizers/adam_moments.hpp>

#include <cmath>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

POSEMACHINE_INLINE void update_adamw(const ParameterUpdate& of, const OptimizerOptions& options) {
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

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
