// share_slices: branches of a concat are written where the concat stands, slices are read where they lie.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/schedule.hpp>
#include <posemachine/graph/ops/concat.hpp>

#include <cstddef>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

namespace detail {

// In the blocked layout the channels of one image are contiguous from block to block; with several images they are not,
// and kernels on strided slices are reference loops in oneDNN 2.6.
inline bool is_dense_slice(const Schedule& schedule, const ScheduledValue& slice, int offset,
                           const ScheduledValue& whole) {
  if (slice.layout != Layout::blocked || whole.layout != Layout::blocked || slice.n != 1) return false;
  if (offset % schedule.block != 0) return false;
  return slice.c % schedule.block == 0 || offset + slice.c == whole.c;  // whole blocks, or the padded last one
}

}  // namespace detail

/// Gives branches of concats and slices a place inside the larger value, where that place is contiguous memory. A
/// concat whose every branch got one, and a slice that did, have nothing left to do.
inline void share_slices(Schedule& schedule) {
  std::vector<bool> taken(schedule.values.size(), false);  // has a place in another value, or is an input
  for (std::size_t i = 0; i < schedule.values.size(); ++i) {
    taken[i] = schedule.values[i].external || schedule.values[i].parent >= 0;
  }
  // What a convolution adds to is written over while the parts that lie in it may still be read.
  std::vector<bool> written_over(schedule.values.size(), false);
  for (const Step& step : schedule.steps) {
    if (step.sum >= 0) written_over[static_cast<std::size_t>(step.sum)] = true;
  }
  for (Step& step : schedule.steps) {
    const Node& node = schedule.node(step);
    if (node.op == &concat_op) {
      if (written_over[static_cast<std::size_t>(step.dst)]) continue;
      bool all = true;
      int offset = 0;
      for (int i = 0; i < node.inputs.count; ++i) {
        const int id = schedule.src(step, i);
        ScheduledValue& branch = schedule.value(id);
        const bool fits = !taken[static_cast<std::size_t>(id)] &&
                          detail::is_dense_slice(schedule, branch, offset, schedule.value(step.dst));
        if (fits) {
          branch.parent = step.dst;
          branch.channel_offset = offset;
          taken[static_cast<std::size_t>(id)] = true;
        }
        all = all && fits;
        offset += branch.c;
      }
      step.elided = all;
    } else if (node.op == &slice_op) {
      const auto options = unpack<SliceOptions>(node.options);
      ScheduledValue& dst = schedule.value(step.dst);
      const int src = schedule.src(step, 0);
      if (taken[static_cast<std::size_t>(step.dst)] || written_over[static_cast<std::size_t>(src)]) continue;
      if (!detail::is_dense_slice(schedule, dst, options.first, schedule.value(src))) continue;
      dst.parent = src;
      dst.channel_offset = options.first;
      taken[static_cast<std::size_t>(step.dst)] = true;
      step.elided = true;
    }
  }
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
