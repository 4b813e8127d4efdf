// The definitions of pose/fit_calibration.hpp.
#pragma once

#include <posemachine/pose/fit_calibration.hpp>

#include <posemachine/pose/model_spec.hpp>

#include <array>

#include <algorithm>
#include <cmath>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

// The negative log-likelihood of a straight line through log-odds over x, its gradient and its Hessian (3 of 4
// entries).
struct LineFit {
  double loss = 0;
  std::array<double, 2> gradient{};
  std::array<double, 3> hessian{};  // of offset, of both, of slope
};

struct TargetAt {
  double x = 0;
  double target = 0;  // a probability
};

POSEMACHINE_INLINE LineFit fit_of_line(std::span<const TargetAt> points, double offset, double slope) {
  LineFit fit;
  for (const TargetAt& point : points) {
    const double odds = offset + slope * point.x;
    // log(1 + e^odds) - target odds, without overflow.
    fit.loss += std::max(odds, 0.0) + std::log1p(std::exp(-std::abs(odds))) - point.target * odds;
    const double probability = 1 / (1 + std::exp(-odds));
    const double error = probability - point.target;
    const double weight = probability * (1 - probability);
    fit.gradient[0] += error;
    fit.gradient[1] += error * point.x;
    fit.hessian[0] += weight;
    fit.hessian[1] += weight * point.x;
    fit.hessian[2] += weight * point.x * point.x;
  }
  return fit;
}

// The line of the least loss, by Newton's method with halved steps. Shapes: {offset, slope}.
POSEMACHINE_INLINE std::array<double, 2> best_line(std::span<const TargetAt> points, double offset) {
  std::array<double, 2> line{offset, 0};
  constexpr int most_steps = 100;
  for (int step = 0; step < most_steps; ++step) {
    const LineFit fit = fit_of_line(points, line[0], line[1]);
    const double ridge = 1e-9 * (fit.hessian[0] + fit.hessian[2]);  // where all peaks are the same
    const double a = fit.hessian[0] + ridge;
    const double b = fit.hessian[1];
    const double c = fit.hessian[2] + ridge;
    const double determinant = a * c - b * b;
    if (!(determinant > 0)) break;
    const std::array<double, 2> move{(c * fit.gradient[0] - b * fit.gradient[1]) / determinant,
                                     (a * fit.gradient[1] - b * fit.gradient[0]) / determinant};
    double share = 1;
    const auto moved = [&] { return std::array{line[0] - share * move[0], line[1] - share * move[1]}; };
    while (share > 1e-6 && !(fit_of_line(points, moved()[0], moved()[1]).loss <= fit.loss)) share /= 2;
    line = moved();
    if (std::abs(move[0]) + std::abs(move[1]) < 1e-10) break;
  }
  return line;
}

}  // namespace detail

POSEMACHINE_INLINE std::optional<Calibration> fit_calibration(std::span<const JudgedPeak> judged) {
  std::array<int, 2> counts{};  // of wrong ones, of right ones
  for (const JudgedPeak& each : judged) counts[each.right ? 1 : 0] += each.peak > 0 ? 1 : 0;
  const auto [wrong, right] = counts;
  if (wrong < min_judged_peaks || right < min_judged_peaks) return std::nullopt;
  const std::array<double, 2> targets{1.0 / (wrong + 2), (right + 1.0) / (right + 2)};
  std::vector<detail::TargetAt> points;
  for (const JudgedPeak& each : judged) {
    if (each.peak > 0) points.push_back({std::log(each.peak), targets[each.right ? 1 : 0]});
  }
  const auto [offset, slope] = detail::best_line(points, std::log(double(right) / wrong));
  Calibration calibration{.half = std::exp(-offset / slope), .slope = slope, .joints = wrong + right};
  const auto within = [](double value, NumberRange range) { return value >= range.low && value <= range.high; };
  if (!within(slope, ModelSpecRanges::calibration_slope) ||
      !within(calibration.half, ModelSpecRanges::calibration_half)) {
    return std::nullopt;
  }
  return calibration;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
