// The definitions of training/losses/cross_entropy.hpp.
#pragma once

#include <posemachine/training/losses/cross_entropy.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE double heatmap_cross_entropy(const LossInput& of, std::span<float> gradient) {
  check_shapes(of, gradient);
  const std::size_t cells = of.cells;
  double total = 0;
  for (std::size_t map = 0; map < of.weights.size(); ++map) {
    const float weight = of.weights[map];
    const std::span<const float> logits = of.maps.subspan(map * cells, cells);
    const std::span<const float> target = of.targets.subspan(map * cells, cells);
    const std::span<float> diff = gradient.subspan(map * cells, cells);
    const double target_sum = std::accumulate(target.begin(), target.end(), 0.0);
    if (!(weight > 0) || !(target_sum > 0)) {
      std::fill(diff.begin(), diff.end(), 0.0f);
      continue;
    }
    const float highest = *std::max_element(logits.begin(), logits.end());
    double sum = 0;
    double dot = 0;  // of target and logits, both relative to the highest
    for (std::size_t i = 0; i < cells; ++i) {
      const float relative = logits[i] - highest;
      diff[i] = std::exp(relative);
      sum += double{diff[i]};
      dot += double{target[i]} * double{relative};
    }
    total += double{weight} * (std::log(sum) - dot / target_sum);
    const double scale = double{weight} / of.batch;
    const auto of_map = static_cast<float>(scale / sum);
    const auto of_target = static_cast<float>(scale / target_sum);
    for (std::size_t i = 0; i < cells; ++i) diff[i] = of_map * diff[i] - of_target * target[i];
  }
  return total / of.batch;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
