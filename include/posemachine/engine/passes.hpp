// All passes over a schedule, in the order in which a plan runs them.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/costs.hpp>
#include <posemachine/engine/dnnl_bridge.hpp>
#include <posemachine/engine/passes/choose_layouts.hpp>
#include <posemachine/engine/passes/choose_winograd.hpp>
#include <posemachine/engine/passes/fold_gates.hpp>
#include <posemachine/engine/passes/fuse_activation.hpp>
#include <posemachine/engine/passes/fuse_sum.hpp>
#include <posemachine/engine/passes/in_place.hpp>
#include <posemachine/engine/passes/pool_early.hpp>
#include <posemachine/engine/passes/share_branches.hpp>
#include <posemachine/engine/passes/share_slices.hpp>
#include <posemachine/engine/schedule.hpp>

namespace posemachine::inline POSEMACHINE_BUILD {

/// Each pass can be switched off: the results stay the same.
struct PassSwitches {
  bool pool_early = true;
  bool fuse_sum = true;
  bool fuse_activation = true;
  bool layouts = true;
  bool winograd = true;
  bool fold_gates = true;
  bool share_slices = true;
  bool share_branches = true;
  bool in_place = true;
  bool reuse_memory = true;  // assign_arena, once all memory that steps need is known
};

inline void run_passes(Schedule& schedule, const PassSwitches& passes, const Costs& costs, int threads) {
  if (passes.pool_early) pool_early(schedule);
  if (passes.fuse_sum) fuse_sum(schedule, passes.fuse_activation);
  if (passes.fuse_activation) fuse_activation(schedule);
  if (passes.layouts) choose_layouts(schedule, costs, threads);
  if (passes.winograd && !dnnl_is_v3) choose_winograd(schedule, costs, threads);
  if (passes.fold_gates) fold_gates(schedule, threads);
  if (passes.share_slices) share_slices(schedule);
  if (passes.share_branches) share_branches(schedule);
  if (passes.in_place) in_place(schedule);
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
