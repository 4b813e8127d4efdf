// Repeats: which steps compute the same, one for the forward and one for the backward pass.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/schedule/schedule.hpp>

#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace schedule {
namespace detail {

/// By step: the one that computes its result a second time, or for the first time; -1: none. Passes that change how
/// something is rounded treat both alike: the backward pass must see what the forward pass saw, to the bit.
std::vector<int> twins_of(const Schedule& schedule);

}  // namespace detail
}  // namespace schedule
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/schedule/twins.ipp>
#endif
