// What passes do to a schedule's steps besides changing them.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/schedule/schedule.hpp>

#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace schedule {

/// Recomputes which step writes each value and which is the last to read it.
void find_uses(Schedule& schedule);

/// Replaces the steps, in their order, and recomputes the uses.
void set_steps(Schedule& schedule, std::vector<Step> steps);

/// Removes the steps for which `gone` is true. Shapes: one entry per step.
void erase_steps(Schedule& schedule, const std::vector<bool>& gone);

}  // namespace schedule
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/schedule/edit.ipp>
#endif
