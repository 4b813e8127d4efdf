// The definitions of schedule/passes/in_place.hpp.
#pragma once

#include <posemachine/schedule/passes/in_place.hpp>

#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/op_info.hpp>
#include <posemachine/schedule/residents.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace schedule {

namespace detail {

// The input that an operation may overwrite, or -1.
POSEMACHINE_INLINE int overwritable_input(const Schedule& schedule, const Step& step) {
  if (step.kind() == OpKind::channel_scale) {
    // oneDNN 2.6 gives wrong values in place where the factor is a single number (one image, one channel).
    const ScheduledValue& gate = schedule.value(schedule.src(step, 1));
    if (gate.n * gate.c == 1) return -1;
  }
  return step.op->traits.overwrites;
}

// Lets a step's dst lie where the src lies, if nothing needs that src, or the memory of both, any more.
POSEMACHINE_INLINE bool overwrite(Schedule& schedule, Residents& residents, const Step& step, int which, int at) {
  const int src = schedule.src(step, which);
  if (schedule.value(residents.root(src)).external || is_output(*schedule.graph, src)) return false;
  // A src that another value overlaps on both sides of the step would be destroyed: nothing may read it afterwards.
  if (residents.is_read_after(src, at, step.dst)) return false;
  for (std::size_t k = 0; k < step.srcs.size(); ++k) {  // an operation that reads src through two inputs needs it whole
    const bool other = static_cast<int>(k) != which;
    if (other && residents.are_together(step.srcs[k], src)) return false;
  }
  ScheduledValue& from = schedule.value(src);
  ScheduledValue& to = schedule.value(step.dst);
  if (from.layout != to.layout || from.buffer_channels > 0 || to.buffer_channels > 0) return false;
  if (from.parent < 0) {
    // Where dst will be, other values may live while src does: concats that share branches lie over one another.
    const int begin = residents.first_write(src);
    const bool lives = to.parent >= 0 && residents.overlaps_any(step.dst, src, [&](const ScheduledValue& other) {
      return other.first_step <= at && other.last_step >= begin;
    });
    if (lives) return false;
    from.parent = step.dst;
    from.channel_offset = 0;
    residents.put(src, step.dst, 0);
    return true;
  }
  if (to.parent >= 0) return false;
  to.parent = src;
  to.channel_offset = 0;
  residents.put(step.dst, src, 0);
  return true;
}

}  // namespace detail

POSEMACHINE_INLINE void in_place(Schedule& schedule, const PassContext&) {
  if (!schedule.device.in_place) return;
  detail::Residents residents(schedule);
  for (std::size_t i = 0; i < schedule.steps.size(); ++i) {
    Step& step = schedule.steps[i];
    if (step.elided) continue;
    if (step.kind() == OpKind::sum) {
      for (std::size_t k = 0; k < std::min<std::size_t>(2, step.srcs.size()); ++k) {
        if (!detail::overwrite(schedule, residents, step, static_cast<int>(k), static_cast<int>(i))) continue;
        std::swap(step.srcs[0], step.srcs[k]);
        break;
      }
      continue;
    }
    const int which = detail::overwritable_input(schedule, step);
    if (which >= 0) detail::overwrite(schedule, residents, step, which, static_cast<int>(i));
  }
  // A chain of operations would leave a chain of parents as long, and every later place() would walk it.
  for (std::size_t i = 0; i < schedule.values.size(); ++i) {
    ScheduledValue& value = schedule.values[i];
    if (value.parent < 0) continue;
    value.parent = residents.root(static_cast<int>(i));
    value.channel_offset = residents.offset_in_root(static_cast<int>(i));
  }
}

}  // namespace schedule
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
