// in_place: operations that work cell by cell write over a src that nobody reads afterwards.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/schedule/pass.hpp>
#include <posemachine/schedule/schedule.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace schedule {

/// Lets src and dst share memory, wherever src is dead after the step. A sum is written over one of its first two
/// terms, which then comes first: oneDNN allows that one, and the order of the others would change how they are
/// rounded.
void in_place(Schedule& schedule, const PassContext& = {});

inline constexpr SchedulePass in_place_pass{
    .name = "in_place",
    .does = "dst lies in the memory of a src that nobody reads any more",
    .run = in_place,
    .after = {"fuse_sum", "fuse_activation", "share_slices", "share_branches"},
};

}  // namespace schedule
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/schedule/passes/in_place.ipp>
#endif
