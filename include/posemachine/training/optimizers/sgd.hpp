// sgd: gradient descent with momentum.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/training/optimizers/optimizer_kind.hpp>

#include <string>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace detail {

void update_sgd(const ParameterUpdate& of, const OptimizerOptions& options);

}  // namespace detail

/// g += decay w; v = momentum v + g; w -= rate v (PyTorch's).
inline constexpr OptimizerKind sgd_optimizer{.name = "sgd",
                                             .does = "gradient descent with momentum",
                                             .state = [](const OptimizerOptions& options) -> std::vector<std::string> {
                                               if (options.momentum == 0) return {};
                                               return {"first"};
                                             },
                                             .update = detail::update_sgd};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/training/optimizers/sgd.ipp>
#endif
