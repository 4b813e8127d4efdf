// squared_error: half the squared differences between maps and targets.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/training/losses/loss_kind.hpp>
#include <posemachine/training/losses/loss_of_cells.hpp>

#include <span>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Loss of some images of a batch for one stage, and its gradient:
/// loss = sum over images, maps and cells of weight * (map - target)^2 / (2 batch).
/// Shapes and errors: as check_shapes. Source: CPM's release (Wei et al. 2016).
inline double heatmap_loss(const LossInput& of, std::span<float> gradient) {
  return loss_of_cells(
      of, gradient, [](float difference) { return CellLoss{double{difference} * double{difference} / 2, difference}; });
}

inline constexpr LossKind squared_error_loss{
    .name = "squared_error", .does = "squared differences of heatmaps and Gaussians", .compute = heatmap_loss};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
