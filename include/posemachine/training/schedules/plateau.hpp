// plateau: one rate, lowered where validation gets no better.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/training/schedules/rate_schedule.hpp>

#include <cstdint>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// The base rate; the trainer lowers it, as validation says.
inline constexpr RateSchedule plateau_schedule{
    .name = "plateau",
    .does = "times rate_step_factor after plateau_epochs without a better one",
    .lowers_at_plateau = true,
    .factor = [](const LearningRate&, std::int64_t) { return 1.0; }};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
