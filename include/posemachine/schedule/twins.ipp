// The definitions of schedule/twins.hpp.
#pragma once

#include <posemachine/schedule/twins.hpp>

#include <cstddef>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace schedule {

namespace detail {

POSEMACHINE_INLINE std::vector<int> twins_of(const Schedule& schedule) {
  std::vector<int> step_of_node(schedule.graph->nodes.size(), -1);
  for (std::size_t i = 0; i < schedule.steps.size(); ++i) {
    if (schedule.steps[i].op != &reorder_op)
      step_of_node[static_cast<std::size_t>(schedule.steps[i].node)] = static_cast<int>(i);
  }
  std::vector<int> twins(schedule.steps.size(), -1);
  for (std::size_t i = 0; i < schedule.steps.size(); ++i) {
    const int original = schedule.node(schedule.steps[i]).repeats;
    const int other = original < 0 ? -1 : step_of_node[static_cast<std::size_t>(original)];
    if (other < 0) continue;
    twins[i] = other;
    twins[static_cast<std::size_t>(other)] = static_cast<int>(i);
  }
  return twins;
}

}  // namespace detail

}  // namespace schedule
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
