// The engine's softmax over channels: oneDNN's, forward and backward.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/kernel.hpp>
#include <posemachine/graph/ops/softmax.hpp>

#include <array>
#include <memory>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

namespace detail {

std::unique_ptr<Kernel> make_softmax(const BuildContext& context);
std::unique_ptr<Kernel> make_softmax_backward(const BuildContext& context);

}  // namespace detail

inline constexpr std::array softmax_engine{
    EngineOp{&softmax_op, detail::make_softmax},
    EngineOp{&softmax_backward_op, detail::make_softmax_backward},
};

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/engine/ops/softmax.ipp>
#endif
