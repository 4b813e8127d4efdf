// The engine's way of running a user's kernels: on plain maps, copied in and out where the execution's are blocked.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/kernel.hpp>
#include <posemachine/graph/custom_op.hpp>

#include <array>
#include <memory>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

namespace detail {

std::unique_ptr<Kernel> make_custom(const BuildContext& context);
std::unique_ptr<Kernel> make_custom_backward(const BuildContext& context);

}  // namespace detail

inline constexpr EngineOp custom_engine{nullptr, detail::make_custom};
inline constexpr std::array custom_backward_engine{EngineOp{&custom_backward_op, detail::make_custom_backward}};

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/engine/ops/custom.ipp>
#endif
