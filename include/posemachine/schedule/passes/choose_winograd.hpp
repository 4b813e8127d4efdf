// choose_winograd: dense 3x3 convolutions by Winograd's algorithm, where it is faster.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/schedule/pass.hpp>
#include <posemachine/schedule/schedule.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace schedule {

/// For inference: it rounds somewhat more (2.5e-6 of the largest value at most where it was measured). A convolution
/// for which oneDNN has no such kernel (ragged channels) stays direct.
/// Source: Lavin and Gray 2016.
void choose_winograd(Schedule& schedule, const PassContext& context = {});

inline constexpr SchedulePass choose_winograd_pass{
    .name = "choose_winograd",
    .does = "dense 3 x 3 convolutions by Winograd's algorithm, where that is faster",
    .run = choose_winograd,
    .after = {"choose_layouts"},
};

}  // namespace schedule
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/schedule/passes/choose_winograd.ipp>
#endif
