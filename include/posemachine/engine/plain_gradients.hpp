// plain_gradients: an execution's gradients out of the layouts that primitives write.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/execution.hpp>

#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {
namespace detail {

// What the last run of an execution left in its own slice, one tensor per parameter in plain layout; zeros where no
// node writes one.
std::vector<std::vector<float>> plain_gradients(const Execution& execution);

}  // namespace detail
}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/engine/plain_gradients.ipp>
#endif
