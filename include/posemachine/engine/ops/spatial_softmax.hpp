// The engine's spatial softmax: loops of our own, as oneDNN normalises over one axis and a map has two.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/kernel.hpp>
#include <posemachine/graph/ops/spatial_softmax.hpp>

#include <array>
#include <memory>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

namespace detail {

std::unique_ptr<Kernel> make_spatial_softmax(const BuildContext& context);
std::unique_ptr<Kernel> make_spatial_softmax_backward(const BuildContext& context);

}  // namespace detail

inline constexpr std::array spatial_softmax_engine{
    EngineOp{&spatial_softmax_op, detail::make_spatial_softmax},
    EngineOp{&spatial_softmax_backward_op, detail::make_spatial_softmax_backward},
};

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/engine/ops/spatial_softmax.ipp>
#endif
