// Slices: which channels of a map are contiguous memory.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/schedule/schedule.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace schedule {

namespace detail {

// In the blocked layout the channels of one image are contiguous from block to block; with several images they are not,
// and kernels on strided slices are reference loops in oneDNN 2.6.
inline bool is_dense_slice(const Schedule& schedule, const ScheduledValue& slice, int offset,
                           const ScheduledValue& whole) {
  if (slice.layout != Layout::blocked || whole.layout != Layout::blocked || slice.n != 1) return false;
  if (offset % schedule.block() != 0) return false;
  return slice.c % schedule.block() == 0 || offset + slice.c == whole.c;  // whole blocks, or the padded last one
}

}  // namespace detail

}  // namespace schedule
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
