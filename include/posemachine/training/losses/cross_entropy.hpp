// cross_entropy: of distributions over the cells of a map.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/training/losses/loss_kind.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>

namespace posemachine::inline POSEMACHINE_BUILD {

/// The cross-entropy between the target's share in every cell and the map's, softmax over its cells; maps are logits:
/// loss = sum over images and maps of weight * (- sum over cells of t * log softmax(map)) / batch, t = target / its sum.
/// A map whose target is empty says nothing: a joint that is not in the picture is nowhere, not somewhere else.
/// Shapes and errors: as check_shapes. Source: the negative log-likelihood of a distribution over cells, as Sun et al.
/// 2018 compare it (H1).
inline double heatmap_cross_entropy(const LossInput& of, std::span<float> gradient) {
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

inline constexpr LossKind cross_entropy_loss{.name = "cross_entropy",
                                             .does = "cross-entropy of distributions over cells and Gaussians",
                                             .of_logits = true,
                                             .compute = heatmap_cross_entropy};

}  // namespace posemachine::inline POSEMACHINE_BUILD
