// The heatmap loss: squared differences of maps, of every stage.
#pragma once

#include <posemachine/core/config.hpp>

#include <cstddef>
#include <span>

namespace posemachine::inline POSEMACHINE_BUILD {

/// Loss of some images of a batch for one stage, and its gradient:
/// loss = sum over images, maps and cells of weight * (map - target)^2 / (2 batch).
/// Shapes: maps, targets, gradient (images, channels, cells); weights (images, channels), 0 for maps that say nothing.
/// Source: CPM's release (Wei et al. 2016); stages are summed (intermediate supervision).
inline double heatmap_loss(std::span<const float> maps, std::span<const float> targets, std::span<const float> weights,
                           std::size_t cells, int batch, std::span<float> gradient) {
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
