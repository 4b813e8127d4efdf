// share_slices: branches of a concat are written where the concat stands, slices are read where they lie.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/op_info.hpp>
#include <posemachine/graph/ops/concat.hpp>
#include <posemachine/schedule/pass.hpp>
#include <posemachine/schedule/schedule.hpp>
#include <posemachine/schedule/slices.hpp>

#include <cstddef>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace schedule {

/// Gives branches of concats and slices a place inside the larger value, where that place is contiguous memory. A
/// concat whose every branch got one, and a slice that did, have nothing left to do.
inline void share_slices(Schedule& schedule, const PassContext& = {}) {
  if (!schedule.device.channel_slices) return;
  std::vector<bool> taken(schedule.values.size(), false);  // has a place in another value, or is an input
  for (std::size_t i = 0; i < schedule.values.size(); ++i) {
    taken[i] = schedule.values[i].external || schedule.values[i].parent >= 0;
  }
  // What a convolution adds to is written over while the parts that lie in it may still be read.
  std::vector<bool> written_over(schedule.values.size(), false);
  for (const Step& step : schedule.steps) {
    if (step.summand() >= 0) written_over[static_cast<std::size_t>(step.summand())] = true;
  }
  for (Step& step : schedule.steps) {
    if (step.kind() == OpKind::concat) {
      if (written_over[static_cast<std::size_t>(step.dst)]) continue;
      bool all = true;
      int offset = 0;
      for (const int id : step.srcs) {
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
    } else if (step.kind() == OpKind::slice) {
      const auto options = unpack<SliceOptions>(schedule.node(step).options);
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

inline constexpr SchedulePass share_slices_pass{
    .name = "share_slices",
    .does = "branches of a concat are written where it stands, slices are read where they lie",
    .run = share_slices,
    .after = {"fuse_sum", "choose_layouts", "fold_gates"},
};

}  // namespace schedule
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
