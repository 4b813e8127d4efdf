// Learning-rate schedules.
#pragma once

#include <posemachine/core/config.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace posemachine::inline POSEMACHINE_BUILD {

enum class RateSchedule { constant, step, cosine, plateau };

struct LearningRate {
  double base = 1e-3;
  RateSchedule schedule = RateSchedule::cosine;
  std::int64_t warmup_steps = 0;    // linear from base / warmup_steps
  std::int64_t total_steps = 1;     // cosine: where the final rate is reached
  double final_fraction = 0.01;     // of the base rate, at the end: of a cosine, or of a constant rate's cool-down
  std::int64_t cooldown_steps = 0;  // constant: the last steps, in which the rate falls linearly
  std::int64_t step_size = 1;       // step: every so many steps ...
  double step_factor = 0.1;         // ... the rate is multiplied by this
};

/// The rate of the given step, counted from 0. A plateau's rate is constant here: what validation says lowers it.
/// Sources: cosine, Loshchilov and Hutter 2017 (one period); constant with a cool-down, Hu et al. 2024 (MiniCPM), 4.
inline double rate_at(const LearningRate& options, std::int64_t step) {
  double rate = options.base;
  if (options.schedule == RateSchedule::step) {
    rate *= std::pow(options.step_factor, static_cast<double>(step / std::max<std::int64_t>(1, options.step_size)));
  } else if (options.schedule == RateSchedule::cosine) {
    const std::int64_t span = std::max<std::int64_t>(1, options.total_steps - options.warmup_steps);
    const double position =
        std::clamp(static_cast<double>(step - options.warmup_steps) / static_cast<double>(span), 0.0, 1.0);
    const double low = options.final_fraction;
    rate *= low + (1 - low) * 0.5 * (1 + std::cos(std::numbers::pi * position));
  } else if (options.schedule == RateSchedule::constant && options.cooldown_steps > 0) {
    const double left = static_cast<double>(options.total_steps - step) / static_cast<double>(options.cooldown_steps);
    rate *= options.final_fraction + (1 - options.final_fraction) * std::clamp(left, 0.0, 1.0);
  }
  if (step < options.warmup_steps) {
    rate *= static_cast<double>(step + 1) / static_cast<double>(options.warmup_steps);
  }
  return rate;
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
