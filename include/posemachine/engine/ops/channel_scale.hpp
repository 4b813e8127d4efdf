// The engine's channel_scale: oneDNN's binary multiplication, and a loop for the gate's gradient.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/kernel.hpp>
#include <posemachine/graph/ops/channel_scale.hpp>

#include <array>
#include <memory>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

namespace detail {

std::unique_ptr<Kernel> make_channel_scale(const BuildContext& context);

std::unique_ptr<Kernel> make_channel_scale_backward_gate(const BuildContext& context);

}  // namespace detail

inline constexpr std::array channel_scale_engine{
    EngineOp{&channel_scale_op, detail::make_channel_scale},
    EngineOp{&channel_scale_backward_gate_op, detail::make_channel_scale_backward_gate},
};

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/engine/ops/channel_scale.ipp>
#endif
