// fuse_sum: a convolution that ends in a sum adds to the other summand where that one lies.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/schedule/pass.hpp>
#include <posemachine/schedule/schedule.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace schedule {

/// add(convolution(x), y), y computed before and read by nobody after, becomes one step: the convolution writes dst,
/// which lies where y lay, as y + convolution(x). Residual blocks then touch their maps once or twice instead of three
/// times. What is computed twice is changed in both places or in none.
void fuse_sum(Schedule& schedule, const PassContext& = {});

inline constexpr SchedulePass fuse_sum_pass{
    .name = "fuse_sum",
    .does = "a convolution adds its result to the other term of a sum, in its place",
    .run = fuse_sum,
    .after = {"pool_early"},
};

}  // namespace schedule
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/schedule/passes/fuse_sum.ipp>
#endif
