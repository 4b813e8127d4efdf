// Calibration: from the peak of a heatmap to the probability that its joint is right.
#pragma once

#include <posemachine/core/config.hpp>

#include <cmath>
#include <string>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// A curve from peaks to probabilities, fitted to annotated people: p = peak^slope / (peak^slope + half^slope), which
/// is Platt scaling of the peak's logarithm. It rises with the peak, so that it changes no order of joints, up to
/// rounding.
/// Source: Platt 1999, "Probabilistic outputs for support vector machines".
struct Calibration {
  std::string metric = "pck@0.2:torso";  // what a right joint is: a PCK, whole
  double half = 0.5;                     // the peak of joints of which half are right; above 0
  double slope = 1;                      // how fast the curve rises around it; above 0
  double person = 0;                     // the mean score, over a person's joints, that 99 of 100 people reach; 0 to 1
  int joints = 0;                        // to how many joints it was fitted

  /// The probability, 0 to 1. Shapes: peak 0 or more.
  double operator()(double peak) const { return peak > 0 ? 1 / (1 + std::pow(half / peak, slope)) : 0; }

  friend bool operator==(const Calibration&, const Calibration&) = default;
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
