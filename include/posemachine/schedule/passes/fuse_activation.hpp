// fuse_activation: an activation that alone reads a convolution becomes part of it.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/schedule/pass.hpp>
#include <posemachine/schedule/schedule.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace schedule {

/// The convolution then writes the activation's dst, and its own dst is never stored. Right for training too: backward
/// nodes that need the convolution's dst are readers of it, and those of ReLU and sigmoid need what stands after. A
/// convolution that is computed twice takes its activation in both times or never.
void fuse_activation(Schedule& schedule, const PassContext& = {});

inline constexpr SchedulePass fuse_activation_pass{
    .name = "fuse_activation",
    .does = "a convolution ends in the activation that alone reads it, or the sum it adds to",
    .run = fuse_activation,
    .after = {"fuse_sum"},
};

}  // namespace schedule
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/schedule/passes/fuse_activation.ipp>
#endif
