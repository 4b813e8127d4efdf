// adamw: Adam with weight decay apart from the gradient.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/training/optimizers/optimizer_kind.hpp>

#include <string>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace detail {

void update_adamw(const ParameterUpdate& of, const OptimizerOptions& options);

}  // namespace detail

/// Adam's moments; weights decay by themselves: w -= rate decay w. Source: Loshchilov and Hutter 2019.
inline constexpr OptimizerKind adamw_optimizer{
    .name = "adamw",
    .does = "Adam with weight decay apart from the gradient",
    .state = [](const OptimizerOptions&) -> std::vector<std::string> { return {"first", "second"}; },
    .update = detail::update_adamw};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/training/optimizers/adamw.ipp>
#endif
