// radam: AdamW that waits until its mean squares can be trusted.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/training/optimizers/optimizer_kind.hpp>

#include <string>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace detail {

/// Factor of a step for the variance that few gradients leave in their mean square; 0 while it is too large to be
/// divided by: for the first 5 updates where beta2 is 0.999. Shapes: update counts from 1.
double radam_rectifier(double beta2, double update);

void update_radam(const ParameterUpdate& of, const OptimizerOptions& options);

}  // namespace detail

/// AdamW whose steps are rectified by the variance of their mean square, and not divided by it at first: no warm-up is
/// needed. PyTorch's RAdam with decoupled_weight_decay. Source: Liu et al. 2020, On the variance of the adaptive
/// learning rate and beyond, algorithm 2.
inline constexpr OptimizerKind radam_optimizer{
    .name = "radam",
    .does = "adamw whose first steps are shorter, so that no warm-up is needed",
    .state = [](const OptimizerOptions&) -> std::vector<std::string> { return {"first", "second"}; },
    .update = detail::update_radam};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/training/optimizers/radam.ipp>
#endif
