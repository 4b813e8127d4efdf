// pool_early: a pooling that is the last to read a map runs as soon as the other readers are done.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/schedule/pass.hpp>
#include <posemachine/schedule/schedule.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace schedule {

/// The map is then gone earlier, and what lives on in its stead is smaller: a network that keeps its first features,
/// averaged, for all stages does not hold them at full size while it computes the others. For inference. To be run
/// before steps are fused.
void pool_early(Schedule& schedule, const PassContext& = {});

inline constexpr SchedulePass pool_early_pass{
    .name = "pool_early",
    .does = "a pooling runs as soon as the other readers of its map are done",
    .run = pool_early,
};

}  // namespace schedule
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/schedule/passes/pool_early.ipp>
#endif
