// The definitions of schedule/edit.hpp.
#pragma once

#include <posemachine/schedule/edit.hpp>

#include <posemachine/graph/graph.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace schedule {

POSEMACHINE_INLINE void find_uses(Schedule& schedule) {
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

POSEMACHINE_INLINE void set_steps(Schedule& schedule, std::vector<Step> steps) {
  schedule.steps = std::move(steps);
  find_uses(schedule);
}

POSEMACHINE_INLINE void erase_steps(Schedule& schedule, const std::vector<bool>& gone) {
  std::vector<Step> kept;
  for (std::size_t i = 0; i < schedule.steps.size(); ++i) {
    if (!gone[i]) kept.push_back(std::move(schedule.steps[i]));
  }
  set_steps(schedule, std::move(kept));
}

}  // namespace schedule
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
