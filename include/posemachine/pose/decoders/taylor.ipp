// The definitions of pose/decoders/taylor.hpp.
#pragma once

#include <posemachine/pose/decoders/taylor.hpp>

#include <posemachine/pose/decoders/quarter_offset.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

POSEMACHINE_INLINE Point taylor_offset(const Peak& peak, double sigma_cells) {
  const bool moves_x = peak.room_x() > 0;
  const bool moves_y = peak.room_y() > 0;
  if (!moves_x && !moves_y) return {};
  const double most = std::max(peak.width, peak.height);
  const int reach = static_cast<int>(std::min(std::ceil(3 * sigma_cells), most));  // of the kernel: 99.7 % of it
  std::vector<double> kernel(std::size_t(reach) + 1);
  for (std::size_t k = 0; k < kernel.size(); ++k) {
    kernel[k] = std::exp(-double(k) * double(k) / (2 * sigma_cells * sigma_cells));
  }
  const auto weight = [&](int k) { return kernel[std::size_t(k)]; };
  // Centred on the peak and on its neighbours, wherever the step needs them, the kernel stays on the map.
  const int radius_x = std::min(reach, peak.room_x() - (moves_x ? 1 : 0));
  const int radius_y = std::min(reach, peak.room_y() - (moves_y ? 1 : 0));
  const auto smoothed = [&](int dx, int dy) {
    return symmetric_sum(radius_y, weight, [&](int j) {
      return symmetric_sum(radius_x, weight, [&](int i) { return double(peak.at(dx + i, dy + j)); });
    });
  };
  const double centre = smoothed(0, 0);
  if (!(centre > 0)) return quarter_offset(peak);
  const double least = 1e-10 * centre;  // zeros and values below have a logarithm, too
  const auto log_map = [&](int dx, int dy) { return std::log(std::max(smoothed(dx, dy), least)); };

  const double middle = std::log(centre);
  double slope_x = 0, slope_y = 0, curve_xx = -1, curve_yy = -1, curve_xy = 0;  // an axis that may not move: no slope
  if (moves_x) {
    const double before = log_map(-1, 0), after = log_map(1, 0);
    slope_x = (after - before) / 2;
    curve_xx = before + after - 2 * middle;
  }
  if (moves_y) {
    const double before = log_map(0, -1), after = log_map(0, 1);
    slope_y = (after - before) / 2;
    curve_yy = before + after - 2 * middle;
  }
  if (moves_x && moves_y) curve_xy = ((log_map(1, 1) - log_map(-1, 1)) - (log_map(1, -1) - log_map(-1, -1))) / 4;
  const double determinant = curve_xx * curve_yy - curve_xy * curve_xy;
  if (!(curve_xx < 0 && curve_yy < 0 && determinant > 0)) return quarter_offset(peak);
  const Point step{(curve_xy * slope_y - curve_yy * slope_x) / determinant,
                   (curve_xy * slope_x - curve_xx * slope_y) / determinant};
  if (!(std::abs(step.x) <= 1 && std::abs(step.y) <= 1)) return quarter_offset(peak);
  return {quantised_offset(step.x), quantised_offset(step.y)};
}

}  // namespace detail

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
