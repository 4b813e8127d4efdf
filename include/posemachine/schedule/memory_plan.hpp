// assign_arena: every buffer gets an offset in one arena; buffers that never live at the same time may share it.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/schedule/schedule.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace schedule {

/// Source: greedy by size (Pisarchyk and Lee 2020): the largest buffer first, each at the lowest free offset; of equal
/// ones the longest-lived first, which leaves less between them (the arena is what is alive at once, or at most 2 %
/// more, for all networks of the registry, forward and backward; 10 % more without). With reuse off every buffer has
/// memory of its own.
void assign_arena(Schedule& schedule, bool reuse);

}  // namespace schedule
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/schedule/memory_plan.ipp>
#endif
