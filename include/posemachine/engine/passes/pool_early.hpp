// pool_early: a pooling that is the last to read a map runs as soon as the other readers are done.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/lower.hpp>
#include <posemachine/engine/schedule.hpp>
#include <posemachine/graph/ops/pooling.hpp>

#include <algorithm>
#include <cstddef>

namespace posemachine::inline POSEMACHINE_BUILD {

/// The map is then gone earlier, and what lives on in its stead is smaller: a network that keeps its first features,
/// averaged, for all stages does not hold them at full size while it computes the others. For inference. To be run
/// before steps are fused.
inline void pool_early(Schedule& schedule) {
  if (schedule.mode != Mode::inference) return;
  for (std::size_t i = 0; i < schedule.steps.size(); ++i) {
    const Step& step = schedule.steps[i];
    const OpInfo* op = schedule.node(step).op;
    if (op != &max_pool_op && op != &average_pool_op && op != &global_average_pool_op) continue;
    const int src = schedule.src(step, 0);
    const ScheduledValue& map = schedule.value(src);
    if (map.last_step != static_cast<int>(i) || is_output(*schedule.graph, src)) continue;
    if (schedule.value(step.dst).bytes(schedule.block) >= map.bytes(schedule.block)) continue;
    std::size_t at = i;
    const auto touches = [&](const Step& other) {
      bool found = other.dst == src;
      other.for_each_read([&](int value) { found = found || value == src; });
      return found;
    };
    while (at > 0 && !touches(schedule.steps[at - 1])) --at;
    if (at == i) continue;
    const auto begin = schedule.steps.begin();
    std::rotate(begin + static_cast<std::ptrdiff_t>(at), begin + static_cast<std::ptrdiff_t>(i),
                begin + static_cast<std::ptrdiff_t>(i) + 1);
    find_uses(schedule);
  }
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
