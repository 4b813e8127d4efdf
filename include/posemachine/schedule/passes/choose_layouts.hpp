// choose_layouts: regions of a network whose maps have their channels last, where that costs less as a whole.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/op_info.hpp>
#include <posemachine/schedule/pass.hpp>
#include <posemachine/schedule/schedule.hpp>

#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace schedule {

namespace detail {

inline bool is_global(const Node& node) { return node.op->geometry(node.options).global; }

// What a step takes on maps of either layout, ns; what is the same in both is left out.
struct LayoutCosts {
  double blocked = 0;
  double channels_last = 0;
};

LayoutCosts layout_costs(const Schedule& schedule, const Step& step, const PassContext& context);

// By step: whether its maps have their channels last.
std::vector<bool> choose_channels_last(const Schedule& schedule, const PassContext& context);

}  // namespace detail

/// Blocked maps let branches of a concat stand where the concat does, and Winograd's algorithm needs them; some direct
/// convolutions are faster on maps whose channels stand together, cell by cell. Which steps work on which is the
/// cheapest cut of the network: steps cost what `costs` says, a map that is read in the other layout costs its move,
/// once for all such readers; the moves become steps of their own. For inference on devices with both layouts.
void choose_layouts(Schedule& schedule, const PassContext& context = {});

inline constexpr SchedulePass choose_layouts_pass{
    .name = "choose_layouts",
    .does = "regions whose maps have their channels last, where that costs less as a whole",
    .run = choose_layouts,
    .after = {"fuse_sum", "fuse_activation"},
};

}  // namespace schedule
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/schedule/passes/choose_layouts.ipp>
#endif
