// The engine's resize: oneDNN's resampling, forward and backward.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/kernel.hpp>
#include <posemachine/graph/ops/resize.hpp>

#include <array>
#include <memory>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

namespace detail {

std::unique_ptr<Kernel> make_resize(const BuildContext& context);
std::unique_ptr<Kernel> make_resize_backward(const BuildContext& context);

}  // namespace detail

inline constexpr std::array resize_engine{
    EngineOp{&resize_nearest_op, detail::make_resize},
    EngineOp{&resize_bilinear_op, detail::make_resize},
    EngineOp{&resize_nearest_backward_op, detail::make_resize_backward},
    EngineOp{&resize_bilinear_backward_op, detail::make_resize_backward},
};

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/engine/ops/resize.ipp>
#endif
