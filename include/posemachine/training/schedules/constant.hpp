// constant: one rate, but for a cool-down at the end.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/training/schedules/rate_schedule.hpp>

#include <algorithm>
#include <cstdint>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// The base rate; in the last cooldown_steps it falls linearly to final_fraction of it. Source: Hu et al. 2024
/// (MiniCPM), 4.
inline constexpr RateSchedule constant_schedule{
    .name = "constant",
    .does = "one rate, which falls linearly in the last cooldown_epochs",
    .cools_down = true,
    .factor = [](const LearningRate& options, std::int64_t step) {
      if (options.cooldown_steps <= 0) return 1.0;
      const double left = static_cast<double>(options.total_steps - step) / static_cast<double>(options.cooldown_steps);
      return options.final_fraction + (1 - options.final_fraction) * std::clamp(left, 0.0, 1.0);
    }};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
