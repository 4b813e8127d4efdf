// The engine's pooling: maximum and mean over windows, mean over the map, and their gradients.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/kernel.hpp>
#include <posemachine/graph/ops/pooling.hpp>

#include <array>
#include <memory>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

namespace detail {

std::unique_ptr<Kernel> make_pool(const BuildContext& context);
std::unique_ptr<Kernel> make_pool_backward(const BuildContext& context);

}  // namespace detail

inline constexpr std::array pooling_engine{
    EngineOp{&max_pool_op, detail::make_pool},
    EngineOp{&average_pool_op, detail::make_pool},
    EngineOp{&global_average_pool_op, detail::make_pool},
    EngineOp{&max_pool_backward_op, detail::make_pool_backward},
    EngineOp{&average_pool_backward_op, detail::make_pool_backward},
    EngineOp{&global_average_pool_backward_op, detail::make_pool_backward},
};

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/engine/ops/pooling.ipp>
#endif
