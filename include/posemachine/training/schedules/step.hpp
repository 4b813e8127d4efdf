// step: times a factor every so many steps.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/training/schedules/rate_schedule.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Every step_size steps, the rate is multiplied by step_factor.
inline constexpr RateSchedule step_schedule{
    .name = "step",
    .does = "times rate_step_factor every rate_step_epochs",
    .factor = [](const LearningRate& options, std::int64_t step) {
      return std::pow(options.step_factor, static_cast<double>(step / std::max<std::int64_t>(1, options.step_size)));
    }};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
