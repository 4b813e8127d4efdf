// loss_of_cells: a loss that is a sum over cells, each by itself.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/training/losses/loss_kind.hpp>

#include <cstddef>
#include <span>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Of one cell.
struct CellLoss {
  double value = 0;
  float slope = 0;  // the derivative by the map's value
};

/// loss = sum over images, maps and cells of weight * cell(map - target) / batch.
/// Shapes and errors: as check_shapes; cell(difference) gives a CellLoss.
template <class Cell>
double loss_of_cells(const LossInput& of, std::span<float> gradient, const Cell& cell) {
  check_shapes(of, gradient);
  const float scale = 1.0f / static_cast<float>(of.batch);
  double total = 0;
  for (std::size_t map = 0; map < of.weights.size(); ++map) {
    const float weight = of.weights[map] * scale;
    double sum = 0;
    for (std::size_t i = map * of.cells; i < (map + 1) * of.cells; ++i) {
      const CellLoss loss = cell(of.maps[i] - of.targets[i]);
      gradient[i] = weight * loss.slope;
      sum += loss.value;
    }
    total += of.weights[map] > 0 ? sum * double{of.weights[map]} : 0;
  }
  return total / of.batch;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
