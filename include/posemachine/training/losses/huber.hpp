// huber: squared differences where they are small, absolute ones beyond.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/training/losses/loss_kind.hpp>
#include <posemachine/training/losses/loss_of_cells.hpp>

#include <span>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// As heatmap_loss where |map - target| <= delta, and linear beyond, so that a wrong label pulls no more than one off
/// by delta: loss = sum over images, maps and cells of weight * h(map - target) / batch, with h(d) = d^2 / 2 up to
/// delta and delta * (|d| - delta / 2) beyond. PyTorch's smooth_l1_loss with beta = delta is h / delta.
/// Shapes: delta above 0. Errors: as check_shapes. Source: Huber 1964, Robust estimation of a location parameter.
inline double heatmap_huber(const LossInput& of, std::span<float> gradient, float delta) {
  return loss_of_cells(of, gradient, [delta](float difference) {
    const float slope = difference > delta ? delta : difference < -delta ? -delta : difference;  // NaN stays NaN
    return CellLoss{double{slope} * (double{difference} - double{slope} / 2), slope};            // h: the slope's area
  });
}

/// The row's delta: maps are from 0 to 1, and a peak in the wrong place is off by 1.
inline constexpr float huber_delta = 0.25f;

inline constexpr LossKind huber_loss{
    .name = "huber",
    .does = "squared differences up to 0.25, absolute ones beyond: wrong labels pull less",
    .compute = [](const LossInput& of, std::span<float> gradient) { return heatmap_huber(of, gradient, huber_delta); }};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
