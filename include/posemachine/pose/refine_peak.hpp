// Where a heatmap's peak lies between the centres of its cells.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/model/meaning.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {
namespace detail {

/// A map, not owned, and its highest cell. Shapes: map (height, width), finite.
struct Peak {
  const float* map = nullptr;
  int width = 0;
  int height = 0;
  int x = 0;
  int y = 0;

  /// The value of the cell that lies (dx, dy) cells from the peak, which must be on the map.
  float at(int dx, int dy) const { return map[std::size_t(y + dy) * std::size_t(width) + std::size_t(x + dx)]; }
  /// Cells on both sides of the peak: 0 at a border.
  int room_x() const { return std::min(x, width - 1 - x); }
  int room_y() const { return std::min(y, height - 1 - y); }
};

/// f(0) + sum over k = 1 .. radius of weight(k) * (f(-k) + f(k)). Cells that mirror each other are added first, so that
/// the mirrored map has exactly the same sum, with or without fused multiply-add.
template <class Weight, class F>
double symmetric_sum(int radius, Weight&& weight, F&& f) {
  double sum = f(0);
  for (int k = 1; k <= radius; ++k) sum += weight(k) * (f(-k) + f(k));
  return sum;
}

/// Offsets in 1/65536 of a cell: x + offset is then exact, and mirrored maps have exactly mirrored positions.
inline double quantised_offset(double cells) { return std::round(cells * 0x1p16) * 0x1p-16; }

/// 0.25 towards the higher of a cell's two neighbours along an axis; 0 where they are equal.
inline double quarter_towards(float before, float after) {
  if (after > before) return 0.25;
  return after < before ? -0.25 : 0.0;
}

inline Point quarter_offset(const Peak& peak) {
  return {peak.room_x() > 0 ? quarter_towards(peak.at(-1, 0), peak.at(1, 0)) : 0.0,
          peak.room_y() > 0 ? quarter_towards(peak.at(0, -1), peak.at(0, 1)) : 0.0};
}

/// One Newton step on the logarithm of the map, smoothed by a Gaussian of the targets' width; a quarter offset where
/// the logarithm is not concave or the step leaves the neighbouring cells.
/// Source: Zhang et al. 2020, "Distribution-Aware Coordinate Representation for Human Pose Estimation", 3.1 and 3.2.
/// Its rescaling of the smoothed map to the old maximum adds a constant to the logarithm: neither slope nor curvature
/// has it. Its kernel meets zeros beyond the map, which draw peaks near a border inwards; ours is cut to what fits.
inline Point taylor_offset(const Peak& peak, double sigma_cells) {
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

/// The centroid of the values above 0 within 2 sigma of the peak, the window being cut on both sides alike at a border.
/// Source: the soft arg-max of Sun et al. 2018, "Integral Human Pose Regression", 2, kept to the peak's neighbourhood.
inline Point local_mean_offset(const Peak& peak, double sigma_cells) {
  const double most = std::max(peak.width, peak.height);
  const int reach = static_cast<int>(std::min(std::ceil(2 * sigma_cells), most));
  const int radius_x = std::min(reach, peak.room_x());
  const int radius_y = std::min(reach, peak.room_y());
  const auto one = [](int) { return 1.0; };
  const auto value = [&](int dx, int dy) { return std::max(double(peak.at(dx, dy)), 0.0); };
  const auto column = [&](int dx) { return symmetric_sum(radius_y, one, [&](int dy) { return value(dx, dy); }); };
  const auto row = [&](int dy) { return symmetric_sum(radius_x, one, [&](int dx) { return value(dx, dy); }); };
  const double total = symmetric_sum(radius_x, one, column);
  if (!(total > 0)) return {};
  double moment_x = 0, moment_y = 0;
  for (int k = 1; k <= radius_x; ++k) moment_x += k * (column(k) - column(-k));
  for (int k = 1; k <= radius_y; ++k) moment_y += k * (row(k) - row(-k));
  return {quantised_offset(moment_x / total), quantised_offset(moment_y / total)};
}

/// From the centre of the highest cell to the joint, in cells.
inline Point peak_offset(const Peak& peak, DecoderKind kind, double sigma_cells) {
  switch (kind) {
    case DecoderKind::arg_max: return {};
    case DecoderKind::quarter_offset: return quarter_offset(peak);
    case DecoderKind::taylor: return taylor_offset(peak, sigma_cells);
    case DecoderKind::local_mean: return local_mean_offset(peak, sigma_cells);
  }
  return {};
}

}  // namespace detail
}  // namespace posemachine::inline POSEMACHINE_BUILD
