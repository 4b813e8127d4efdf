// cosine: half a cosine from the base rate to the final one.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/training/schedules/rate_schedule.hpp>

#include <cmath>
#include <cstdint>
#include <numbers>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Half a cosine after the warm-up. Source: Loshchilov and Hutter 2017, one period.
inline constexpr RateSchedule cosine_schedule{
    .name = "cosine",
    .does = "half a cosine, down to final_fraction",
    .factor = [](const LearningRate& options, std::int64_t step) {
      const double low = options.final_fraction;
      return low + (1 - low) * 0.5 * (1 + std::cos(std::numbers::pi * position_after_warmup(options, step)));
    }};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
