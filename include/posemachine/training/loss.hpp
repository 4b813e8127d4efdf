// Losses of heatmaps, for every stage alike: squared differences, and cross-entropy over the cells of a map.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
#include <string>

namespace posemachine::inline POSEMACHINE_BUILD {

/// What training makes small.
enum class Loss {
  squared_error,  // heatmap_loss(), of maps against Gaussians
  cross_entropy   // heatmap_cross_entropy(), of the logits of distributions against Gaussians whose sum is 1
};

namespace detail {

inline void check_loss_shapes(std::span<const float> maps, std::span<const float> targets,
                              std::span<const float> weights, std::size_t cells, int batch,
                              std::span<const float> gradient) {
  const std::size_t size = weights.size() * cells;
  if (maps.size() == size && targets.size() == size && gradient.size() == size && batch >= 1) return;
  fail<UsageError>(
      {.where = "heatmap loss",
       .expected = std::to_string(size) + " cells of maps, targets and gradient, and a batch of at least 1",
       .got = std::to_string(maps.size()) + ", " + std::to_string(targets.size()) + ", " +
              std::to_string(gradient.size()) + " and " + std::to_string(batch)});
}

}  // namespace detail

/// Loss of some images of a batch for one stage, and its gradient:
/// loss = sum over images, maps and cells of weight * (map - target)^2 / (2 batch).
/// Shapes: maps, targets, gradient (images, channels, cells); weights (images, channels), 0 to 1; 0 says nothing.
/// Errors: UsageError where the shapes do not fit. A map that is not finite gives a loss or gradient that is not.
/// Source: CPM's release (Wei et al. 2016); stages are summed (intermediate supervision).
inline double heatmap_loss(std::span<const float> maps, std::span<const float> targets, std::span<const float> weights,
                           std::size_t cells, int batch, std::span<float> gradient) {
  detail::check_loss_shapes(maps, targets, weights, cells, batch, gradient);
  const float scale = 1.0f / static_cast<float>(batch);
  double total = 0;
  for (std::size_t map = 0; map < weights.size(); ++map) {
    const float weight = weights[map] * scale;
    double sum = 0;
    for (std::size_t i = map * cells; i < (map + 1) * cells; ++i) {
      const float difference = maps[i] - targets[i];
      gradient[i] = weight * difference;
      sum += double{difference} * double{difference};
    }
    total += weights[map] > 0 ? sum * double{weights[map]} : 0;
  }
  return total / (2.0 * batch);
}

/// As heatmap_loss, but maps are logits and the loss is the cross-entropy between the target's share in every cell and
/// the map's, softmax over its cells:
/// loss = sum over images and maps of weight * (- sum over cells of t * log softmax(map)) / batch, t = target / its sum.
/// A map whose target is empty says nothing: a joint that is not in the picture is nowhere, not somewhere else.
/// Shapes and errors: as heatmap_loss. A map that is not finite and has a weight gives a loss that is not.
/// Source: the negative log-likelihood of a distribution over cells, as Sun et al. 2018 compare it (H1).
inline double heatmap_cross_entropy(std::span<const float> maps, std::span<const float> targets,
                                    std::span<const float> weights, std::size_t cells, int batch,
                                    std::span<float> gradient) {
  detail::check_loss_shapes(maps, targets, weights, cells, batch, gradient);
  double total = 0;
  for (std::size_t map = 0; map < weights.size(); ++map) {
    const std::span<const float> logits = maps.subspan(map * cells, cells);
    const std::span<const float> target = targets.subspan(map * cells, cells);
    const std::span<float> diff = gradient.subspan(map * cells, cells);
    const double target_sum = std::accumulate(target.begin(), target.end(), 0.0);
    if (!(weights[map] > 0) || !(target_sum > 0)) {
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
    total += double{weights[map]} * (std::log(sum) - dot / target_sum);
    const double scale = double{weights[map]} / batch;
    const auto of_map = static_cast<float>(scale / sum);
    const auto of_target = static_cast<float>(scale / target_sum);
    for (std::size_t i = 0; i < cells; ++i) diff[i] = of_map * diff[i] - of_target * target[i];
  }
  return total / batch;
}

/// The loss of that name. Shapes and errors: as heatmap_loss.
inline double compute_loss(Loss loss, std::span<const float> maps, std::span<const float> targets,
                           std::span<const float> weights, std::size_t cells, int batch, std::span<float> gradient) {
  return loss == Loss::squared_error ? heatmap_loss(maps, targets, weights, cells, batch, gradient)
                                     : heatmap_cross_entropy(maps, targets, weights, cells, batch, gradient);
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
