// polynomial: a power of what is left of the run.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/training/schedules/rate_schedule.hpp>

#include <cmath>
#include <cstdint>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// (what is left of the run after the warm-up)^0.9, from the base rate down to final_fraction of it: nearly a straight
/// line. Source: Chen et al. 2017, DeepLab, 4.1.
inline constexpr RateSchedule polynomial_schedule{
    .name = "polynomial",
    .does = "the power 0.9 of what is left of the run, down to final_fraction",
    .factor = [](const LearningRate& options, std::int64_t step) {
      const double low = options.final_fraction;
      return low + (1 - low) * std::pow(1 - position_after_warmup(options, step), 0.9);
    }};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
