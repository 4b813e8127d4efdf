// Fits the curve from peaks to probabilities.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/pose/calibration.hpp>

#include <optional>
#include <span>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// The peak of a joint's map, and whether the joint is right.
struct JudgedPeak {
  double peak = 0;
  bool right = false;
};

/// As few right joints, or wrong ones, tell nothing of a curve.
inline constexpr int min_judged_peaks = 10;

/// The calibration under which the joints are likeliest, with Platt's softened targets, so that joints which a peak
/// parts cleanly leave it finite. Peaks of 0, of missing joints, have no logarithm and are left out. None where fewer
/// than min_judged_peaks are right, or wrong, or where the curve does not rise. The metric stays to be named.
/// Source: Platt 1999; Lin, Lin and Weng 2007, "A note on Platt's probabilistic outputs".
std::optional<Calibration> fit_calibration(std::span<const JudgedPeak> judged);

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/pose/fit_calibration.ipp>
#endif
