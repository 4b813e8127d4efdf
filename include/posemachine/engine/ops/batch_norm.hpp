// The engine's batch norm: statistics of the slice in training, running ones in inference.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/kernel.hpp>
#include <posemachine/graph/ops/batch_norm.hpp>

#include <array>
#include <memory>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

namespace detail {

// The parameters of a batch norm node, in the order batch_norm() adds them.
enum BatchNormParameter { batch_norm_scale, batch_norm_shift, batch_norm_mean, batch_norm_variance };

std::unique_ptr<Kernel> make_batch_norm(const BuildContext& context);
std::unique_ptr<Kernel> make_batch_norm_backward(const BuildContext& context);

}  // namespace detail

inline constexpr std::array batch_norm_engine{
    EngineOp{&batch_norm_op, detail::make_batch_norm},
    EngineOp{&batch_norm_backward_op, detail::make_batch_norm_backward},
};

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/engine/ops/batch_norm.ipp>
#endif
