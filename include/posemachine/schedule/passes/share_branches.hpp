// share_branches: concats that hold the same value hold it in one place, one after the other.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/schedule/pass.hpp>
#include <posemachine/schedule/schedule.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace schedule {

/// A branch that stands inside an earlier concat is not copied into a later one: the later one lies over the earlier
/// one's memory, where everything but the branch is dead by then, and that memory may grow by less than the branch. The
/// stages of a network that all read the same features then share one buffer.
void share_branches(Schedule& schedule, const PassContext& = {});

inline constexpr SchedulePass share_branches_pass{
    .name = "share_branches",
    .does = "concats that hold the same value hold it in one place",
    .run = share_branches,
    .after = {"share_slices"},
};

}  // namespace schedule
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/schedule/passes/share_branches.ipp>
#endif
