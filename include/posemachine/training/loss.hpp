// The heatmap loss: squared differences of maps, of every stage.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>

#include <cstddef>
#include <span>
#include <string>

namespace posemachine::inline POSEMACHINE_BUILD {

/// Loss of some images of a batch for one stage, and its gradient:
/// loss = sum over images, maps and cells of weight * (map - target)^2 / (2 batch).
/// Shapes: maps, targets, gradient (images, channels, cells); weights (images, channels), 0 for maps that say nothing.
/// Errors: UsageError where the shapes do not fit. A map that is not finite gives a loss or gradient that is not.
/// Source: CPM's release (Wei et al. 2016); stages are summed (intermediate supervision).
inline double heatmap_loss(std::span<const float> maps, std::span<const float> targets, std::span<const float> weights,
                           std::size_t cells, int batch, std::span<float> gradient) {
  const std::size_t size = weights.size() * cells;
  if (maps.size() != size || targets.size() != size || gradient.size() != size || batch < 1) {
    fail<UsageError>(
        {.where = "heatmap loss",
         .expected = std::to_string(size) + " cells of maps, targets and gradient, and a batch of at least 1",
         .got = std::to_string(maps.size()) + ", " + std::to_string(targets.size()) + ", " +
                std::to_string(gradient.size()) + " and " + std::to_string(batch)});
  }
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

}  // namespace posemachine::inline POSEMACHINE_BUILD
