// rmsprop: gradients over the root of their mean square.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/training/optimizers/optimizer_kind.hpp>

#include <string>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace detail {

void update_rmsprop(const ParameterUpdate& of, const OptimizerOptions& options);

}  // namespace detail

/// Caffe's: g += decay w; h = rho h + (1 - rho) g^2; w -= rate g / (sqrt(h) + epsilon); with momentum PyTorch's
/// v = momentum v + g / (sqrt(h) + epsilon); w -= rate v. Source: Tieleman and Hinton 2012.
inline constexpr OptimizerKind rmsprop_optimizer{
    .name = "rmsprop",
    .does = "gradients over the root of their mean square: Caffe's rule, momentum as PyTorch",
    .state = [](const OptimizerOptions& options) -> std::vector<std::string> {
      if (options.momentum == 0) return {"second"};
      return {"first", "second"};
    },
    .update = detail::update_rmsprop};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/training/optimizers/rmsprop.ipp>
#endif
