// What passes do to a schedule's steps besides changing them.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/schedule/schedule.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

/// Recomputes which step writes each value and which is the last to read it.
inline void find_uses(Schedule& schedule) {
  for (ScheduledValue& value : schedule.values) value.first_step = value.last_step = -1;
  for (std::size_t i = 0; i < schedule.steps.size(); ++i) {
    const Step& step = schedule.steps[i];
    const int at = static_cast<int>(i);
    step.for_each_read([&](int value) { schedule.value(value).last_step = at; });
    if (step.dst >= 0) {
      ScheduledValue& dst = schedule.value(step.dst);
      if (dst.first_step < 0) dst.first_step = at;
      dst.last_step = std::max(dst.last_step, at);
    }
  }
  for (const Port& output : schedule.graph->outputs) {  // read by the copy that follows their step
    ScheduledValue& value = schedule.value(output.value);
    value.last_step = std::max(value.last_step, value.first_step);
  }
}

/// Replaces the steps, in their order, and recomputes the uses.
inline void set_steps(Schedule& schedule, std::vector<Step> steps) {
  schedule.steps = std::move(steps);
  find_uses(schedule);
}

/// Removes the steps for which `gone` is true. Shapes: one entry per step.
inline void erase_steps(Schedule& schedule, const std::vector<bool>& gone) {
  std::vector<Step> kept;
  for (std::size_t i = 0; i < schedule.steps.size(); ++i) {
    if (!gone[i]) kept.push_back(std::move(schedule.steps[i]));
  }
  set_steps(schedule, std::move(kept));
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
