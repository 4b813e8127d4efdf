// A schedule of the learning rate: which part of the base rate each step has.
#pragma once

#include <posemachine/core/config.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// The learning rate of a run. Steps count from 0.
struct LearningRate {
  double base = 1e-3;
  std::string schedule = "cosine";  // a row of RateSchedules
  std::int64_t warmup_steps = 0;    // linear from base / warmup_steps, whatever the schedule
  std::int64_t total_steps = 1;     // of the run
  double final_fraction = 0.01;     // of the base rate, at the end: cosine, polynomial, a constant rate's cool-down
  std::int64_t cooldown_steps = 0;  // constant: the last steps, in which the rate falls linearly
  std::int64_t step_size = 1;       // step: every so many steps ...
  double step_factor = 0.1;         // ... the rate is multiplied by this
};

/// How far a step lies between the end of the warm-up and that of the run, 0 to 1.
inline double position_after_warmup(const LearningRate& options, std::int64_t step) {
  const std::int64_t span = std::max<std::int64_t>(1, options.total_steps - options.warmup_steps);
  return std::clamp(static_cast<double>(step - options.warmup_steps) / static_cast<double>(span), 0.0, 1.0);
}

/// A schedule: a row of RateSchedules.
struct RateSchedule {
  std::string_view name{};
  std::string_view does{};         // a line for people
  bool cools_down = false;         // reads cooldown_steps; runs with others refuse a cool-down
  bool lowers_at_plateau = false;  // the trainer multiplies the rate by a factor where validation gets no better
  /// The rate of a step over the base rate, at least 0, without the warm-up. Nothing but its arguments decides it: runs
  /// that are resumed go on alike.
  double (*factor)(const LearningRate& options, std::int64_t step) = nullptr;
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
