// The learning rate of every step.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/training/schedules/rate_schedule.hpp>
#include <posemachine/training/schedules/schedules.hpp>

#include <cstdint>

namespace posemachine::inline POSEMACHINE_BUILD {

/// The rate of the given step, counted from 0, by a schedule; what validation or steps that were not finite make of it
/// is the trainer's.
inline double rate_at(const LearningRate& options, const RateSchedule& schedule, std::int64_t step) {
  double rate = options.base * schedule.factor(options, step);
  if (step < options.warmup_steps) {
    rate *= static_cast<double>(step + 1) / static_cast<double>(options.warmup_steps);
  }
  return rate;
}

/// The same by the schedule that the options name. Errors: UsageError naming the schedules there are.
inline double rate_at(const LearningRate& options, std::int64_t step, const RateSchedules& schedules = {}) {
  return rate_at(options, schedules.get(options.schedule, "schedule"), step);
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
