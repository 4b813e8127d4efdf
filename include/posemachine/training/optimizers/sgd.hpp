// sgd: gradient descent with momentum.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/training/optimizers/optimizer_kind.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {
namespace detail {

inline void update_sgd(const ParameterUpdate& of, const OptimizerOptions& options) {
  const std::span<float> w = of.weights;
  const std::span<const float> g = of.gradient;
  const std::span<float> m = of.state.empty() ? std::span<float>{} : of.state[0];
  const auto decay = static_cast<float>(of.decay);
  const auto rate = static_cast<float>(of.rate);
  const auto momentum = static_cast<float>(options.momentum);
  for (std::size_t i = 0; i < w.size(); ++i) {
    float change = g[i] + decay * w[i];
    if (!m.empty()) change = m[i] = momentum * m[i] + change;
    w[i] -= rate * change;
  }
}

}  // namespace detail

/// g += decay w; v = momentum v + g; w -= rate v (PyTorch's).
inline constexpr OptimizerKind sgd_optimizer{.name = "sgd",
                                             .does = "gradient descent with momentum",
                                             .state = [](const OptimizerOptions& options) -> std::vector<std::string> {
                                               if (options.momentum == 0) return {};
                                               return {"first"};
                                             },
                                             .update = detail::update_sgd};

}  // namespace posemachine::inline POSEMACHINE_BUILD
