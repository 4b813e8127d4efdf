// fold_gates: the factors of a gate go into the weights that read the gated map, which is then not written at all.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/schedule/pass.hpp>
#include <posemachine/schedule/schedule.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace schedule {

/// For one image: convolution(scale(x, g)) is a convolution of x whose weights have been multiplied with g, channel by
/// channel of its src; concats in between hold x itself, which stages may then share. Done where that is less to
/// multiply: the weights by one thread, a map by all of them. Weights that Winograd's algorithm has transformed stay.
void fold_gates(Schedule& schedule, const PassContext& context = {});

inline constexpr SchedulePass fold_gates_pass{
    .name = "fold_gates",
    .does = "a gate multiplies the weights of the convolutions that read the gated map, instead of the map",
    .run = fold_gates,
    .after = {"fuse_sum", "choose_layouts", "choose_winograd"},
};

}  // namespace schedule
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/schedule/passes/fold_gates.ipp>
#endif
