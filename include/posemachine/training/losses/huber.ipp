// The definitions of training/losses/huber.hpp.
#pragma once

#include <posemachine/training/losses/huber.hpp>

namespace posemachine::inline POSEMACHINE_BUILD {

POSEMACHINE_INLINE double heatmap_huber(const LossInput& of, std::span<float> gradient, float delta) {
  return loss_of_cells(of, gradient, [delta](float difference) {
    const float slope = difference > delta ? delta : difference < -delta ? -delta : difference;  // NaN stays NaN
    return CellLoss{double{slope} * (double{difference} - double{slope} / 2), slope};            // h: the slope's area
  });
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
