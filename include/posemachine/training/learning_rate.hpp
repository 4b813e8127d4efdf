// The learning rate of every step.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/training/schedules/rate_schedule.hpp>
#include <posemachine/training/schedules/schedules.hpp>

#include <cstdint>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// The rate of the given step, counted from 0, by a schedule; what validation or steps that were not finite make of it
/// is the trainer's.
double rate_at(const LearningRate& options, const RateSchedule& schedule, std::int64_t step);

/// The same by the schedule that the options name. Errors: UsageError naming the schedules there are.
double rate_at(const LearningRate& options, std::int64_t step, const RateSchedules& schedules = {});

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/training/learning_rate.ipp>
#endif
