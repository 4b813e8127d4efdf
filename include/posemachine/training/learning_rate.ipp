// The definitions of training/learning_rate.hpp.
#pragma once

#include <posemachine/training/learning_rate.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE double rate_at(const LearningRate& options, const RateSchedule& schedule, std::int64_t step) {
  double rate = options.base * schedule.factor(options, step);
  if (step < options.warmup_steps) {
    rate *= static_cast<double>(step + 1) / static_cast<double>(options.warmup_steps);
  }
  return rate;
}

POSEMACHINE_INLINE double rate_at(const LearningRate& options, std::int64_t step, const RateSchedules& schedules) {
  return rate_at(options, schedules.get(options.schedule, "schedule"), step);
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
