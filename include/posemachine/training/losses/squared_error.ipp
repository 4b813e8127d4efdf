// The definitions of training/losses/squared_error.hpp.
#pragma once

#include <posemachine/training/losses/squared_error.hpp>

namespace posemachine::inline POSEMACHINE_BUILD {

POSEMACHINE_INLINE double heatmap_loss(const LossInput& of, std::span<float> gradient) {
  return loss_of_cells(
      of, gradient, [](float difference) { return CellLoss{double{difference} * double{difference} / 2, difference}; });
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
