// squared_error: half the squared differences between maps and targets.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/training/losses/loss_kind.hpp>

#include <cstddef>
#include <span>

namespace posemachine::inline POSEMACHINE_BUILD {

/// Loss of some images of a batch for one stage, and its gradient:
/// loss = sum over images, maps and cells of weight * (map - target)^2 / (2 batch).
/// Shapes and errors: as check_shapes. Source: CPM's release (Wei et al. 2016).
inline double heatmap_loss(const LossInput& of, std::span<float> gradient) {
  check_shapes(of, gradient);
  const float scale = 1.0f / static_cast<float>(of.batch);
  double total = 0;
  for (std::size_t map = 0; map < of.weights.size(); ++map) {
    const float weight = of.weights[map] * scale;
    double sum = 0;
    for (std::size_t i = map * of.cells; i < (map + 1) * of.cells; ++i) {
      const float difference = of.maps[i] - of.targets[i];
      gradient[i] = weight * difference;
      sum += double{difference} * double{difference};
    }
    total += of.weights[map] > 0 ? sum * double{of.weights[map]} : 0;
  }
  return total / (2.0 * of.batch);
}

inline constexpr LossKind squared_error_loss{
    .name = "squared_error", .does = "squared differences of heatmaps and Gaussians", .compute = heatmap_loss};

}  // namespace posemachine::inline POSEMACHINE_BUILD
