// The engine's prelu: oneDNN's, forward and backward.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/kernel.hpp>
#include <posemachine/graph/ops/prelu.hpp>

#include <array>
#include <memory>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

namespace detail {

std::unique_ptr<Kernel> make_prelu(const BuildContext& context);
std::unique_ptr<Kernel> make_prelu_backward(const BuildContext& context);

}  // namespace detail

inline constexpr std::array prelu_engine{
    EngineOp{&prelu_op, detail::make_prelu},
    EngineOp{&prelu_backward_op, detail::make_prelu_backward},
};

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/engine/ops/prelu.ipp>
#endif
