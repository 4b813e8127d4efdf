// The definitions of schedule/passes/pool_early.hpp.
#pragma once

#include <posemachine/schedule/passes/pool_early.hpp>

#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/op_info.hpp>
#include <posemachine/schedule/edit.hpp>

#include <cstddef>
#include <utility>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace schedule {

POSEMACHINE_INLINE void pool_early(Schedule& schedule, const PassContext&) {
  if (schedule.mode != Mode::inference || schedule.has_gradients()) return;
  std::vector<int> last(schedule.values.size(), -1);  // by value: the step that touched it last, so far
  std::vector<std::vector<std::size_t>> behind(schedule.steps.size());  // by step: those that follow it now
  std::vector<bool> moves(schedule.steps.size(), false);
  for (std::size_t i = 0; i < schedule.steps.size(); ++i) {
    const Step& step = schedule.steps[i];
    if (step.kind() == OpKind::max_pooling || step.kind() == OpKind::average_pooling) {
      const int src = schedule.src(step, 0);
      const ScheduledValue& map = schedule.value(src);
      const bool is_last = map.last_step == static_cast<int>(i) && !is_output(*schedule.graph, src);
      const bool shrinks = schedule.value(step.dst).bytes() < map.bytes();
      if (is_last && shrinks && last[static_cast<std::size_t>(src)] >= 0) {
        moves[i] = true;
        behind[static_cast<std::size_t>(last[static_cast<std::size_t>(src)])].push_back(i);
      }
    }
    step.for_each_read([&](int value) { last[static_cast<std::size_t>(value)] = static_cast<int>(i); });
    if (step.dst >= 0) last[static_cast<std::size_t>(step.dst)] = static_cast<int>(i);
  }
  std::vector<Step> ordered;
  for (std::size_t i = 0; i < schedule.steps.size(); ++i) {
    if (moves[i]) continue;
    std::vector<std::size_t> open{i};
    while (!open.empty()) {
      const std::size_t next = open.back();
      open.pop_back();
      ordered.push_back(std::move(schedule.steps[next]));
      open.insert(open.end(), behind[next].rbegin(), behind[next].rend());
    }
  }
  set_steps(schedule, std::move(ordered));
}

}  // namespace schedule
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
